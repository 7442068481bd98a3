//! Pages, rows and keys of a trie, and the pages kept decrypted in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::TreeError;
use crate::codec::padding::padded_len;
use crate::codec::wire::{Measured, Wire as _};
use crate::crypto::boxes::chunked_len;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::context::{Context, Purpose, Scope};
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId, Epoch, VaultId};
use crate::payload::catalogue::{ChildV1, InlineV1, ObjectV1, PageV1, RowV1, decode_page};
use crate::secret::SharedBytes;

const PAGE_SCHEMA: u16 = 1;
/// Decrypted pages kept per vault handle: about 8 MiB.
const CACHED_PAGES: usize = 512;

/// What a row is found by: 128 bits that look random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowKey([u8; 16]);

impl RowKey {
    /// The current revision of an entry: its id.
    pub(crate) fn entry(id: EntryId) -> Self {
        Self(*id.as_bytes())
    }

    /// An earlier revision: SHA-256("subrosa/v1 revision" ‖ id ‖ revision)[..16].
    pub(crate) fn revision(id: EntryId, revision: u64) -> Self {
        Self::digested(&[b"subrosa/v1 revision", id.as_bytes(), &revision.to_le_bytes()])
    }

    /// A commit's link in the history: SHA-256(vault id ‖ epoch)[..16].
    pub(crate) fn link(vault: VaultId, epoch: Epoch) -> Self {
        Self::digested(&[vault.as_bytes(), &epoch.number().to_le_bytes()])
    }

    /// A commit's ledger row: SHA-256("subrosa/v1 ledger" ‖ vault id ‖ epoch)[..16].
    pub(crate) fn ledger(vault: VaultId, epoch: Epoch) -> Self {
        Self::digested(&[b"subrosa/v1 ledger", vault.as_bytes(), &epoch.number().to_le_bytes()])
    }

    /// A slice of a content: SHA-256("subrosa/v1 slice" ‖ content id ‖ index)[..16].
    pub(crate) fn slice(content: ContentId, index: u64) -> Self {
        Self::digested(&[b"subrosa/v1 slice", content.as_bytes(), &index.to_le_bytes()])
    }

    /// The head of a content: SHA-256("subrosa/v1 content" ‖ BLAKE3 of the content)[..16].
    pub(crate) fn content(digest: &ContentDigest) -> Self {
        Self::digested(&[b"subrosa/v1 content", digest.as_bytes()])
    }

    /// An upload: SHA-256("subrosa/v1 upload" ‖ content id)[..16].
    pub(crate) fn upload(content: ContentId) -> Self {
        Self::digested(&[b"subrosa/v1 upload", content.as_bytes()])
    }

    /// What happened to an entry: SHA-256("subrosa/v1 story" ‖ entry id)[..16].
    pub(crate) fn story(id: EntryId) -> Self {
        Self::digested(&[b"subrosa/v1 story", id.as_bytes()])
    }

    /// A release's accounting: SHA-256("subrosa/v1 accounting" ‖ vault id ‖ epoch)[..16].
    pub(crate) fn accounting(vault: VaultId, epoch: Epoch) -> Self {
        Self::digested(&[b"subrosa/v1 accounting", vault.as_bytes(), &epoch.number().to_le_bytes()])
    }

    /// What an import brought: SHA-256("subrosa/v1 import" ‖ vault id ‖ epoch)[..16].
    pub(crate) fn import(vault: VaultId, epoch: Epoch) -> Self {
        Self::digested(&[b"subrosa/v1 import", vault.as_bytes(), &epoch.number().to_le_bytes()])
    }

    /// What keeps an expunged entry away: SHA-256("subrosa/v1 tombstone" ‖ entry id)[..16].
    pub(crate) fn tombstone(id: EntryId) -> Self {
        Self::digested(&[b"subrosa/v1 tombstone", id.as_bytes()])
    }

    /// A source document: SHA-256("subrosa/v1 document" ‖ scope)[..16].
    pub(crate) fn document(scope: [u8; 16]) -> Self {
        Self::digested(&[b"subrosa/v1 document", &scope])
    }

    /// The only row of its name: SHA-256("subrosa/v1 row" ‖ name)[..16].
    pub(crate) fn named(name: &str) -> Self {
        Self::digested(&[b"subrosa/v1 row", name.as_bytes()])
    }

    fn digested(parts: &[&[u8]]) -> Self {
        let digest = Digest::of(parts);
        let mut key = [0; 16];
        key.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 4 bits at this depth, high half of each byte first.
    pub(super) fn nibble(&self, depth: u8) -> u8 {
        let byte = self.0.get(usize::from(depth / 2)).copied().unwrap_or_default();
        if depth.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RowClass {
    /// The current revision of an entry, with its card inline.
    Entry = 1,
    /// An earlier revision of an entry.
    Superseded = 2,
    /// A commit's link in the history, inline.
    Link = 3,
    /// What a commit did in this compartment.
    Ledger = 4,
    /// The vault's own record.
    VaultRecord = 5,
    /// The directory of credentials.
    Directory = 6,
    /// A source document as a list of byte ranges; id is its scope.
    Document = 7,
    /// A part of a content: id and revision are the content's id and the index.
    Slice = 8,
    /// What a content consists of and which entries use it; id is the content's.
    Content = 9,
    /// A content that is not whole yet; id is the content's.
    Upload = 10,
    /// What happened to an entry; id is the entry's.
    Story = 11,
    /// To whom a release went; its epoch is the release's.
    Accounting = 12,
    /// What makes ids of the names that sources give their records.
    IdentityKey = 13,
    /// What an import brought that is there still; its epoch is the import's.
    Import = 14,
    /// Which source documents there are.
    Documents = 15,
    /// What makes an expunged entry known again; id is the entry's.
    Tombstone = 16,
}

impl RowClass {
    fn from_number(number: u8) -> Option<Self> {
        use RowClass::{
            Accounting, Content, Directory, Document, Documents, Entry, IdentityKey, Import, Ledger, Link,
            Slice, Story, Superseded, Tombstone, Upload, VaultRecord,
        };
        let entries = [Entry, Superseded, Document, Slice, Content, Upload, Story, Tombstone];
        let others = [Link, Ledger, VaultRecord, Directory, Accounting, IdentityKey, Import, Documents];
        entries.into_iter().chain(others).find(|class| *class as u8 == number)
    }

    /// Whether rows of this class stand in this compartment.
    fn belongs_in(self, compartment: Compartment) -> bool {
        match self {
            Self::Entry
            | Self::Superseded
            | Self::Slice
            | Self::Content
            | Self::Upload
            | Self::Story
            | Self::IdentityKey
            | Self::Import
            | Self::Document
            | Self::Documents => Compartment::HOLDING_ENTRIES.contains(&compartment),
            Self::Accounting => {
                compartment == Compartment::Custody || Compartment::HOLDING_ENTRIES.contains(&compartment)
            }
            Self::Link | Self::VaultRecord => compartment == Compartment::Record,
            Self::Directory => compartment == Compartment::Custody,
            Self::Tombstone => compartment == Compartment::Sealed,
            Self::Ledger => true,
        }
    }
}

/// A row of a leaf.
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) class: RowClass,
    pub(crate) id: EntryId,
    pub(crate) revision: u64,
    /// The commit that wrote this revision.
    pub(crate) epoch: Epoch,
    pub(crate) object: Option<KeyedRef>,
    pub(crate) inline: SharedBytes,
}

impl Row {
    /// A copy, key included.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            key: self.key,
            class: self.class,
            id: self.id,
            revision: self.revision,
            epoch: self.epoch,
            object: self.object.as_ref().map(KeyedRef::duplicate),
            inline: self.inline.share(),
        }
    }

    /// Stored bytes of what the row names.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.object.as_ref().map_or(0, |object| object.object.length)
    }

    fn to_wire(&self) -> RowV1<'_> {
        RowV1 {
            key: self.key.0,
            class: self.class as u8,
            id: *self.id.as_bytes(),
            revision: self.revision,
            epoch: self.epoch.number(),
            object: self.object.as_ref().map(ObjectV1::Lent),
            inline: InlineV1::Lent(&self.inline),
        }
    }

    fn from_wire(wire: RowV1<'_>, vault: VaultId, compartment: Compartment) -> Result<Self, TreeError> {
        let row = Self {
            key: RowKey(wire.key),
            class: RowClass::from_number(wire.class).ok_or(TreeError::Damaged { what: "row class" })?,
            id: EntryId::from_bytes(wire.id),
            revision: wire.revision,
            epoch: Epoch::new(wire.epoch),
            object: wire.object.map(ObjectV1::into_owned),
            inline: wire.inline.into_shared(),
        };
        let sound = row.class.belongs_in(compartment) && row.has_its_parts() && row.follows_its_class(vault);
        if sound { Ok(row) } else { Err(TreeError::Damaged { what: "row" }) }
    }

    /// Whether an object and inline bytes are there exactly where the class has them.
    fn has_its_parts(&self) -> bool {
        let has_object = self.class != RowClass::Link;
        let has_inline = matches!(self.class, RowClass::Entry | RowClass::Link);
        self.object.is_some() == has_object && self.inline.is_empty() != has_inline
    }

    /// Whether key, id and revision are those that the class prescribes, so
    /// that one key cannot answer for another row.
    fn follows_its_class(&self, vault: VaultId) -> bool {
        let key = match self.class {
            RowClass::Entry => RowKey::entry(self.id),
            RowClass::Superseded => RowKey::revision(self.id, self.revision),
            RowClass::Link => RowKey::link(vault, self.epoch),
            RowClass::Ledger => RowKey::ledger(vault, self.epoch),
            RowClass::VaultRecord => RowKey::named("vault record"),
            RowClass::Directory => RowKey::named("directory"),
            RowClass::IdentityKey => RowKey::named("identity key"),
            RowClass::Slice => RowKey::slice(self.content_id(), self.revision),
            RowClass::Upload => RowKey::upload(self.content_id()),
            RowClass::Story => RowKey::story(self.id),
            RowClass::Accounting => RowKey::accounting(vault, self.epoch),
            RowClass::Import => RowKey::import(vault, self.epoch),
            RowClass::Tombstone => RowKey::tombstone(self.id),
            RowClass::Document => RowKey::document(*self.id.as_bytes()),
            RowClass::Documents => RowKey::named("documents"),
            // Of a content its digest, which whoever opens it compares.
            RowClass::Content => self.key,
        };
        let named = match self.class {
            RowClass::Entry | RowClass::Superseded => self.revision > 0,
            RowClass::Slice => true,
            RowClass::Content
            | RowClass::Upload
            | RowClass::Story
            | RowClass::Tombstone
            | RowClass::Document => self.revision == 0,
            _ => self.revision == 0 && self.id == EntryId::from_bytes([0; 16]),
        };
        key == self.key && named
    }

    /// The content that a slice, a head or an upload belongs to.
    pub(crate) fn content_id(&self) -> ContentId {
        ContentId::from_bytes(*self.id.as_bytes())
    }
}

/// A child of an inner page.
pub(crate) struct Child {
    pub(crate) nibble: u8,
    pub(crate) rows: u64,
    pub(crate) object: KeyedRef,
}

impl Child {
    fn to_wire(&self) -> ChildV1<'_> {
        ChildV1 { nibble: self.nibble, rows: self.rows, object: ObjectV1::Lent(&self.object) }
    }
}

/// A decrypted page.
pub(crate) enum Page {
    Leaf(Vec<Row>),
    Inner(Vec<Child>),
}

impl Page {
    /// Longest image of a page.
    pub(super) const STORED_LIMIT: u64 = chunked_len(padded_len(PageV1::<'_>::LIMIT)) as u64;

    /// Rows in this page and below; `None` of a page that claims more than there can be.
    pub(crate) fn rows(&self) -> Option<u64> {
        match self {
            Self::Leaf(rows) => Some(rows.len() as u64),
            Self::Inner(children) => {
                children.iter().try_fold(0u64, |rows, child| rows.checked_add(child.rows))
            }
        }
    }

    /// The rows of a leaf; none of an inner page.
    pub(crate) fn leaf_rows(&self) -> &[Row] {
        match self {
            Self::Leaf(rows) => rows,
            Self::Inner(_) => &[],
        }
    }

    /// The children of an inner page; none of a leaf.
    pub(super) fn children(&self) -> &[Child] {
        match self {
            Self::Leaf(_) => &[],
            Self::Inner(children) => children,
        }
    }

    /// The page as it is encoded.
    pub(super) fn content(&self) -> Result<Measured<PageV1<'_>>, TreeError> {
        let wire = match self {
            Self::Leaf(rows) => return Self::leaf_content(rows),
            Self::Inner(children) => PageV1::Inner(children.iter().map(Child::to_wire).collect()),
        };
        Ok(Measured::new(wire)?)
    }

    pub(super) fn leaf_content(rows: &[Row]) -> Result<Measured<PageV1<'_>>, TreeError> {
        Ok(Measured::new(PageV1::Leaf(rows.iter().map(Row::to_wire).collect()))?)
    }

    /// Decodes a page, whose rows must all belong under `prefix`.
    pub(super) fn decode(
        content: &SharedBytes,
        prefix: Prefix,
        vault: VaultId,
        compartment: Compartment,
    ) -> Result<Self, TreeError> {
        match decode_page(content)? {
            PageV1::Leaf(rows) => {
                let row = |row: RowV1<'_>| Row::from_wire(row, vault, compartment);
                let rows = rows.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
                let belong = rows.iter().all(|row| prefix.holds(&row.key));
                if belong { Ok(Self::Leaf(rows)) } else { Err(TreeError::Damaged { what: "page" }) }
            }
            PageV1::Inner(children) => {
                if prefix.depth() >= Prefix::DEEPEST {
                    return Err(TreeError::Damaged { what: "page" });
                }
                let child = |wire: ChildV1<'_>| Child {
                    nibble: wire.nibble,
                    rows: wire.rows,
                    object: wire.object.into_owned(),
                };
                Ok(Self::Inner(children.into_iter().map(child).collect()))
            }
        }
    }
}

/// The nibbles that all rows of a page share.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Prefix {
    bits: u128,
    depth: u8,
}

impl Prefix {
    pub(super) const EMPTY: Self = Self { bits: 0, depth: 0 };
    const DEEPEST: u8 = 32;

    pub(super) fn depth(self) -> u8 {
        self.depth
    }

    pub(super) fn child(self, nibble: u8) -> Self {
        let shift = 124u32.saturating_sub(u32::from(self.depth) * 4);
        Self { bits: self.bits | u128::from(nibble) << shift, depth: self.depth + 1 }
    }

    fn holds(self, key: &RowKey) -> bool {
        let bits = u128::from_be_bytes(key.0);
        self.depth == 0 || (bits ^ self.bits) >> (128 - u32::from(self.depth) * 4) == 0
    }

    /// The context of this page: its prefix, and its depth as the revision.
    pub(super) fn context(self, scope: Scope, compartment: Compartment) -> Context {
        scope
            .context(Purpose::Page)
            .compartment(compartment)
            .object(self.bits.to_be_bytes(), u64::from(self.depth))
            .schema(PAGE_SCHEMA)
    }
}

/// Decrypted pages by the digest of their image and by what they were decrypted
/// as, so that no page stands in for another; wiped when dropped.
#[derive(Default)]
pub(crate) struct PageCache {
    pages: Mutex<HashMap<(ObjectDigest, Compartment, Prefix), Arc<Page>>>,
}

impl PageCache {
    pub(super) fn page(
        &self,
        digest: &ObjectDigest,
        compartment: Compartment,
        prefix: Prefix,
    ) -> Option<Arc<Page>> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&(*digest, compartment, prefix)).cloned()
    }

    pub(super) fn insert(
        &self,
        digest: ObjectDigest,
        compartment: Compartment,
        prefix: Prefix,
        page: &Arc<Page>,
    ) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= CACHED_PAGES {
            // Leaves are many and cheap to read again; inner pages are on every path.
            pages.retain(|_, page| matches!(**page, Page::Inner(_)));
            if pages.len() >= CACHED_PAGES / 2 {
                pages.clear();
            }
        }
        pages.insert((digest, compartment, prefix), Arc::clone(page));
    }

    /// Drops every page.
    pub(crate) fn clear(&self) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::ContentKey;
    use crate::format::object::ObjectRef;
    use crate::secret::SecretBytes;

    const VAULT: VaultId = VaultId::from_bytes([5; 16]);
    const ID: EntryId = EntryId::from_bytes([9; 16]);

    fn object(length: u64) -> KeyedRef {
        KeyedRef {
            key: ContentKey::from_secret(&SecretBytes::filled(|out| *out = [1; 32])),
            object: ObjectRef { reference: [2; 16], length },
            digest: ObjectDigest::from_bytes([3; 32]),
        }
    }

    fn row(key: RowKey, class: RowClass, id: EntryId, revision: u64) -> Row {
        let inline = matches!(class, RowClass::Entry | RowClass::Link).then(|| vec![7]);
        let object = (class != RowClass::Link).then(|| object(100));
        let inline = SharedBytes::from(inline.unwrap_or_default());
        Row { key, class, id, revision, epoch: Epoch::new(4), object, inline }
    }

    fn read(row: &Row, compartment: Compartment) -> bool {
        Row::from_wire(row.to_wire(), VAULT, compartment).is_ok()
    }

    fn encoded(content: &impl crate::codec::wire::Content) -> Vec<u8> {
        let mut bytes = vec![0; content.len()];
        content.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_row_answers_only_under_its_own_key_id_and_revision() {
        let (none, content) = (EntryId::from_bytes([0; 16]), ContentId::from_bytes(*ID.as_bytes()));
        let (record, general) = (Compartment::Record, Compartment::General);
        let any = RowKey::content(&ContentDigest::from_bytes([8; 32]));
        let sound = [
            (row(RowKey::entry(ID), RowClass::Entry, ID, 3), general),
            (row(RowKey::revision(ID, 3), RowClass::Superseded, ID, 3), general),
            (row(RowKey::link(VAULT, Epoch::new(4)), RowClass::Link, none, 0), record),
            (row(RowKey::ledger(VAULT, Epoch::new(4)), RowClass::Ledger, none, 0), record),
            (row(RowKey::named("vault record"), RowClass::VaultRecord, none, 0), record),
            (row(RowKey::named("directory"), RowClass::Directory, none, 0), Compartment::Custody),
            (row(RowKey::slice(content, 3), RowClass::Slice, ID, 3), general),
            (row(RowKey::upload(content), RowClass::Upload, ID, 0), general),
            (row(any, RowClass::Content, ID, 0), general),
            (row(RowKey::story(ID), RowClass::Story, ID, 0), general),
            (row(RowKey::accounting(VAULT, Epoch::new(4)), RowClass::Accounting, none, 0), general),
            (row(RowKey::named("identity key"), RowClass::IdentityKey, none, 0), general),
            (row(RowKey::import(VAULT, Epoch::new(4)), RowClass::Import, none, 0), general),
            (row(RowKey::document(*ID.as_bytes()), RowClass::Document, ID, 0), general),
            (row(RowKey::named("documents"), RowClass::Documents, none, 0), general),
            (row(RowKey::tombstone(ID), RowClass::Tombstone, ID, 0), Compartment::Sealed),
        ];
        for (row, compartment) in sound {
            let (class, revision) = (row.class, row.revision);
            assert!(read(&row, compartment), "{class:?}");
            let changed = |change: &dyn Fn(&mut Row)| {
                let mut row = row.duplicate();
                change(&mut row);
                read(&row, compartment)
            };
            assert!(!changed(&|row| row.revision = if revision == 0 { 1 } else { 0 }), "{class:?}");
            assert!(!changed(&|row| row.object = row.object.is_none().then(|| object(1))), "{class:?}");
            let inline = row.inline.is_empty();
            assert!(!changed(&|row| row.inline = if inline { vec![1] } else { vec![] }.into()), "{class:?}");
            if class != RowClass::Content {
                assert!(!changed(&|row| row.id = EntryId::from_bytes([1; 16])), "{class:?}");
                assert!(!changed(&|row| row.key = any), "{class:?}");
            }
            let is_of_commit =
                matches!(class, RowClass::Link | RowClass::Ledger | RowClass::Accounting | RowClass::Import);
            if is_of_commit {
                assert!(!changed(&|row| row.epoch = Epoch::new(5)), "{class:?}");
            }
            let elsewhere = if compartment == general { Compartment::Custody } else { general };
            let is_of_both = matches!(class, RowClass::Ledger | RowClass::Accounting);
            assert_eq!(read(&row, elsewhere), is_of_both, "{class:?}");
        }
    }

    #[test]
    fn a_class_is_the_number_it_was_written_as() {
        let known: Vec<u8> = (0..=255).filter(|number| RowClass::from_number(*number).is_some()).collect();
        assert_eq!(known, (1..=16).collect::<Vec<_>>());
        assert!(known.iter().all(|number| RowClass::from_number(*number).unwrap() as u8 == *number));
    }

    #[test]
    fn an_inner_page_that_claims_more_rows_than_can_be_counted_has_no_count() {
        let child = |rows| Child { nibble: 0, rows, object: object(1) };
        assert_eq!(Page::Inner(vec![child(2), child(3)]).rows(), Some(5));
        assert_eq!(Page::Inner(vec![child(u64::MAX), child(0)]).rows(), Some(u64::MAX));
        assert_eq!(Page::Inner(vec![child(u64::MAX), child(1)]).rows(), None);
        let leaf = Page::Leaf(vec![row(RowKey::entry(ID), RowClass::Entry, ID, 1)]);
        assert_eq!((leaf.rows(), leaf.leaf_rows().len(), leaf.children().len()), (Some(1), 1, 0));
        let inner = Page::Inner(vec![child(2)]);
        assert_eq!((inner.leaf_rows().len(), inner.children().len()), (0, 1));
    }

    #[test]
    fn no_inner_page_stands_below_the_last_nibble() {
        let page = Page::Inner(vec![Child { nibble: 3, rows: 1000, object: object(1) }]);
        let page = encoded(&page.content().unwrap());
        let mut prefix = Prefix::EMPTY;
        for depth in 0..32 {
            assert_eq!(prefix.depth(), depth);
            assert!(
                Page::decode(&SharedBytes::copy_of(&page), prefix, VAULT, Compartment::General).is_ok(),
                "{depth}"
            );
            prefix = prefix.child(9);
        }
        let fault = Page::decode(&SharedBytes::copy_of(&page), prefix, VAULT, Compartment::General).err();
        assert!(matches!(fault, Some(TreeError::Damaged { what: "page" })));
    }

    #[test]
    fn a_leaf_holds_rows_of_its_prefix_alone() {
        let key = RowKey::entry(ID);
        let leaf = encoded(&Page::leaf_content(&[row(key, RowClass::Entry, ID, 1)]).unwrap());
        let decode =
            |prefix| Page::decode(&SharedBytes::copy_of(&leaf), prefix, VAULT, Compartment::General).is_ok();
        let mut prefix = Prefix::EMPTY;
        for depth in 0..32 {
            assert!(decode(prefix), "{depth}");
            let nibble = key.nibble(depth);
            assert!(!decode(prefix.child(nibble ^ 1)), "{depth}");
            assert!(!decode(prefix.child(nibble ^ 8)), "{depth}");
            prefix = prefix.child(nibble);
        }
        assert!(decode(prefix));
    }

    #[test]
    fn a_full_cache_keeps_the_inner_pages_while_they_are_less_than_half() {
        let general = Compartment::General;
        let digest = |number: u32| ObjectDigest::of(&number.to_le_bytes());
        let (leaf, inner) = (Arc::new(Page::Leaf(vec![])), Arc::new(Page::Inner(vec![])));
        let held = |inner_pages: u32, pages: u32| {
            let cache = PageCache::default();
            for number in 0..pages {
                let page = if number < inner_pages { &inner } else { &leaf };
                cache.insert(digest(number), general, Prefix::EMPTY, page);
            }
            let found = |number: &u32| cache.page(&digest(*number), general, Prefix::EMPTY).is_some();
            ((0..inner_pages).filter(found).count(), (inner_pages..pages).filter(found).count())
        };
        assert_eq!(held(255, 512), (255, 257), "not full yet");
        assert_eq!(held(255, 513), (255, 1), "the leaves went");
        assert_eq!(held(256, 513), (0, 1), "too many inner pages went too");
        assert_eq!(held(0, 513), (0, 1));
        let cache = PageCache::default();
        cache.insert(digest(1), general, Prefix::EMPTY, &leaf);
        assert!(cache.page(&digest(1), Compartment::Record, Prefix::EMPTY).is_none());
        assert!(cache.page(&digest(1), general, Prefix::EMPTY.child(0)).is_none());
        cache.clear();
        assert!(cache.page(&digest(1), general, Prefix::EMPTY).is_none());
    }
}
