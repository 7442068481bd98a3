//! A whole trie anew in another file: every page under a fresh key, every
//! object byte for byte. Only the pages of one path, and the rows of one part of
//! the trie, are in memory at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Trie;
use super::error::TreeError;
use super::object::ObjectWriter;
use super::page::{Child, Page, Prefix, Row, RowKey};
use super::update::{Node, TrieUpdate, build};
use crate::format::context::Context;
use crate::format::object::KeyedRef;

/// Rows of a part of the trie that is rewritten at once, on every core: some
/// megabytes.
const ROWS_AT_ONCE: u64 = 8192;

/// How a rewriting takes objects over.
#[derive(Clone, Copy)]
pub(crate) enum TakeOver<'a> {
    /// Byte for byte, under the same keys.
    Copy,
    /// Under fresh keys, with the contexts that these rows' objects have.
    Renew(&'a dyn Fn(&Row) -> Context),
}

/// Rows that a rewriting adds; they are in the new file already.
pub(crate) type Additions = BTreeMap<RowKey, Row>;

impl Trie<'_> {
    /// Writes the trie with these rows added; `copied` is told the stored
    /// length of every object that was taken over.
    pub(crate) fn rewrite(
        &self,
        additions: Additions,
        take_over: TakeOver<'_>,
        out: &mut ObjectWriter<'_>,
        copied: &mut dyn FnMut(u64),
    ) -> Result<TrieUpdate, TreeError> {
        let live = additions.values().map(Row::stored_bytes).sum();
        let mut rewriting = Rewriting { trie: self, take_over, out, copied, left: self.live, live };
        let root = self.root.map(|root| (root.duplicate(), self.rows));
        let (mut root_page, mut rows) = (None, 0);
        if let Some(node) = rewriting.subtrie(root, Prefix::EMPTY, additions)? {
            rows = node.rows()?;
            root_page = Some(self.write(node, Prefix::EMPTY, &mut rewriting.live, rewriting.out)?);
        }
        let live = rewriting.live;
        Ok(TrieUpdate { root: root_page, rows, live, superseded: Vec::new() })
    }
}

struct Rewriting<'a, 'w> {
    trie: &'a Trie<'a>,
    take_over: TakeOver<'a>,
    out: &'a mut ObjectWriter<'w>,
    copied: &'a mut dyn FnMut(u64),
    /// Live bytes of the trie that were not read yet.
    left: u64,
    live: u64,
}

impl Rewriting<'_, '_> {
    /// Counts an object that is about to be read. Rows that all name the same one
    /// would else make a large file of a small one.
    fn spend(&mut self, object: &KeyedRef) -> Result<(), TreeError> {
        let left = self.left.checked_sub(object.object.length);
        self.left = left.ok_or(TreeError::Damaged { what: "live bytes" })?;
        Ok(())
    }

    fn read_page(&mut self, object: &KeyedRef, rows: u64, prefix: Prefix) -> Result<Arc<Page>, TreeError> {
        self.spend(object)?;
        let page = self.trie.page(object, rows, prefix)?;
        (self.copied)(object.object.length);
        Ok(page)
    }

    /// A part of the trie whose pages below the first are written.
    fn subtrie(
        &mut self,
        current: Option<(KeyedRef, u64)>,
        prefix: Prefix,
        additions: Additions,
    ) -> Result<Option<Node>, TreeError> {
        let Some((object, rows)) = current else {
            return Ok(build(prefix, additions.into_values().collect()));
        };
        if rows <= ROWS_AT_ONCE {
            return self.part(&object, rows, prefix, additions);
        }
        let page = self.read_page(&object, rows, prefix)?;
        self.inner(page.children(), prefix, additions).map(Some)
    }

    /// A part of the trie whose rows are in memory at once.
    fn part(
        &mut self,
        object: &KeyedRef,
        rows: u64,
        prefix: Prefix,
        mut additions: Additions,
    ) -> Result<Option<Node>, TreeError> {
        let mut kept = Vec::with_capacity(usize::try_from(rows).unwrap_or_default());
        self.gather(object, rows, prefix, &additions, &mut kept)?;
        let objects: Vec<_> = kept.iter().filter_map(|row| row.object.as_ref()).collect();
        objects.iter().try_for_each(|object| self.spend(object))?;
        let mut copied = match self.take_over {
            TakeOver::Copy => self.out.copy_all(self.trie.store, &objects, self.copied)?,
            TakeOver::Renew(context) => {
                let with_object = kept.iter().filter_map(|row| Some((row.object.as_ref()?, context(row))));
                let objects: Vec<_> = with_object.collect();
                self.out.renew_all(self.trie.store, &objects, self.copied)?
            }
        }
        .into_iter();
        for mut row in kept {
            if let Some(object) = &mut row.object {
                *object = copied.next().ok_or(TreeError::Damaged { what: "object" })?;
                self.live = self.live.saturating_add(object.object.length);
            }
            additions.insert(row.key, row);
        }
        let mut node = build(prefix, additions.into_values().collect());
        if let Some(node) = &mut node {
            self.trie.write_many_leaves(node, prefix, &mut self.live, self.out)?;
        }
        Ok(node)
    }

    /// The rows below a page, but for those that an addition replaces.
    fn gather(
        &mut self,
        object: &KeyedRef,
        rows: u64,
        prefix: Prefix,
        additions: &Additions,
        kept: &mut Vec<Row>,
    ) -> Result<(), TreeError> {
        let page = self.read_page(object, rows, prefix)?;
        let rows = page.leaf_rows().iter().filter(|row| !additions.contains_key(&row.key));
        kept.extend(rows.map(Row::duplicate));
        page.children().iter().try_for_each(|child| {
            self.gather(&child.object, child.rows, prefix.child(child.nibble), additions, kept)
        })
    }

    fn inner(&mut self, children: &[Child], prefix: Prefix, additions: Additions) -> Result<Node, TreeError> {
        let mut split: [Additions; 16] = std::array::from_fn(|_| Additions::new());
        for (key, row) in additions {
            if let Some(part) = split.get_mut(usize::from(key.nibble(prefix.depth()))) {
                part.insert(key, row);
            }
        }
        let mut nodes = Vec::with_capacity(16);
        for (nibble, part) in (0u8..).zip(split) {
            let below = prefix.child(nibble);
            let child = children.iter().find(|child| child.nibble == nibble);
            let current = child.map(|child| (child.object.duplicate(), child.rows));
            if let Some(node) = self.subtrie(current, below, part)? {
                let rows = node.rows()?;
                let object = self.trie.write(node, below, &mut self.live, self.out)?;
                nodes.push((nibble, Node::Stored { object, rows }));
            }
        }
        Ok(Node::Inner(nodes))
    }
}
