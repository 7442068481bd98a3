//! A whole trie anew in another file: every page under a fresh key, every
//! object byte for byte. Only the pages of one path are in memory at a time.

use std::collections::BTreeMap;

use super::object::ObjectWriter;
use super::page::{Child, Page, Prefix, Row, RowKey};
use super::update::{Node, TrieUpdate, build};
use super::{TreeError, Trie};
use crate::format::object::SealedObject;

/// Rows that a rewriting adds; they are in the new file already.
pub(crate) type Additions = BTreeMap<RowKey, Row>;

impl Trie<'_> {
    /// Writes the trie with these rows added; `copied` is told the stored
    /// length of every object that was taken over.
    pub(crate) fn rewrite(
        &self,
        additions: Additions,
        out: &mut ObjectWriter<'_>,
        copied: &mut dyn FnMut(u64),
    ) -> Result<TrieUpdate, TreeError> {
        let live = additions.values().map(Row::stored_bytes).sum();
        let mut rewriting = Rewriting { trie: self, out, copied, live };
        let root = self.root.map(|root| (root.duplicate(), self.rows));
        let (mut root_page, mut rows) = (None, 0);
        if let Some(node) = rewriting.subtrie(root, Prefix::EMPTY, additions)? {
            rows = node.rows()?;
            root_page = Some(self.write(node, Prefix::EMPTY, &mut rewriting.live, rewriting.out)?);
        }
        Ok(TrieUpdate { root: root_page, rows, live: rewriting.live, superseded: Vec::new() })
    }
}

struct Rewriting<'a, 'w> {
    trie: &'a Trie<'a>,
    out: &'a mut ObjectWriter<'w>,
    copied: &'a mut dyn FnMut(u64),
    live: u64,
}

impl Rewriting<'_, '_> {
    /// A part of the trie whose pages below the first are written.
    fn subtrie(
        &mut self,
        current: Option<(SealedObject, u64)>,
        prefix: Prefix,
        additions: Additions,
    ) -> Result<Option<Node>, TreeError> {
        let Some((object, rows)) = current else {
            return Ok(build(prefix, additions.into_values().collect()));
        };
        let page = self.trie.page(&object, rows, prefix)?;
        (self.copied)(object.object.length);
        match &*page {
            Page::Leaf(rows) => self.leaf(rows, prefix, additions),
            Page::Inner(children) => self.inner(children, prefix, additions).map(Some),
        }
    }

    fn leaf(
        &mut self,
        rows: &[Row],
        prefix: Prefix,
        mut additions: Additions,
    ) -> Result<Option<Node>, TreeError> {
        for row in rows.iter().filter(|row| !additions.contains_key(&row.key)).collect::<Vec<_>>() {
            additions.insert(row.key, self.copy(row)?);
        }
        Ok(build(prefix, additions.into_values().collect()))
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

    fn copy(&mut self, row: &Row) -> Result<Row, TreeError> {
        let mut row = row.duplicate();
        if let Some(object) = &row.object {
            let length = object.object.length;
            row.object = Some(self.out.copy(self.trie.store, object)?);
            self.live = self.live.saturating_add(length);
            (self.copied)(length);
        }
        Ok(row)
    }
}
