//! The tree itself. It remembers which attributes and texts were read, so that what nobody
//! read can be named.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

/// The namespaces that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// HL7 version 3.
    V3,
    /// Extensions of HL7's Structured Documents Technical Committee.
    Sdtc,
    /// XML Schema instances.
    Xsi,
    /// XML Encryption.
    Encryption,
    /// None.
    None,
    /// Any other.
    Other,
}

/// The namespace of a name.
pub(super) fn space_of(uri: &str) -> Space {
    match uri {
        "urn:hl7-org:v3" => Space::V3,
        "urn:hl7-org:sdtc" => Space::Sdtc,
        "http://www.w3.org/2001/XMLSchema-instance" => Space::Xsi,
        "http://www.w3.org/2001/04/xmlenc#" => Space::Encryption,
        "" => Space::None,
        _ => Space::Other,
    }
}

enum Content<'a> {
    Element { space: Space, name: &'a str },
    Words(Cow<'a, str>),
}

struct Node<'a> {
    content: Content<'a>,
    parent: u32,
    next: u32,
    first: u32,
    last: u32,
    start: u32,
    end: u32,
    attributes: (u32, u32),
}

struct Attribute<'a> {
    space: Space,
    name: &'a str,
    value: Cow<'a, str>,
}

/// No node.
const NONE: u32 = u32::MAX;

/// A document as elements, attributes and texts.
pub(crate) struct Tree<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    attributes: Vec<Attribute<'a>>,
    read_attributes: Vec<Cell<bool>>,
    read_nodes: Vec<Cell<bool>>,
}

/// A tree that is being built.
pub(super) struct Builder<'a> {
    tree: Tree<'a>,
    /// The outermost element called `text` that is open: white space counts in it.
    within_text: Option<u32>,
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl<'a> Builder<'a> {
    /// A tree with room for so many: doubling it would take twice the memory.
    pub(super) fn new(text: &'a str, nodes: usize, attributes: usize) -> Self {
        let tree = Tree {
            text,
            nodes: Vec::with_capacity(nodes),
            attributes: Vec::with_capacity(attributes),
            read_attributes: Vec::new(),
            read_nodes: Vec::new(),
        };
        Self { tree, within_text: None }
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.tree.nodes.len()
    }

    /// How many attributes there are.
    pub(super) fn attributes(&self) -> usize {
        self.tree.attributes.len()
    }

    fn add(&mut self, parent: Option<u32>, content: Content<'a>, start: usize, end: usize) -> u32 {
        let node = number(self.tree.nodes.len());
        let attributes = number(self.tree.attributes.len());
        self.tree.nodes.push(Node {
            content,
            parent: parent.unwrap_or(NONE),
            next: NONE,
            first: NONE,
            last: NONE,
            start: number(start),
            end: number(end),
            attributes: (attributes, attributes),
        });
        if let Some(parent) = parent {
            let last = match self.tree.nodes.get_mut(index(parent)) {
                Some(parent) => std::mem::replace(&mut parent.last, node),
                None => NONE,
            };
            match self.tree.nodes.get_mut(index(last)) {
                Some(last) => last.next = node,
                None => {
                    if let Some(parent) = self.tree.nodes.get_mut(index(parent)) {
                        parent.first = node;
                    }
                }
            }
        }
        node
    }

    pub(super) fn element(
        &mut self,
        parent: Option<u32>,
        (space, name): (Space, &'a str),
        start: usize,
        end: usize,
    ) -> u32 {
        let node = self.add(parent, Content::Element { space, name }, start, end);
        if self.within_text.is_none() && name == "text" {
            self.within_text = Some(node);
        }
        node
    }

    /// Adds an attribute to the element that was added last.
    pub(super) fn attribute(&mut self, node: u32, (space, name): (Space, &'a str), value: Cow<'a, str>) {
        self.tree.attributes.push(Attribute { space, name, value });
        let end = number(self.tree.attributes.len());
        if let Some(node) = self.tree.nodes.get_mut(index(node)) {
            node.attributes.1 = end;
        }
    }

    pub(super) fn close(&mut self, node: u32, end: usize) {
        if let Some(found) = self.tree.nodes.get_mut(index(node)) {
            found.end = number(end);
        }
        if self.within_text == Some(node) {
            self.within_text = None;
        }
    }

    /// Adds words, to the text before them if there is one. Whether a node was added.
    pub(super) fn words(&mut self, parent: u32, said: Cow<'a, str>, at: usize) -> bool {
        let last = self.tree.nodes.get(index(parent)).map_or(NONE, |parent| parent.last);
        if let Some(Node { content: Content::Words(words), .. }) = self.tree.nodes.get_mut(index(last)) {
            words.to_mut().push_str(&said);
            return false;
        }
        if self.within_text.is_none() && said.trim().is_empty() {
            return false;
        }
        self.add(Some(parent), Content::Words(said), at, at);
        true
    }

    pub(super) fn finish(self) -> Tree<'a> {
        let mut tree = self.tree;
        tree.read_attributes = vec![Cell::new(false); tree.attributes.len()];
        tree.read_nodes = vec![Cell::new(false); tree.nodes.len()];
        tree
    }
}

impl<'a> Tree<'a> {
    /// The outermost element.
    pub(crate) fn root(&self) -> El<'_> {
        El { tree: self, node: 0 }
    }
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub(crate) struct El<'t> {
    tree: &'t Tree<'t>,
    node: u32,
}

impl PartialEq for El<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node && std::ptr::eq(self.tree, other.tree)
    }
}

impl Eq for El<'_> {}

/// What an element holds.
#[derive(Clone, Copy)]
pub(crate) enum Inside<'t> {
    Element(El<'t>),
    Words(&'t str),
}

impl<'t> El<'t> {
    fn node(self) -> Option<&'t Node<'t>> {
        self.tree.nodes.get(index(self.node))
    }

    /// Its number in the document: the elements in it have higher ones.
    pub(crate) fn number(self) -> u32 {
        self.node
    }

    /// The name without its prefix.
    pub(crate) fn name(self) -> &'t str {
        match self.node().map(|node| &node.content) {
            Some(Content::Element { name, .. }) => name,
            _ => "",
        }
    }

    pub(crate) fn space(self) -> Space {
        match self.node().map(|node| &node.content) {
            Some(Content::Element { space, .. }) => *space,
            _ => Space::Other,
        }
    }

    /// Where it stands in the document, in bytes, with its tags.
    pub(crate) fn span(self) -> Range<usize> {
        self.node().map_or(0..0, |node| index(node.start)..index(node.end))
    }

    /// Its bytes as they stand in the document.
    pub(crate) fn bytes(self) -> &'t str {
        self.tree.text.get(self.span()).unwrap_or_default()
    }

    pub(crate) fn parent(self) -> Option<Self> {
        let node = self.node()?.parent;
        (node != NONE).then_some(Self { tree: self.tree, node })
    }

    /// Elements and texts in it, in their order.
    pub(crate) fn inside(self) -> impl Iterator<Item = Inside<'t>> {
        let tree = self.tree;
        let mut next = self.node().map_or(NONE, |node| node.first);
        std::iter::from_fn(move || {
            let at = next;
            let node = tree.nodes.get(index(at))?;
            next = node.next;
            Some(match &node.content {
                Content::Element { .. } => Inside::Element(El { tree, node: at }),
                Content::Words(words) => Inside::Words(words),
            })
        })
    }

    /// The elements in it.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        self.inside().filter_map(|inside| match inside {
            Inside::Element(element) => Some(element),
            Inside::Words(_) => None,
        })
    }

    /// Whether it is an element of HL7 version 3 of this name. A document without
    /// namespaces is read as if it had that one.
    pub(crate) fn is(self, name: &str) -> bool {
        self.name() == name && matches!(self.space(), Space::V3 | Space::None)
    }

    /// The elements of HL7 version 3 of this name in it.
    pub(crate) fn children(self, name: &'t str) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.is(name))
    }

    /// The first of them.
    pub(crate) fn child(self, name: &'t str) -> Option<Self> {
        self.children(name).next()
    }

    /// The first element at the end of these steps.
    pub(crate) fn at(self, steps: &[&'t str]) -> Option<Self> {
        steps.iter().try_fold(self, |element, step| element.child(step))
    }

    /// The first element of this name among the extensions in it.
    pub(crate) fn extension(self, name: &str) -> Option<Self> {
        self.elements().find(|element| element.space() == Space::Sdtc && element.name() == name)
    }

    fn attribute_at(self, space: Space, name: &str) -> Option<(usize, &'t str)> {
        let (start, end) = self.node()?.attributes;
        let range = index(start)..index(end);
        let found = self.tree.attributes.get(range.clone())?.iter().zip(range);
        let mut found = found.filter(|(attribute, _)| attribute.space == space && attribute.name == name);
        found.next().map(|(attribute, at)| (at, attribute.value.trim()))
    }

    /// An attribute, which counts as read. One that is blank says nothing.
    pub(crate) fn attribute(self, name: &str) -> Option<&'t str> {
        self.read(Space::None, name)
    }

    /// An attribute of XML Schema instances, which counts as read.
    pub(crate) fn xsi(self, name: &str) -> Option<&'t str> {
        self.read(Space::Xsi, name)
    }

    fn read(self, space: Space, name: &str) -> Option<&'t str> {
        let (at, value) = self.attribute_at(space, name)?;
        if let Some(read) = self.tree.read_attributes.get(at) {
            read.set(true);
        }
        Some(value).filter(|value| !value.is_empty())
    }

    /// All attributes, as they are written, none of which counts as read.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (Space, &'t str, &'t str)> {
        let (start, end) = self.node().map_or((0, 0), |node| node.attributes);
        let attributes = self.tree.attributes.get(index(start)..index(end)).unwrap_or_default();
        attributes.iter().map(|attribute| (attribute.space, attribute.name, attribute.value.as_ref()))
    }

    /// An attribute, looked at and not read.
    pub(crate) fn peek(self, name: &str) -> Option<&'t str> {
        self.attribute_at(Space::None, name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// The attributes that nobody read.
    pub(crate) fn unread(self) -> impl Iterator<Item = (Space, &'t str, &'t str)> {
        let (start, end) = self.node().map_or((0, 0), |node| node.attributes);
        let range = index(start)..index(end);
        let attributes = self.tree.attributes.get(range.clone()).unwrap_or_default();
        let read = self.tree.read_attributes.get(range).unwrap_or_default();
        let unread = attributes.iter().zip(read).filter(|(_, read)| !read.get());
        unread.map(|(attribute, _)| (attribute.space, attribute.name, attribute.value.trim()))
    }

    /// The texts in it, not those of elements in it, which count as read. White space is
    /// one blank.
    pub(crate) fn words(self) -> String {
        self.mark_read();
        let mut words = String::new();
        for inside in self.inside() {
            if let Inside::Words(said) = inside {
                words.push_str(said);
            }
        }
        match words.contains(char::is_whitespace) {
            true => words.split_whitespace().collect::<Vec<_>>().join(" "),
            // A file, perhaps.
            false => words,
        }
    }

    /// Whether an attribute of it or what it says itself was read.
    pub(crate) fn is_read(self) -> bool {
        let (start, end) = self.node().map_or((0, 0), |node| node.attributes);
        let attributes = self.tree.read_attributes.get(index(start)..index(end)).unwrap_or_default();
        attributes.iter().chain(self.tree.read_nodes.get(index(self.node))).any(Cell::get)
    }

    /// What it says itself counts as read.
    pub(crate) fn mark_read(self) {
        if let Some(read) = self.tree.read_nodes.get(index(self.node)) {
            read.set(true);
        }
    }

    /// Everything in it counts as read.
    pub(crate) fn mark_all_read(self) {
        let mut open = vec![self];
        while let Some(element) = open.pop() {
            element.mark_read();
            let (start, end) = element.node().map_or((0, 0), |node| node.attributes);
            let read = self.tree.read_attributes.get(index(start)..index(end)).unwrap_or_default();
            read.iter().for_each(|read| read.set(true));
            open.extend(element.elements());
        }
    }

    /// Whether it says something itself that nobody read.
    pub(crate) fn says_unread(self) -> bool {
        let is_read = self.tree.read_nodes.get(index(self.node)).is_some_and(Cell::get);
        !is_read
            && self.inside().any(|inside| matches!(inside, Inside::Words(said) if !said.trim().is_empty()))
    }
}
