//! One commit's changes to a trie: only the paths to changed rows are written anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Trie;
use super::error::TreeError;
use super::object::ObjectWriter;
use super::page::{Child, Page, Prefix, Row, RowKey};
use super::run::Run;
use crate::crypto::random::Randomness;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::parallel::{Spare, in_order};
use crate::payload::catalogue::LEAF_ROWS;

/// Leaves from which a commit writes them on all cores.
const MANY_LEAVES: usize = 64;
const LEAVES_AT_A_TIME: usize = 16;

/// Rows to put and keys to remove.
pub(crate) type Changes = BTreeMap<RowKey, Option<Row>>;

/// The trie after a commit's changes.
pub(crate) struct TrieUpdate {
    pub(crate) root: Option<KeyedRef>,
    pub(crate) rows: u64,
    /// Stored bytes of all objects that pages and rows name.
    pub(crate) live: u64,
    /// Page images that are no longer part of the trie.
    pub(crate) superseded: Vec<ObjectRef>,
}

/// What a commit takes out of a trie and puts into it.
#[derive(Default)]
struct Turnover {
    superseded: Vec<ObjectRef>,
    gone: u64,
    new: u64,
}

impl Turnover {
    fn supersede(&mut self, page: &KeyedRef) {
        self.gone = self.gone.saturating_add(page.object.length);
        self.superseded.push(page.object);
    }

    fn remove(&mut self, row: &Row) {
        self.gone = self.gone.saturating_add(row.stored_bytes());
    }

    fn put(&mut self, row: &Row) {
        self.new = self.new.saturating_add(row.stored_bytes());
    }

    /// The live bytes after it. A wrong number in a place keeps nobody from
    /// writing: a check tells of it.
    fn applied_to(&self, live: u64) -> u64 {
        live.saturating_sub(self.gone).saturating_add(self.new)
    }
}

/// A page that is about to be written, or that stays as it is.
pub(super) enum Node {
    Stored { object: KeyedRef, rows: u64 },
    Leaf(Vec<Row>),
    Inner(Vec<(u8, Node)>),
}

impl Node {
    /// The leaves that are to be written.
    fn leaves<'n>(&'n mut self, prefix: Prefix, leaves: &mut Vec<(Prefix, &'n mut Self)>) {
        match self {
            Self::Stored { .. } => {}
            Self::Leaf(_) => leaves.push((prefix, self)),
            Self::Inner(children) => {
                for (nibble, child) in children {
                    child.leaves(prefix.child(*nibble), leaves);
                }
            }
        }
    }

    /// Rows in this node and below: pages of others may claim any number.
    pub(super) fn rows(&self) -> Result<u64, TreeError> {
        match self {
            Self::Stored { rows, .. } => Ok(*rows),
            Self::Leaf(rows) => Ok(rows.len() as u64),
            Self::Inner(children) => children.iter().try_fold(0u64, |sum, (_, child)| {
                sum.checked_add(child.rows()?).ok_or(TreeError::Damaged { what: "page count" })
            }),
        }
    }
}

impl Trie<'_> {
    /// Applies `changes` and writes the new pages, children before parents.
    pub(crate) fn update(
        &self,
        changes: Changes,
        out: &mut ObjectWriter<'_>,
    ) -> Result<TrieUpdate, TreeError> {
        let mut turnover = Turnover::default();
        let node = match self.root {
            Some(root) => {
                let current = Some((root.duplicate(), self.rows));
                self.change(current, Prefix::EMPTY, changes.into_iter().collect(), &mut turnover)?
            }
            None => first(changes, &mut turnover),
        };
        let (mut root, mut rows) = (None, 0);
        if let Some(mut node) = node {
            rows = node.rows()?;
            self.write_many_leaves(&mut node, Prefix::EMPTY, &mut turnover.new, out)?;
            root = Some(self.write(node, Prefix::EMPTY, &mut turnover.new, out)?);
        }
        let live = turnover.applied_to(self.live);
        Ok(TrieUpdate { root, rows, live, superseded: turnover.superseded })
    }

    /// Writes the root page anew, under a fresh key, and leaves the rest as it is.
    pub(crate) fn renew_root(&self, out: &mut ObjectWriter<'_>) -> Result<TrieUpdate, TreeError> {
        let Some(current) = self.root else {
            return Ok(TrieUpdate { root: None, rows: 0, live: self.live, superseded: Vec::new() });
        };
        let page = self.page(current, self.rows, Prefix::EMPTY)?;
        let root = out.encrypt(&Prefix::EMPTY.context(self.scope, self.compartment), &page.content()?)?;
        self.cache.insert(root.digest, self.compartment, Prefix::EMPTY, &page);
        // The same content takes the same room.
        Ok(TrieUpdate {
            root: Some(root),
            rows: self.rows,
            live: self.live,
            superseded: vec![current.object],
        })
    }

    /// Writes the leaves of a node on all cores where they are many.
    pub(super) fn write_many_leaves(
        &self,
        node: &mut Node,
        prefix: Prefix,
        bytes: &mut u64,
        out: &mut ObjectWriter<'_>,
    ) -> Result<(), TreeError> {
        let mut leaves = Vec::new();
        node.leaves(prefix, &mut leaves);
        if leaves.len() < MANY_LEAVES {
            return Ok(());
        }
        let mut written = Vec::with_capacity(leaves.len());
        let batches: Vec<_> = leaves.chunks(LEAVES_AT_A_TIME).collect();
        let buffers = Spare::default();
        let encrypt_all = |batch: &&[(Prefix, &mut Node)]| -> Result<_, TreeError> {
            let mut run = Run::within(buffers.take());
            let mut counts = Vec::with_capacity(batch.len());
            for (prefix, leaf) in *batch {
                let Node::Leaf(rows) = &**leaf else { return Err(TreeError::Damaged { what: "leaf" }) };
                run.push(&prefix.context(self.scope, self.compartment), &Page::leaf_content(rows)?)?;
                counts.push(rows.len() as u64);
            }
            Ok((counts, run.encrypt(&mut Randomness::from_system())?))
        };
        in_order(&batches, encrypt_all, |(counts, run)| {
            let (objects, buffer) = out.put_run(run)?;
            buffers.give(buffer);
            for (rows, object) in counts.into_iter().zip(objects) {
                *bytes = bytes.saturating_add(object.object.length);
                written.push(Node::Stored { object, rows });
            }
            Ok(())
        })?;
        leaves.into_iter().zip(written).for_each(|((_, leaf), stored)| *leaf = stored);
        Ok(())
    }

    fn change(
        &self,
        current: Option<(KeyedRef, u64)>,
        prefix: Prefix,
        changes: Vec<(RowKey, Option<Row>)>,
        turnover: &mut Turnover,
    ) -> Result<Option<Node>, TreeError> {
        let Some((object, rows)) = current else {
            return Ok(build(prefix, merge(&[], changes, turnover)));
        };
        if changes.is_empty() {
            return Ok(Some(Node::Stored { object, rows }));
        }
        let page = self.page(&object, rows, prefix)?;
        turnover.supersede(&object);
        match &*page {
            Page::Leaf(rows) => Ok(build(prefix, merge(rows, changes, turnover))),
            Page::Inner(children) => self.change_inner(children, prefix, changes, turnover),
        }
    }

    fn change_inner(
        &self,
        children: &[Child],
        prefix: Prefix,
        changes: Vec<(RowKey, Option<Row>)>,
        turnover: &mut Turnover,
    ) -> Result<Option<Node>, TreeError> {
        let mut split: [Vec<_>; 16] = std::array::from_fn(|_| Vec::new());
        for change in changes {
            if let Some(part) = split.get_mut(usize::from(change.0.nibble(prefix.depth()))) {
                part.push(change);
            }
        }
        let mut nodes = Vec::with_capacity(16);
        for (nibble, part) in (0u8..).zip(split) {
            let child = children.iter().find(|child| child.nibble == nibble);
            let current = child.map(|child| (child.object.duplicate(), child.rows));
            if let Some(node) = self.change(current, prefix.child(nibble), part, turnover)? {
                nodes.push((nibble, node));
            }
        }
        let inner = Node::Inner(nodes);
        match inner.rows()? {
            0 => Ok(None),
            rows if rows <= LEAF_ROWS as u64 => {
                let mut rows = Vec::new();
                self.collect(inner, prefix, &mut rows, turnover)?;
                Ok(build(prefix, rows))
            }
            _ => Ok(Some(inner)),
        }
    }

    /// Takes all rows out of a node that becomes part of a leaf.
    fn collect(
        &self,
        node: Node,
        prefix: Prefix,
        rows: &mut Vec<Row>,
        turnover: &mut Turnover,
    ) -> Result<(), TreeError> {
        match node {
            Node::Leaf(leaf) => rows.extend(leaf),
            Node::Inner(children) => {
                for (nibble, child) in children {
                    self.collect(child, prefix.child(nibble), rows, turnover)?;
                }
            }
            Node::Stored { object, rows: count } => match &*self.page(&object, count, prefix)? {
                Page::Leaf(leaf) => {
                    turnover.supersede(&object);
                    rows.extend(leaf.iter().map(Row::duplicate));
                }
                // A stored inner page holds more rows than a leaf may.
                Page::Inner(_) => return Err(TreeError::Damaged { what: "page count" }),
            },
        }
        Ok(())
    }

    pub(super) fn write(
        &self,
        node: Node,
        prefix: Prefix,
        written: &mut u64,
        out: &mut ObjectWriter<'_>,
    ) -> Result<KeyedRef, TreeError> {
        let page = match node {
            Node::Stored { object, .. } => return Ok(object),
            Node::Leaf(rows) => Page::Leaf(rows),
            Node::Inner(nodes) => {
                let mut children = Vec::with_capacity(nodes.len());
                for (nibble, node) in nodes {
                    let rows = node.rows()?;
                    let object = self.write(node, prefix.child(nibble), written, out)?;
                    children.push(Child { nibble, rows, object });
                }
                Page::Inner(children)
            }
        };
        let context = prefix.context(self.scope, self.compartment);
        let object = out.encrypt(&context, &page.content()?)?;
        *written = written.saturating_add(object.object.length);
        self.cache.insert(object.digest, self.compartment, prefix, &Arc::new(page));
        Ok(object)
    }
}

/// The tree of what is put where nothing was. An import can be long: its rows move once.
fn first(changes: Changes, turnover: &mut Turnover) -> Option<Node> {
    let put = changes.iter().filter_map(|(key, row)| Some((key, row.as_ref()?)));
    let keys: Vec<RowKey> = put.inspect(|(_, row)| turnover.put(row)).map(|(key, _)| *key).collect();
    build_of(Prefix::EMPTY, &keys, &mut changes.into_values().flatten())
}

/// The smallest tree of these rows, sorted by key: a leaf, or an inner page
/// over the smallest trees of each nibble.
pub(super) fn build(prefix: Prefix, rows: Vec<Row>) -> Option<Node> {
    let keys: Vec<RowKey> = rows.iter().map(|row| row.key).collect();
    build_of(prefix, &keys, &mut rows.into_iter())
}

/// The same of the next rows, which have these keys: each row moves once, however deep.
fn build_of(prefix: Prefix, keys: &[RowKey], rows: &mut impl Iterator<Item = Row>) -> Option<Node> {
    if keys.is_empty() {
        return None;
    }
    if keys.len() <= LEAF_ROWS {
        return Some(Node::Leaf(rows.take(keys.len()).collect()));
    }
    let mut rest = keys;
    let mut nodes = Vec::new();
    for nibble in 0u8..16 {
        let end = rest.partition_point(|key| key.nibble(prefix.depth()) <= nibble);
        let (part, later) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = later;
        nodes.extend(build_of(prefix.child(nibble), part, rows).map(|node| (nibble, node)));
    }
    Some(Node::Inner(nodes))
}

/// Rows with changes made to them, both sorted by key.
fn merge(rows: &[Row], changes: Vec<(RowKey, Option<Row>)>, turnover: &mut Turnover) -> Vec<Row> {
    let mut merged = Vec::with_capacity(rows.len() + changes.len());
    let mut kept = rows.iter().peekable();
    for (key, row) in changes {
        merged.extend(std::iter::from_fn(|| kept.next_if(|kept| kept.key < key)).map(Row::duplicate));
        kept.next_if(|kept| kept.key == key).into_iter().for_each(|gone| turnover.remove(gone));
        row.iter().for_each(|row| turnover.put(row));
        merged.extend(row);
    }
    merged.extend(kept.map(Row::duplicate));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::Randomness;
    use crate::format::context::Scope;
    use crate::format::header::Header;
    use crate::format::place::Compartment;
    use crate::id::{EntryId, Epoch, VaultId};
    use crate::store::{MemoryStore, Publication, Store, StoreWriter};
    use crate::tree::{PageCache, RowClass};
    use std::time::Duration;

    struct Fixture {
        store: MemoryStore,
        cache: PageCache,
        scope: Scope,
        random: Randomness,
        root: Option<KeyedRef>,
        rows: u64,
        live: u64,
        superseded: Vec<ObjectRef>,
    }

    /// Makes what a writer put part of the store, under the root that is there.
    fn publish(writer: &mut dyn StoreWriter, root: &[u8]) {
        let publication =
            Publication { expected: root, area: &[], root, new_area: None, withdraws: false, erase: &[] };
        writer.publish(&publication).unwrap();
    }

    impl Fixture {
        fn new() -> Self {
            let vault = VaultId::from_bytes([5; 16]);
            let header = Header { vault }.encode();
            Self {
                scope: Scope { header: Header::parse(&header).unwrap().1, vault },
                store: MemoryStore::create(header, vec![], vec![0]),
                cache: PageCache::default(),
                random: Randomness::seeded(1),
                root: None,
                rows: 0,
                live: 0,
                superseded: vec![],
            }
        }

        fn trie(&self) -> Trie<'_> {
            Trie {
                store: &self.store,
                cache: &self.cache,
                scope: self.scope,
                compartment: Compartment::General,
                root: self.root.as_ref(),
                rows: self.rows,
                live: self.live,
            }
        }

        /// The live bytes, counted.
        fn counted(&self) -> u64 {
            let mut live = 0;
            self.trie().survey(&mut |visited| {
                let (object, page) = visited.unwrap();
                live += object.object.length + page.leaf_rows().iter().map(Row::stored_bytes).sum::<u64>();
            });
            live
        }

        fn apply(&mut self, changes: Changes) {
            let mut random = Randomness::from_system();
            let root = self.store.heads().unwrap().roots.remove(0);
            let mut writer = self.store.writer(Duration::ZERO).unwrap();
            let update = {
                let mut out = ObjectWriter { writer: &mut *writer, random: &mut random };
                self.trie().update(changes, &mut out).unwrap()
            };
            publish(&mut *writer, &root);
            drop(writer);
            self.root = update.root;
            self.rows = update.rows;
            self.live = update.live;
            self.superseded = update.superseded;
            self.cache.clear();
        }

        fn keys(&self) -> Vec<RowKey> {
            let mut keys = Vec::new();
            self.trie()
                .scan(&mut |row| {
                    keys.push(row.key);
                    Ok(())
                })
                .unwrap();
            keys
        }

        /// The shape: which prefixes are leaves and how many rows each has.
        fn shape(&self) -> Vec<(bool, usize)> {
            let mut shape = Vec::new();
            self.trie().survey(&mut |visited| {
                let (_, page) = visited.unwrap();
                shape.push(match page {
                    Page::Leaf(rows) => (true, rows.len()),
                    Page::Inner(children) => (false, children.len()),
                })
            });
            shape
        }
    }

    fn encrypted(length: u64) -> KeyedRef {
        KeyedRef {
            key: crate::crypto::key::ContentKey::from_secret(&Randomness::seeded(2).secret().unwrap()),
            object: ObjectRef { reference: [1; 16], length },
            digest: crate::crypto::object_digest::ObjectDigest::of(&[]),
        }
    }

    fn row(id: EntryId) -> Row {
        Row {
            key: RowKey::entry(id),
            class: RowClass::Entry,
            id,
            revision: 1,
            epoch: Epoch::new(1),
            object: Some(encrypted(0)),
            inline: vec![1; 300].into(),
        }
    }

    #[test]
    fn a_trie_is_a_map_whose_shape_depends_only_on_its_keys() {
        let mut fixture = Fixture::new();
        let mut model = std::collections::BTreeSet::new();
        for round in 0..60 {
            let mut changes = Changes::new();
            for _ in 0..(round * 7) % 61 {
                let id = EntryId::from_bytes(fixture.random.bytes().unwrap());
                model.insert(RowKey::entry(id));
                let mut row = row(id);
                row.object = Some(encrypted(round));
                changes.insert(RowKey::entry(id), Some(row));
            }
            let gone: Vec<RowKey> = if round > 40 {
                model.iter().copied().step_by(3).collect()
            } else {
                model.iter().copied().filter(|key| key.nibble(3) == 3).take(5).collect()
            };
            for key in gone {
                model.remove(&key);
                changes.insert(key, None);
            }
            fixture.apply(changes);
            assert_eq!(fixture.live, fixture.counted(), "round {round}");
            assert_eq!(fixture.rows, model.len() as u64);
            assert!(fixture.keys().iter().eq(model.iter()), "round {round}");
        }
        // The same keys put in at once give the same shape.
        let mut fresh = Fixture::new();
        fresh
            .apply(model.iter().map(|key| (*key, Some(row(EntryId::from_bytes(*key.as_bytes()))))).collect());
        assert_eq!(fresh.shape(), fixture.shape());
        for key in &model {
            assert!(fixture.trie().row(key).unwrap().is_some());
        }
        let absent = RowKey::named("absent");
        assert!(fixture.trie().row(&absent).unwrap().is_none());
        fixture.apply(model.iter().map(|key| (*key, None)).collect());
        assert!(fixture.root.is_none() && fixture.live == 0);
    }

    #[test]
    fn a_change_supersedes_exactly_the_pages_on_its_path() {
        let mut fixture = Fixture::new();
        let ids: Vec<_> = (0..2000).map(|_| EntryId::from_bytes(fixture.random.bytes().unwrap())).collect();
        fixture.apply(ids.iter().map(|id| (RowKey::entry(*id), Some(row(*id)))).collect());
        assert!(fixture.superseded.is_empty());
        let mut before = std::collections::HashSet::new();
        fixture.trie().survey(&mut |visited| {
            let (object, _) = visited.unwrap();
            before.insert(object.object.reference);
        });
        fixture.apply(Changes::from([(RowKey::entry(ids[0]), None)]));
        let mut after = std::collections::HashSet::new();
        fixture.trie().survey(&mut |visited| {
            let (object, _) = visited.unwrap();
            after.insert(object.object.reference);
        });
        let gone: std::collections::HashSet<_> = before.difference(&after).copied().collect();
        let said: std::collections::HashSet<_> = fixture.superseded.iter().map(|o| o.reference).collect();
        assert_eq!(gone, said);
        assert!((2..=4).contains(&gone.len()));
    }

    #[test]
    fn pages_that_claim_more_rows_than_can_be_counted_are_damaged() {
        let mut fixture = Fixture::new();
        let encrypted = || KeyedRef {
            key: crate::crypto::key::ContentKey::from_secret(&Randomness::seeded(2).secret().unwrap()),
            object: ObjectRef { reference: [1; 16], length: 1 },
            digest: crate::crypto::object_digest::ObjectDigest::of(&[]),
        };
        // One child claims nearly all rows there can be, so that the next row is too many.
        for (claimed, whole) in [(u64::MAX, u64::MAX), (u64::MAX - 1, u64::MAX)] {
            let children = [claimed, u64::MAX - claimed + u64::from(claimed == u64::MAX)];
            let children = (2u8..).zip(children);
            let page = Page::Inner(
                children.map(|(nibble, rows)| Child { nibble, rows, object: encrypted() }).collect(),
            );
            let mut random = Randomness::from_system();
            let root = fixture.store.heads().unwrap().roots.remove(0);
            let mut writer = fixture.store.writer(Duration::ZERO).unwrap();
            let mut out = ObjectWriter { writer: &mut *writer, random: &mut random };
            let context = Prefix::EMPTY.context(fixture.scope, Compartment::General);
            let object = out.encrypt(&context, &page.content().unwrap()).unwrap();
            publish(&mut *writer, &root);
            let mut out = ObjectWriter { writer: &mut *writer, random: &mut random };
            fixture.root = Some(object);
            let id = EntryId::from_bytes([0x55; 16]);
            let changes = Changes::from([(RowKey::entry(id), Some(row(id)))]);
            fixture.rows = whole;
            let error = fixture.trie().update(changes, &mut out).err();
            assert!(matches!(error, Some(TreeError::Damaged { what: "page count" })), "{claimed}");
        }
    }

    #[test]
    fn a_page_longer_than_any_page_is_damaged_before_it_is_read() {
        let mut fixture = Fixture::new();
        fixture.root = Some(KeyedRef {
            key: crate::crypto::key::ContentKey::from_secret(&Randomness::seeded(2).secret().unwrap()),
            object: ObjectRef { reference: [1; 16], length: Page::STORED_LIMIT + 1 },
            digest: crate::crypto::object_digest::ObjectDigest::of(&[]),
        });
        assert!(matches!(fixture.trie().check_root(), Err(TreeError::Damaged { what: "page" })));
    }

    #[test]
    fn rows_of_full_size_fit_a_page_below_one_chunk() {
        let rows = (0..32u8).map(|n| {
            let mut row = row(EntryId::from_bytes([n; 16]));
            row.object = Some(KeyedRef {
                key: crate::crypto::key::ContentKey::from_secret(&Randomness::seeded(2).secret().unwrap()),
                object: ObjectRef { reference: [n; 16], length: 1 },
                digest: crate::crypto::object_digest::ObjectDigest::of(&[]),
            });
            row
        });
        let page = Page::Leaf(rows.collect());
        let length = crate::codec::wire::Content::len(&page.content().unwrap());
        assert!(crate::codec::padding::padded_len(length) < crate::crypto::boxes::CHUNK_LEN);
    }

    #[test]
    fn a_root_longer_than_any_page_is_refused_before_it_is_read() {
        let mut fixture = Fixture::new();
        let id = EntryId::from_bytes([7; 16]);
        fixture.apply(Changes::from([(RowKey::entry(id), Some(row(id)))]));
        assert!(Trie::check_roots(&[fixture.trie()]).is_ok());
        let with_length = |length: u64| {
            let mut root = fixture.root.as_ref().unwrap().duplicate();
            root.object.length = length;
            fixture.cache.clear();
            let trie = [Trie { root: Some(&root), ..fixture.trie() }];
            [Trie::check_roots(&trie).unwrap_err(), trie[0].row(&RowKey::entry(id)).err().unwrap()]
        };
        // What is not too long is asked for, and is not there.
        let limit = Page::STORED_LIMIT;
        assert!(with_length(limit).iter().all(|fault| matches!(fault, TreeError::Store(_))));
        let faults = with_length(limit + 1);
        assert!(faults.iter().all(|fault| matches!(fault, TreeError::Damaged { what: "page" })));
    }

    #[test]
    fn a_leaf_of_another_count_than_its_parent_says_is_damaged() {
        let mut fixture = Fixture::new();
        let ids = [1, 2, 3].map(|byte| EntryId::from_bytes([byte; 16]));
        fixture.apply(ids.map(|id| (RowKey::entry(id), Some(row(id)))).into_iter().collect());
        let leaves = fixture.trie().leaves();
        let mut leaf = leaves.into_iter().next().unwrap().unwrap();
        let rows_of = |leaf: &crate::tree::LeafRef| {
            let leaf = std::slice::from_ref(leaf);
            fixture.trie().leaf_rows(leaf, &mut crate::tree::Buffer::default()).remove(0)
        };
        assert_eq!(rows_of(&leaf).unwrap().len(), 3);
        leaf.rows = 2;
        let fault = rows_of(&leaf).err();
        assert!(matches!(fault, Some(TreeError::Damaged { what: "page count" })));
    }

    /// Counts how often objects are asked for.
    struct Counted<'a>(&'a MemoryStore, std::sync::atomic::AtomicUsize);

    impl Store for Counted<'_> {
        fn header(&self) -> Result<Vec<u8>, crate::store::StoreError> {
            self.0.header()
        }

        fn heads(&self) -> Result<crate::store::Heads, crate::store::StoreError> {
            self.0.heads()
        }

        fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, crate::store::StoreError> {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.0.objects(objects)
        }

        fn writer(
            &self,
            wait: Duration,
        ) -> Result<Box<dyn crate::store::StoreWriter + '_>, crate::store::StoreError> {
            self.0.writer(wait)
        }

        fn medium(&self) -> crate::store::Medium {
            self.0.medium()
        }
    }

    #[test]
    fn roots_are_asked_for_together_and_once() {
        let mut fixture = Fixture::new();
        let id = EntryId::from_bytes([7; 16]);
        fixture.apply(Changes::from([(RowKey::entry(id), Some(row(id)))]));
        let store = Counted(&fixture.store, Default::default());
        let trie = || Trie { store: &store, ..fixture.trie() };
        let asked = || store.1.load(std::sync::atomic::Ordering::Relaxed);
        Trie::check_roots(&[trie()]).unwrap();
        assert_eq!(asked(), 1);
        Trie::check_roots(&[trie(), trie()]).unwrap();
        assert!(trie().row(&RowKey::entry(id)).unwrap().is_some());
        assert_eq!(asked(), 1, "the page is kept");
    }
}
