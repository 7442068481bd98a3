//! The key-and-catalogue trie of a compartment, over a store.
//!
//! Every page image has its own fresh key, held only by its parent's image; a
//! prefix is a leaf if and only if it holds at most 32 rows, so the shape tells
//! nothing but which keys are there.

mod error;
mod object;
mod page;
mod rewrite;
mod run;
mod stored;
mod update;

pub(crate) use error::TreeError;
pub(crate) use object::ObjectWriter;
pub(crate) use page::{Page, PageCache, Row, RowClass, RowKey};
pub(crate) use rewrite::TakeOver;
pub(crate) use run::{Buffer, EncryptedRun, Run, open_run};
pub(crate) use stored::{open_object, open_stored, read_checked};
pub(crate) use update::{Changes, TrieUpdate};

use std::borrow::Borrow;

#[cfg(test)]
use crate::format::context::Context;
use crate::format::context::Scope;
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::payload::catalogue::LEAF_ROWS;
use crate::secret::SharedBytes;
use crate::store::Store;
use page::Prefix;

/// A page that cannot be read.
#[derive(Debug)]
pub(crate) struct LostPage {
    /// The rows below it, as its parent says.
    pub(crate) rows: u64,
}

/// Sees every page with its name, or what is lost in its place.
type PageVisitor<'v> = dyn FnMut(Result<(&KeyedRef, &Page), LostPage>) + 'v;

/// A leaf as its parent names it.
pub(crate) struct LeafRef {
    object: KeyedRef,
    rows: u64,
    prefix: Prefix,
}

impl LeafRef {
    /// The page.
    pub(crate) fn object(&self) -> &KeyedRef {
        &self.object
    }

    /// Stored bytes of the page.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.object.object.length
    }

    /// The leaf, lost.
    pub(crate) fn lost(&self) -> LostPage {
        LostPage { rows: self.rows }
    }
}

/// Reads the trie of one compartment as one root names it.
pub(crate) struct Trie<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) cache: &'a PageCache,
    pub(crate) scope: Scope,
    pub(crate) compartment: Compartment,
    pub(crate) root: Option<&'a KeyedRef>,
    /// Rows in the trie, as its place says.
    pub(crate) rows: u64,
    /// Stored bytes of its pages and of the objects that its rows name, as its
    /// place says.
    pub(crate) live: u64,
}

impl Trie<'_> {
    /// The row with this key.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Row>, TreeError> {
        let Some(root) = self.root else { return Ok(None) };
        let mut prefix = Prefix::EMPTY;
        let mut page = self.page(root, self.rows, prefix)?;
        loop {
            let (child, rows) = match &*page {
                Page::Leaf(rows) => return Ok(rows.iter().find(|row| row.key == *key).map(Row::duplicate)),
                Page::Inner(children) => {
                    let nibble = key.nibble(prefix.depth());
                    let Some(child) = children.iter().find(|child| child.nibble == nibble) else {
                        return Ok(None);
                    };
                    prefix = prefix.child(nibble);
                    (child.object.duplicate(), child.rows)
                }
            };
            page = self.page(&child, rows, prefix)?;
        }
    }

    /// Reads and checks the root pages of these tries, which one store has, asking
    /// it once.
    pub(crate) fn check_roots(tries: &[Self]) -> Result<(), TreeError> {
        let unknown = |trie: &&Self| {
            trie.root
                .is_some_and(|root| trie.cache.page(&root.digest, trie.compartment, Prefix::EMPTY).is_none())
        };
        let unknown: Vec<&Self> = tries.iter().filter(unknown).collect();
        let roots: Vec<&KeyedRef> = unknown.iter().filter_map(|trie| trie.root).collect();
        if roots.iter().any(|root| root.object.length > Page::STORED_LIMIT) {
            return Err(TreeError::Damaged { what: "page" });
        }
        if let Some(first) = unknown.first() {
            let objects: Vec<_> = roots.iter().map(|root| root.object).collect();
            let stored = first.store.objects(&objects)?;
            for ((trie, root), stored) in unknown.iter().zip(roots).zip(stored) {
                trie.keep_page(root, Prefix::EMPTY, stored)?;
            }
        }
        tries.iter().try_for_each(Self::check_root)
    }

    fn check_root(&self) -> Result<(), TreeError> {
        self.root.map_or(Ok(()), |root| self.page(root, self.rows, Prefix::EMPTY).map(|_| ()))
    }

    /// Decodes the stored bytes of a page and keeps it.
    fn keep_page(&self, object: &KeyedRef, prefix: Prefix, stored: Vec<u8>) -> Result<(), TreeError> {
        let content = open_stored(object, &prefix.context(self.scope, self.compartment), stored)?;
        let page =
            std::sync::Arc::new(Page::decode(&content.into(), prefix, self.scope.vault, self.compartment)?);
        self.cache.insert(object.digest, self.compartment, prefix, &page);
        Ok(())
    }

    /// Visits every row in the order of the keys.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(&Row) -> Result<(), TreeError>) -> Result<(), TreeError> {
        match self.root {
            Some(root) => self.scan_page(root, self.rows, Prefix::EMPTY, visit),
            None => Ok(()),
        }
    }

    fn scan_page(
        &self,
        object: &KeyedRef,
        rows: u64,
        prefix: Prefix,
        visit: &mut dyn FnMut(&Row) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        match &*self.page(object, rows, prefix)? {
            Page::Leaf(rows) => rows.iter().try_for_each(visit),
            Page::Inner(children) => children.iter().try_for_each(|child| {
                self.scan_page(&child.object, child.rows, prefix.child(child.nibble), visit)
            }),
        }
    }

    /// The leaves, by what their parents hold, in the order of the keys. Inner pages
    /// that cannot be read are faults in their place.
    pub(crate) fn leaves(&self) -> Vec<Result<LeafRef, TreeError>> {
        let mut leaves = Vec::new();
        if let Some(root) = self.root {
            self.leaves_below(root, self.rows, Prefix::EMPTY, &mut leaves);
        }
        leaves
    }

    fn leaves_below(
        &self,
        object: &KeyedRef,
        rows: u64,
        prefix: Prefix,
        leaves: &mut Vec<Result<LeafRef, TreeError>>,
    ) {
        if rows <= LEAF_ROWS as u64 {
            return leaves.push(Ok(LeafRef { object: object.duplicate(), rows, prefix }));
        }
        match self.page(object, rows, prefix) {
            Ok(page) => {
                for child in page.children() {
                    self.leaves_below(&child.object, child.rows, prefix.child(child.nibble), leaves);
                }
            }
            Err(error) => leaves.push(Err(error)),
        }
    }

    /// The rows of leaves, each leaf with its fault; read together. The pages are not
    /// kept: who reads all leaves would drop every other page from the memory for them.
    pub(crate) fn leaf_rows<Leaf: Borrow<LeafRef>>(
        &self,
        leaves: &[Leaf],
        buffer: &mut Buffer,
    ) -> Vec<Result<Vec<Row>, TreeError>> {
        let too_long = |leaf: &Leaf| leaf.borrow().stored_bytes() > Page::STORED_LIMIT;
        if leaves.len() > 1 && leaves.iter().any(too_long) {
            return leaves
                .iter()
                .flat_map(|leaf| self.leaf_rows(std::slice::from_ref(leaf), buffer))
                .collect();
        }
        if leaves.iter().any(too_long) {
            return vec![Err(TreeError::Damaged { what: "page" })];
        }
        let context = |leaf: &LeafRef| leaf.prefix.context(self.scope, self.compartment);
        let leaves: Vec<&LeafRef> = leaves.iter().map(Borrow::borrow).collect();
        let objects: Vec<_> = leaves.iter().map(|leaf| (&leaf.object, context(leaf))).collect();
        let (mut rows, mut leaves) = (Vec::with_capacity(leaves.len()), leaves.into_iter());
        open_run(self.store, &objects, buffer, |content| {
            let Some(leaf) = leaves.next() else { return };
            rows.push(content.and_then(|content| self.decode_leaf(leaf, content)));
        });
        rows
    }

    fn decode_leaf(&self, leaf: &LeafRef, content: &[u8]) -> Result<Vec<Row>, TreeError> {
        match Page::decode(&SharedBytes::copy_of(content), leaf.prefix, self.scope.vault, self.compartment)? {
            Page::Leaf(rows) if rows.len() as u64 == leaf.rows => Ok(rows),
            _ => Err(TreeError::Damaged { what: "page count" }),
        }
    }

    /// Reads back leaves and every object that their rows name; gives their stored
    /// bytes.
    pub(crate) fn check_leaves(
        &self,
        leaves: &[LeafRef],
        (buffer, stored): &mut (Buffer, Vec<u8>),
    ) -> Result<u64, TreeError> {
        let rows = self.leaf_rows(leaves, buffer).into_iter().collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let objects: Vec<_> = rows.iter().filter_map(|row| row.object.as_ref()).collect();
        object::check_stored(self.store, &objects, stored)?;
        let pages = leaves.iter().map(|leaf| leaf.object.object.length);
        Ok(pages.chain(rows.iter().map(Row::stored_bytes)).fold(0, u64::saturating_add))
    }

    /// Visits every page that can be read, and what is lost in place of the others.
    pub(crate) fn survey(&self, visit: &mut PageVisitor<'_>) {
        if let Some(root) = self.root {
            self.survey_page(root, self.rows, Prefix::EMPTY, visit);
        }
    }

    /// Visits every inner page that can be read; gives the leaves, and what is lost above
    /// them, in the order of the keys.
    pub(crate) fn survey_leaves(&self, visit: &mut dyn FnMut(&KeyedRef)) -> Vec<Result<LeafRef, LostPage>> {
        let mut leaves = Vec::new();
        if let Some(root) = self.root {
            self.survey_inner(root, self.rows, Prefix::EMPTY, visit, &mut leaves);
        }
        leaves
    }

    fn survey_inner(
        &self,
        object: &KeyedRef,
        rows: u64,
        prefix: Prefix,
        visit: &mut dyn FnMut(&KeyedRef),
        leaves: &mut Vec<Result<LeafRef, LostPage>>,
    ) {
        if rows <= LEAF_ROWS as u64 {
            return leaves.push(Ok(LeafRef { object: object.duplicate(), rows, prefix }));
        }
        match self.page(object, rows, prefix) {
            Ok(page) => {
                visit(object);
                for child in page.children() {
                    self.survey_inner(&child.object, child.rows, prefix.child(child.nibble), visit, leaves);
                }
            }
            Err(_) => leaves.push(Err(LostPage { rows })),
        }
    }

    fn survey_page(&self, object: &KeyedRef, rows: u64, prefix: Prefix, visit: &mut PageVisitor<'_>) {
        match self.page(object, rows, prefix) {
            Ok(page) => {
                visit(Ok((object, &page)));
                if let Page::Inner(children) = &*page {
                    for child in children {
                        self.survey_page(&child.object, child.rows, prefix.child(child.nibble), visit);
                    }
                }
            }
            Err(_) => visit(Err(LostPage { rows })),
        }
    }

    /// Visits every object, of pages and of rows, whose stored bytes are not
    /// those that its parent names.
    pub(crate) fn survey_damage(&self, visit: &mut dyn FnMut(&KeyedRef)) {
        let mut pages = Vec::new();
        // What is claimed by many rows is not read for each of them.
        let mut left = self.live;
        let mut is_due = |object: &KeyedRef| {
            let rest = left.checked_sub(object.object.length);
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        pages.extend(self.root.map(|root| (root.duplicate(), self.rows, Prefix::EMPTY)));
        while let Some((object, rows, prefix)) = pages.pop() {
            if !is_due(&object) {
                continue;
            }
            if read_checked(self.store, &object).is_err() {
                visit(&object);
                continue;
            }
            let Ok(page) = self.page(&object, rows, prefix) else { continue };
            if let Page::Inner(children) = &*page {
                pages.extend(
                    children
                        .iter()
                        .map(|child| (child.object.duplicate(), child.rows, prefix.child(child.nibble))),
                );
            }
            let objects = page.leaf_rows().iter().filter_map(|row| row.object.as_ref());
            let objects = objects.filter(|object| is_due(object));
            objects.filter(|object| read_checked(self.store, object).is_err()).for_each(&mut *visit);
        }
    }

    /// Visits every page with its name and its context.
    #[cfg(test)]
    pub(crate) fn survey_contexts(&self, visit: &mut dyn FnMut(&KeyedRef, Context, &Page)) {
        let mut pages: Vec<_> =
            self.root.map(|root| (root.duplicate(), self.rows, Prefix::EMPTY)).into_iter().collect();
        while let Some((object, rows, prefix)) = pages.pop() {
            let page = self.page(&object, rows, prefix).unwrap();
            visit(&object, prefix.context(self.scope, self.compartment), &page);
            if let Page::Inner(children) = &*page {
                let below =
                    |child: &page::Child| (child.object.duplicate(), child.rows, prefix.child(child.nibble));
                pages.extend(children.iter().map(below));
            }
        }
    }

    /// The page of a prefix, which must hold as many rows as its parent says.
    fn page(&self, object: &KeyedRef, rows: u64, prefix: Prefix) -> Result<std::sync::Arc<Page>, TreeError> {
        let page = match self.cache.page(&object.digest, self.compartment, prefix) {
            Some(page) => page,
            None => self.read_page(object, prefix)?,
        };
        if page.rows() == Some(rows) { Ok(page) } else { Err(TreeError::Damaged { what: "page count" }) }
    }

    fn read_page(&self, object: &KeyedRef, prefix: Prefix) -> Result<std::sync::Arc<Page>, TreeError> {
        let page = std::sync::Arc::new(self.decode_page(object, prefix)?);
        self.cache.insert(object.digest, self.compartment, prefix, &page);
        Ok(page)
    }

    fn decode_page(&self, object: &KeyedRef, prefix: Prefix) -> Result<Page, TreeError> {
        if object.object.length > Page::STORED_LIMIT {
            return Err(TreeError::Damaged { what: "page" });
        }
        let content = open_object(self.store, object, &prefix.context(self.scope, self.compartment))?;
        Page::decode(&content.into(), prefix, self.scope.vault, self.compartment)
    }
}
