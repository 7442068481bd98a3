//! Whom the input speaks of: patients that it holds, and those that it refers to, each
//! of whom may be met under several names.
//!
//! Two are one person only where that is shown; see [`Person::compare`].

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::crypto::digest::Digest;
use crate::record::{Likeness, Person};

/// A mention of a person. Several may be of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mention(usize);

/// What a mention is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// A patient in the input, by position.
    Resource(usize),
    /// A patient that a resource contains.
    Contained(String),
    /// A patient that is not in the input.
    Reference(String),
}

struct Node {
    parent: usize,
    /// How many mentions end here.
    size: usize,
    known: Known,
    /// What all mentions of this person say, at the one that stands for them.
    person: Person,
}

/// People of one key that are compared; a name and birth date have few.
const MOST_OF_ONE_KEY: usize = 8;

/// The people of an input.
#[derive(Default)]
pub(crate) struct People {
    nodes: Vec<Node>,
    by_position: HashMap<usize, Mention>,
    by_content: HashMap<Digest, Mention>,
    by_reference: HashMap<String, Mention>,
    by_key: HashMap<String, Vec<Mention>>,
    /// Names that two people have: which of the two is meant cannot be told.
    ambiguous: BTreeSet<Mention>,
}

impl People {
    /// Adds a patient of the input. The same bytes are the same patient, if `content` is
    /// given.
    pub(crate) fn add_resource(&mut self, position: usize, content: Option<Digest>, person: Person) {
        let mention = self.add(Known::Resource(position), person);
        self.by_position.insert(position, mention);
        if let Some(content) = content {
            let first = *self.by_content.entry(content).or_insert(mention);
            self.unite(first, mention);
        }
    }

    /// A patient that a resource contains; those of equal content are one. `None` if
    /// nothing is said of them.
    pub(crate) fn contained(&mut self, name: &str, content: Digest, person: Person) -> Option<Mention> {
        if person.is_nameless() {
            return None;
        }
        if let Some(&known) = self.by_content.get(&content) {
            return Some(known);
        }
        let mention = self.add(Known::Contained(name.to_owned()), person);
        self.by_content.insert(content, mention);
        Some(mention)
    }

    /// A patient that is not in the input.
    pub(crate) fn referred_to(&mut self, reference: String) -> Mention {
        if let Some(&known) = self.by_reference.get(&reference) {
            return known;
        }
        let mention = self.push(Known::Reference(reference.clone()), Person::default());
        self.by_reference.insert(reference, mention);
        mention
    }

    /// The patient at this position, unless another one has the same name.
    pub(crate) fn at(&self, position: usize) -> Option<Mention> {
        self.itself_at(position).filter(|mention| !self.ambiguous.contains(mention))
    }

    /// The patient at this position, as it speaks of itself.
    pub(crate) fn itself_at(&self, position: usize) -> Option<Mention> {
        self.by_position.get(&position).copied()
    }

    /// The one person that these patients are.
    pub(crate) fn one_of(&self, positions: &[usize]) -> Option<Mention> {
        let mut mentions = positions.iter().map(|position| self.at(*position));
        let first = mentions.next()??;
        let is_same = |other: Option<Mention>| other.is_some_and(|other| self.is_same(first, other));
        mentions.all(is_same).then_some(first)
    }

    /// Two patients have one name: they are one, in two versions, unless they differ.
    pub(crate) fn meet_namesake(&mut self, first: usize, second: usize, is_version: bool) {
        let (Some(&first), Some(&second)) = (self.by_position.get(&first), self.by_position.get(&second))
        else {
            return;
        };
        let differ = matches!(self.person(first).compare(self.person(second)), Likeness::Different { .. });
        if differ && !is_version && !self.is_same(first, second) {
            self.ambiguous.extend([first, second]);
        } else {
            self.unite(first, second);
        }
    }

    fn push(&mut self, known: Known, person: Person) -> Mention {
        let parent = self.nodes.len();
        self.nodes.push(Node { parent, size: 1, known, person });
        Mention(parent)
    }

    /// Adds a mention, and unites it with those whom it is shown to be.
    fn add(&mut self, known: Known, person: Person) -> Mention {
        let keys = person.likeness_keys();
        let mention = self.push(known, person);
        for key in keys {
            let alike = self.by_key.entry(key).or_default();
            let others = alike.clone();
            if alike.len() < MOST_OF_ONE_KEY {
                alike.push(mention);
            }
            for other in others {
                if !self.is_same(mention, other)
                    && self.person(mention).compare(self.person(other)) == Likeness::Same
                {
                    self.unite(mention, other);
                }
            }
        }
        mention
    }

    /// Two mentions are of one person.
    pub(crate) fn unite(&mut self, one: Mention, other: Mention) {
        let (one, other) = (self.root(one).0, self.root(other).0);
        let size = |root: usize| self.nodes.get(root).map_or(0, |node| node.size);
        // The larger one stands for both, so ways to it stay short.
        let (root, leaf) = if size(one) >= size(other) { (one, other) } else { (other, one) };
        if root == leaf {
            return;
        }
        let Some(joined) = self.nodes.get_mut(leaf) else { return };
        joined.parent = root;
        let (person, size) = (std::mem::take(&mut joined.person), joined.size);
        if let Some(node) = self.nodes.get_mut(root) {
            node.size += size;
            node.person.join(&person);
        }
    }

    /// The mention that stands for a person.
    pub(crate) fn root(&self, mention: Mention) -> Mention {
        let mut at = mention.0;
        while let Some(node) = self.nodes.get(at) {
            if node.parent == at {
                break;
            }
            at = node.parent;
        }
        Mention(at)
    }

    fn is_same(&self, one: Mention, other: Mention) -> bool {
        self.root(one) == self.root(other)
    }

    /// What is said of a person.
    pub(crate) fn person(&self, mention: Mention) -> &Person {
        static NOBODY: std::sync::LazyLock<Person> = std::sync::LazyLock::new(Person::default);
        let root = self.root(mention).0;
        self.nodes.get(root).map_or(&*NOBODY, |node| &node.person)
    }

    /// All mentions, in the order in which they were met: patients of the input first.
    pub(crate) fn mentions(&self) -> impl Iterator<Item = (Mention, &Known)> {
        self.nodes.iter().enumerate().map(|(number, node)| (Mention(number), &node.known))
    }

    /// The patients that the input holds or contains, one mention of each person, with the
    /// position of those that are resources.
    pub(crate) fn described(&self) -> impl Iterator<Item = (Option<usize>, Mention)> {
        let mut seen = HashSet::new();
        self.mentions().filter_map(move |(mention, known)| {
            let position = match known {
                Known::Resource(position) => Some(*position),
                Known::Contained(_) => None,
                Known::Reference(_) => return None,
            };
            seen.insert(self.root(mention)).then_some((position, mention))
        })
    }

    /// `Patient/1` and its address are one person where no second server is spoken of.
    pub(crate) fn join_references<'a>(&mut self, sole_base: impl Fn(&str) -> Option<&'a str>) {
        let pairs = self.by_reference.iter().filter_map(|(reference, mention)| {
            let address = format!("{}{reference}", sole_base(reference)?);
            Some((*mention, *self.by_reference.get(&address)?))
        });
        for (one, other) in pairs.collect::<Vec<_>>() {
            self.unite(one, other);
        }
    }
}
