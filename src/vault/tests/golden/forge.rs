//! A golden vault whose keys are held: every box opens, and what is inside can be changed and
//! encrypted again, into something that no writer writes.

use std::collections::{BTreeMap, HashMap};

use super::bytes::{AREAS, ROOTS, at};
use super::options;
use super::sample::RAW_KEY;
use crate::codec::padding::pad;
use crate::codec::wire;
use crate::crypto::boxes::{decrypt_committed, encrypt_committed, encrypt_once};
use crate::crypto::digest::Digest;
use crate::crypto::kem::SlotSeed;
use crate::crypto::key::UnlockKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::crypto::segment_digest::RunningSegmentDigest;
use crate::engine::list::inline_card;
use crate::format::area::testing::mac_anew;
use crate::format::area::{AREA_LEN, Area};
use crate::format::context::{Context, Purpose};
use crate::format::header::geometry;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::{PLACE_LEN, Place};
use crate::format::root::{PlaceBox, ROOT_LEN, Root};
use crate::format::segment::Segment;
use crate::payload::catalogue::{EraseListV1, LEAF_ROWS};
use crate::payload::content::SLICE_LEN;
use crate::payload::{decode_entry, encode_entry};
use crate::secret::SecretBytes;
use crate::tree::{open_object, open_stored};
use crate::vault::session::state::Unlocked;
use crate::{Compartment, Entry, LockedVault, RawKey, Vault};

/// Where the fields of an encoded row stand (`RowV1`).
pub(super) mod row {
    pub(in super::super) const CLASS: usize = 16;
    pub(in super::super) const ID: usize = 17;
    pub(in super::super) const REVISION: usize = 33;
    pub(in super::super) const EPOCH: usize = 41;
    pub(in super::super) const PRESENT: usize = 49;
    pub(in super::super) const OBJECT: usize = 50;
    pub(in super::super) const REFERENCE: usize = OBJECT + 32;
    pub(in super::super) const LENGTH: usize = REFERENCE + 16;
    pub(in super::super) const DIGEST: usize = LENGTH + 8;
    pub(in super::super) const INLINE: usize = DIGEST + 32;
    /// Behind the count of a row without an object.
    pub(in super::super) const LINK: usize = OBJECT + 8;
}

/// Where the fields of a link stand.
pub(super) mod link {
    pub(in super::super) const TIME: usize = 8;
    pub(in super::super) const ACTION: usize = 16;
    pub(in super::super) const ROLE: usize = 18;
    pub(in super::super) const PREVIOUS_LINK: usize = 20;
    pub(in super::super) const PREVIOUS_ROOT: usize = 52;
    pub(in super::super) const LEAVES: usize = 84;
    pub(in super::super) const SPAN: usize = 116;
}

pub(super) const NOTES: Compartment = Compartment::PsychotherapyNotes;
pub(super) const RECORD: Compartment = Compartment::Record;
pub(super) const CUSTODY: Compartment = Compartment::Custody;
pub(super) const GENERAL: Compartment = Compartment::General;
pub(super) const SEALED: Compartment = Compartment::Sealed;
/// The last commit of the golden vault.
pub(super) const LAST: u64 = 11;
/// The slot that the raw key opens.
pub(super) const OWN_SLOT: usize = 2;
/// Stands for the digest of the root that is there.
pub(super) const NO_DIGEST: Digest = Digest::from_bytes([0; 32]);

/// A name, how it is made, the outcome, why.
pub(super) type Fault = (&'static str, fn(&mut Forge), &'static str, &'static str);

/// A golden vault with its keys, to be changed and encrypted again.
pub(super) struct Forge {
    vault: Vault,
    pub(super) root: Root,
    pub(super) file: Vec<u8>,
    /// The stored root of the commit before.
    pub(super) before: Vec<u8>,
    random: Randomness,
    /// What pages hold, by their references: a walk that checks nothing finds it here.
    pages: HashMap<[u8; 16], Vec<u8>>,
}

impl Forge {
    /// The vault of a file, beside the bytes that the commit before left, where these are known.
    pub(super) fn open(file: &[u8], before: Option<&[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        std::fs::write(&path, file).unwrap();
        let locked = LockedVault::open(&path, options()).unwrap();
        let vault = locked.unlock_read_only(&RawKey::from_bytes(&RAW_KEY).into()).unwrap();
        let root = Root::decode(&vault.unlocked().unwrap().snapshot.root.encode()).unwrap();
        let before = before.map_or(&[][..], |before| &before[at(ROOTS[0])..at(ROOTS[0]) + ROOT_LEN]).to_vec();
        assert!(before.is_empty() || Digest::of(&[&before]) == root.previous);
        let (random, pages) = (Randomness::from_system(), HashMap::new());
        let mut forge = Self { vault, root, file: file.to_vec(), before, random, pages };
        let unlocked = forge.unlocked();
        for compartment in Compartment::ALL {
            let trie = unlocked.reader();
            trie.trie(compartment).unwrap().survey_contexts(&mut |object, context, _| {
                let content = open_object(&*unlocked.core.store, object, &context).unwrap().to_vec();
                forge.pages.insert(object.object.reference, content);
            });
        }
        forge
    }

    pub(super) fn unlocked(&self) -> Unlocked {
        self.vault.unlocked().unwrap()
    }

    pub(super) fn place(&self, compartment: Compartment) -> Place {
        let (mut places, _) = self.unlocked().core.open_places(&self.root).unwrap();
        places[compartment.index()].take().unwrap()
    }

    pub(super) fn object(&self, encrypted: &KeyedRef, context: &Context) -> Vec<u8> {
        let start = at(u64::from_le_bytes(*encrypted.object.reference.first_chunk().unwrap()));
        let stored = self.file[start..start + at(encrypted.object.length)].to_vec();
        open_stored(encrypted, context, stored).unwrap().to_vec()
    }

    /// Appends a box.
    fn append(&mut self, key: crate::crypto::key::ContentKey, stored: &[u8]) -> KeyedRef {
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&(self.file.len() as u64).to_le_bytes());
        self.file.extend_from_slice(stored);
        let object = ObjectRef { reference, length: stored.len() as u64 };
        KeyedRef { key, object, digest: ObjectDigest::of(stored) }
    }

    /// Appends the box of a plaintext as it is.
    pub(super) fn encrypt_plain(&mut self, context: &Context, plaintext: &[u8]) -> KeyedRef {
        let (key, stored) =
            encrypt_once(&mut self.random, &context.bytes(), plaintext.to_vec().into()).unwrap();
        self.append(key, &stored)
    }

    pub(super) fn encrypt(&mut self, context: &Context, content: &[u8]) -> KeyedRef {
        let encrypted = self.encrypt_plain(context, &pad(content));
        self.pages.insert(encrypted.object.reference, content.to_vec());
        encrypted
    }

    /// Appends the box of a whole slice which is nearly all zeros, so that a vector takes little
    /// room; gives the slice too. The plaintext is the key stream under the length before it.
    pub(super) fn encrypt_whole_slice(&mut self, context: &Context) -> (KeyedRef, Vec<u8>) {
        const CHUNK: usize = 16384;
        const SEED: u64 = 7;
        let length = SLICE_LEN + 8;
        let encrypt = |plain: Vec<u8>| {
            encrypt_once(&mut Randomness::seeded(SEED), &context.bytes(), plain.into()).unwrap()
        };
        let (_, stream) = encrypt(vec![0; length]);
        let chunks = stream.chunks(CHUNK + 16).flat_map(|chunk| &chunk[..chunk.len() - 16]);
        let mut plain: Vec<u8> = chunks.copied().collect();
        assert_eq!(plain.len(), length);
        plain[..8].copy_from_slice(&(SLICE_LEN as u64).to_le_bytes());
        let slice = plain[8..].to_vec();
        let (key, stored) = encrypt(plain);
        assert!(stored[8..CHUNK].iter().all(|byte| *byte == 0));
        (self.append(key, &stored), slice)
    }

    /// The stored bytes of an object that was just appended.
    pub(super) fn stored(&self, encrypted: &KeyedRef) -> &[u8] {
        &self.file[self.file.len() - at(encrypted.object.length)..]
    }

    fn page_context(&self, compartment: Compartment) -> Context {
        self.unlocked().core.scope.context(Purpose::Page).compartment(compartment).schema(1)
    }

    /// The context of the page one level down.
    pub(super) fn child_context(&self, compartment: Compartment, nibble: u8) -> Context {
        let mut prefix = [0; 16];
        prefix[0] = nibble << 4;
        self.page_context(compartment).object(prefix, 1)
    }

    pub(super) fn root_page(&self, compartment: Compartment) -> Vec<u8> {
        let place = self.place(compartment);
        place.trie.map_or_else(|| leaf(&[]), |page| self.pages[&page.object.reference].clone())
    }

    /// All rows of a trie of at most two levels.
    pub(super) fn rows(&self, compartment: Compartment) -> Vec<Vec<u8>> {
        let page = self.root_page(compartment);
        if page[0] == 0 {
            return split_rows(&page);
        }
        let children = split_children(&page);
        let pages = children.iter().map(|child| read_encrypted(&child[9..]).object.reference);
        pages.flat_map(|page| split_rows(&self.pages[&page])).collect()
    }

    /// Encrypts a place, its live bytes counted anew by a walk that checks nothing.
    pub(super) fn set_place(&mut self, compartment: Compartment, place: &Place) {
        let live = place.trie.as_ref().map_or(0, |page| self.live(page));
        let place = Place { live, ..place.duplicate() };
        let stored = self.unlocked().core.encrypt_place(&mut self.random, compartment, &place).unwrap();
        self.root.places[compartment.index()] = stored.unwrap();
    }

    /// Encrypts a place's plaintext as it is.
    pub(super) fn set_place_plain(&mut self, compartment: Compartment, change: impl Fn(&mut [u8])) {
        let mut plain = self.place(compartment).encode();
        change(&mut plain);
        let core = self.unlocked().core;
        let (key, context) =
            (core.keyring.compartment(compartment).unwrap(), core.place_context(compartment));
        let stored = encrypt_committed(&mut self.random, key, &context.bytes(), &plain).unwrap();
        self.root.places[compartment.index()] = PlaceBox(stored.try_into().unwrap());
        self.publish();
    }

    /// The stored bytes that a page names, itself included, as a walk counts them that looks at
    /// no rule: so that a fault is refused for its own sake.
    fn live(&self, page: &KeyedRef) -> u64 {
        let content = &self.pages[&page.object.reference];
        let below: u64 = if content[0] == 1 {
            split_children(content).iter().map(|child| self.live(&read_encrypted(&child[9..]))).sum()
        } else {
            split_rows(content).iter().map(|row| stored_bytes(row)).sum()
        };
        page.object.length + below
    }

    pub(super) fn set_root_page(&mut self, compartment: Compartment, content: &[u8], rows: usize) {
        let context = self.page_context(compartment);
        let encrypted = self.encrypt(&context, content);
        self.set_root_object(compartment, encrypted, rows);
    }

    pub(super) fn set_root_object(&mut self, compartment: Compartment, encrypted: KeyedRef, rows: usize) {
        let place = Place { trie: Some(encrypted), rows: rows as u64, ..self.place(compartment) };
        self.set_place(compartment, &place);
        self.publish();
    }

    /// The rows as the trie of them is; leaves that stay as they are stay where they are.
    pub(super) fn set_rows(&mut self, compartment: Compartment, rows: &[Vec<u8>]) {
        if rows.is_empty() {
            let place = Place { trie: None, rows: 0, ..self.place(compartment) };
            self.set_place(compartment, &place);
            return self.publish();
        }
        if rows.len() <= LEAF_ROWS {
            return self.set_root_page(compartment, &leaf(rows), rows.len());
        }
        let children = self.children(compartment, rows);
        self.set_root_page(compartment, &inner(&children), rows.len());
    }

    /// The rows split by their first nibble, encrypted as leaves.
    pub(super) fn children(&mut self, compartment: Compartment, rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let page = self.root_page(compartment);
        let known = if page[0] == 1 { split_children(&page) } else { Vec::new() };
        let mut children = Vec::new();
        for nibble in 0..16 {
            let own: Vec<_> = rows.iter().filter(|row| row[0] >> 4 == nibble).cloned().collect();
            let content = leaf(&own);
            let is_same = |child: &&Vec<u8>| {
                child[0] == nibble && self.pages[&read_encrypted(&child[9..]).object.reference] == content
            };
            if let Some(child) = known.iter().find(is_same) {
                children.push(child.clone());
            } else if !own.is_empty() {
                let context = self.child_context(compartment, nibble);
                children.push(child(nibble, own.len(), &self.encrypt(&context, &content)));
            }
        }
        children
    }

    pub(super) fn add_rows(&mut self, compartment: Compartment, more: impl IntoIterator<Item = Vec<u8>>) {
        let mut rows = self.rows(compartment);
        rows.extend(more);
        rows.sort();
        self.set_rows(compartment, &rows);
    }

    /// A row of a class with its object, which holds this content. Key, id and revision are
    /// given as the class has them; the epoch is that of the last commit.
    pub(super) fn new_row(
        &mut self,
        compartment: Compartment,
        (class, key): (u8, &[u8; 16]),
        (id, revision): ([u8; 16], u64),
        content: &[u8],
    ) -> Vec<u8> {
        let mut row = vec![0; row::INLINE + 8];
        row[..16].copy_from_slice(key);
        row[row::CLASS] = class;
        row[row::ID..row::REVISION].copy_from_slice(&id);
        set_u64(&mut row, row::REVISION, revision);
        set_u64(&mut row, row::EPOCH, LAST);
        row[row::PRESENT] = 1;
        let context = self.row_context(compartment, &row);
        write_encrypted(&mut row[row::OBJECT..], &self.encrypt(&context, content));
        row
    }

    /// Both roots anew, with the append end behind what was appended.
    pub(super) fn publish(&mut self) {
        self.file.resize(self.file.len().next_multiple_of(4096), 0);
        self.root.segment.end = self.file.len() as u64;
        let plain = self.root.encode();
        self.publish_plain(&plain);
    }

    pub(super) fn publish_plain(&mut self, plain: &[u8]) {
        // One salt for all vectors: they differ then only where their roots do.
        self.encrypt_root(1, plain);
    }

    /// Both roots, encrypted with the salt that a seed gives.
    pub(super) fn encrypt_root(&mut self, seed: u64, plain: &[u8]) {
        let core = self.unlocked().core;
        let context = core.root_context().bytes();
        let stored =
            encrypt_committed(&mut Randomness::seeded(seed), &core.keyring.root_key(), &context, plain)
                .unwrap();
        ROOTS.into_iter().for_each(|offset| self.put(offset, &stored));
    }

    /// Bytes at a place of the file.
    pub(super) fn put(&mut self, offset: u64, bytes: &[u8]) {
        self.file[at(offset)..at(offset) + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn change_root(&mut self, change: impl Fn(&mut [u8])) {
        let mut plain = self.root.encode();
        change(&mut plain);
        self.publish_plain(&plain);
    }

    /// One root as it is, whose segment is there, and the other changed.
    pub(super) fn change_one_root(&mut self, index: usize, change: impl Fn(&mut [u8])) {
        let segment = Segment { end: self.file.len() as u64, ..self.root.segment };
        let mut digest = RunningSegmentDigest::default();
        for range in segment.digested() {
            digest.update(&self.file[at(range.start)..at(range.end)]);
        }
        self.root.segment = Segment { digest: digest.digest(), ..segment };
        self.publish();
        let settled = self.stored_root();
        self.change_root(change);
        self.put(ROOTS[1 - index], &settled);
    }

    /// Both areas changed, their digest right, and named by both roots. The MAC is as `finish`
    /// leaves it.
    fn set_areas(&mut self, change: impl Fn(&mut [u8]), finish: impl Fn(&mut [u8])) {
        let mut area = self.file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN].to_vec();
        change(&mut area);
        finish(&mut area);
        AREAS.into_iter().for_each(|offset| self.put(offset, &area));
        self.root.area_digest = Area::digest(&area);
        self.publish();
    }

    /// Both areas changed under a right MAC and digest, named by both roots.
    pub(super) fn change_areas(&mut self, change: impl Fn(&mut [u8])) {
        let key = self.unlocked().core.keyring.area_mac_key();
        self.set_areas(change, |area| mac_anew(area, &key));
    }

    /// The same under the MAC that was there.
    pub(super) fn change_areas_under_the_old_mac(&mut self, change: impl Fn(&mut [u8])) {
        self.set_areas(change, crate::format::area::testing::digest_anew);
    }

    /// The granted box of the own slot, with another plaintext.
    pub(super) fn grant_anew(&mut self, change: impl Fn(&mut [u8])) {
        let scope = self.unlocked().core.scope;
        let area = Area::parse(&self.file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN]).unwrap();
        let slot = &area.slots[OWN_SLOT];
        let key = SecretBytes::filled(|out| *out = RAW_KEY);
        let unlock = UnlockKey::derive(&key, scope.vault.as_bytes(), "subrosa/v1 raw key");
        let seed = decrypt_committed(&unlock, &scope.context(Purpose::OwnBox).bytes(), &slot.own).unwrap();
        let seed = SlotSeed::from_secret(SecretBytes::filled(|out| out.copy_from_slice(&seed)));
        let secret = seed.decapsulate(&slot.encapsulation);
        let context = scope.context(Purpose::GrantedBox).bytes();
        let mut plain = decrypt_committed(&secret, &context, &slot.granted).unwrap();
        change(&mut plain);
        let granted = encrypt_committed(&mut self.random, &secret, &context, &plain).unwrap();
        self.change_areas(|area| {
            let end = crate::format::area::testing::slot(OWN_SLOT).end;
            area[end - granted.len()..end].copy_from_slice(&granted);
        });
    }

    /// Puts a shortcut of another secret in the place of the slot's own, under its key
    /// and context.
    pub(super) fn mislead_shortcut(&mut self) {
        let unlocked = self.unlocked();
        let way_in = unlocked.way_in.as_ref().unwrap();
        let (index, key) = way_in.known_shortcut().unwrap();
        let area = self.file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN].to_vec();
        let slot = &Area::parse(&area).unwrap().slots[index];
        let leads_to = Digest::of(&[&slot.encapsulation, &slot.granted]);
        let context = unlocked.core.scope.context(Purpose::Shortcut);
        let context = context.object(leads_to.as_bytes()[..16].try_into().unwrap(), 0).bytes();
        let shortcut = encrypt_committed(&mut self.random, key, &context, &[7; 32]).unwrap();
        let area = Area::with_shortcut(&area, index, &shortcut.try_into().unwrap());
        AREAS.into_iter().for_each(|offset| self.put(offset, &area));
        self.publish();
    }

    /// The position of the first row of a class.
    pub(super) fn position(&self, compartment: Compartment, class: u8) -> usize {
        self.rows(compartment).iter().position(|row| row[row::CLASS] == class).unwrap()
    }

    pub(super) fn row_context(&self, compartment: Compartment, row: &[u8]) -> Context {
        let purpose = match row[row::CLASS] {
            1 | 2 => Purpose::Entry,
            3 | 4 => Purpose::Ledger,
            5 => Purpose::VaultRecord,
            6 => Purpose::Directory,
            8 => Purpose::Slice,
            9 => Purpose::Content,
            10 => Purpose::Upload,
            11 => Purpose::Story,
            12 => Purpose::Accounting,
            13 => Purpose::IdentityKey,
            14 => Purpose::Import,
            15 => Purpose::Documents,
            16 => Purpose::Tombstone,
            _ => Purpose::Document,
        };
        let object = if matches!(row[row::CLASS], 1 | 2 | 7 | 8 | 11 | 16) { row::ID } else { 0 };
        let object = row[object..object + 16].try_into().unwrap();
        let scope = self.unlocked().core.scope;
        scope.context(purpose).compartment(compartment).object(object, revision_of(row)).schema(1)
    }

    /// What the object of a row holds.
    pub(super) fn content(&self, compartment: Compartment, row: &[u8]) -> Vec<u8> {
        self.object(&read_encrypted(&row[row::OBJECT..]), &self.row_context(compartment, row))
    }

    /// Gives a row an object that holds this, encrypted for what the row says now.
    pub(super) fn set_content(&mut self, compartment: Compartment, row: &mut [u8], content: &[u8]) {
        let context = self.row_context(compartment, row);
        write_encrypted(&mut row[row::OBJECT..], &self.encrypt(&context, content));
    }

    /// Changes the content of the first object of a class, encrypted as it should be.
    pub(super) fn change_content(
        &mut self,
        compartment: Compartment,
        class: u8,
        change: impl Fn(&mut Vec<u8>),
    ) {
        self.change_content_of(compartment, |row| row[row::CLASS] == class, change);
    }

    /// Changes the content of the first row that is meant.
    pub(super) fn change_content_of(
        &mut self,
        compartment: Compartment,
        is_meant: impl Fn(&[u8]) -> bool,
        change: impl Fn(&mut Vec<u8>),
    ) {
        let mut rows = self.rows(compartment);
        let position = rows.iter().position(|row| is_meant(row)).unwrap();
        let mut content = self.content(compartment, &rows[position]);
        change(&mut content);
        self.set_content(compartment, &mut rows[position], &content);
        self.set_rows(compartment, &rows);
    }

    /// Encrypts the first note's entry again: in another context, or another plaintext.
    pub(super) fn encrypt_note_anew(&mut self, encrypt: impl Fn(&mut Self, &Context, &[u8]) -> KeyedRef) {
        let mut rows = self.rows(NOTES);
        let row = &mut rows[self.position(NOTES, 1)];
        let context = self.row_context(NOTES, row);
        let content = self.content(NOTES, row);
        write_encrypted(&mut row[row::OBJECT..], &encrypt(self, &context, &content));
        self.set_rows(NOTES, &rows);
    }

    pub(super) fn change_row(&mut self, compartment: Compartment, class: u8, change: impl Fn(&mut Vec<u8>)) {
        let mut rows = self.rows(compartment);
        let position = self.position(compartment, class);
        change(&mut rows[position]);
        self.set_rows(compartment, &rows);
    }

    /// A compartment without its rows of some classes.
    pub(super) fn without(&mut self, compartment: Compartment, classes: &[u8]) {
        let mut rows = self.rows(compartment);
        rows.retain(|row| !classes.contains(&row[row::CLASS]));
        self.set_rows(compartment, &rows);
    }

    /// The row of a revision of the entry, with another content and, of the current one, the
    /// card that belongs to it.
    pub(super) fn set_entry(&mut self, compartment: Compartment, row: &mut Vec<u8>, entry: &Entry) {
        self.set_content(compartment, row, &encode_entry(entry).unwrap());
        let card = inline_card(entry).unwrap();
        if row[row::CLASS] == 1 {
            row.truncate(row::INLINE);
            row.extend_from_slice(&(card.len() as u64).to_le_bytes());
            row.extend_from_slice(&card);
        }
    }

    /// The entry of a row.
    pub(super) fn entry(&self, compartment: Compartment, row: &[u8]) -> Entry {
        decode_entry(&self.content(compartment, row)).unwrap()
    }

    /// Changes the link of a commit; the ledger heads follow the last one.
    pub(super) fn change_link(&mut self, epoch: u64, change: impl Fn(&mut [u8])) {
        self.chain(false, |number, link| {
            if number == epoch {
                change(link);
            }
        });
    }

    /// Changes links; those behind follow, and so do the ledger heads.
    pub(super) fn change_links(&mut self, change: impl Fn(u64, &mut [u8])) {
        self.chain(true, change);
    }

    fn chain(&mut self, do_follow: bool, change: impl Fn(u64, &mut [u8])) {
        let mut rows = self.rows(RECORD);
        let mut links: BTreeMap<u64, &mut Vec<u8>> = BTreeMap::new();
        for row in rows.iter_mut().filter(|row| row[row::CLASS] == 3) {
            links.insert(epoch_of(row), row);
        }
        let (mut digests, mut before) = (BTreeMap::new(), None);
        for (epoch, row) in links {
            let link = &mut row[row::LINK..];
            if let Some(before) = before.filter(|_| do_follow) {
                link[link::PREVIOUS_LINK..link::PREVIOUS_ROOT].copy_from_slice(Digest::as_bytes(&before));
            }
            change(epoch, link);
            let digest = Digest::of(&[b"subrosa/v1 link", link]);
            digests.insert(epoch, digest);
            before = Some(digest);
        }
        for compartment in Compartment::ALL {
            let mut place = self.place(compartment);
            let head = place.ledger.epoch.number();
            if head == LAST || do_follow && head > 0 {
                place.ledger.link = digests[&head];
                self.set_place(compartment, &place);
            }
        }
        self.set_rows(RECORD, &rows);
    }

    /// Changes the leaf of the last commit that has lines in `sealed` alone; its link commits to
    /// what it is then.
    pub(super) fn change_leaf(&mut self, change: impl Fn(&mut Vec<u8>)) {
        let ledgers = |compartment| {
            let rows = self.rows(compartment).into_iter().filter(|row| row[row::CLASS] == 4);
            rows.map(|row| epoch_of(&row)).collect::<Vec<_>>()
        };
        let others = Compartment::ALL.into_iter().filter(|other| *other != SEALED);
        let others: Vec<u64> = others.flat_map(ledgers).collect();
        let alone = ledgers(SEALED).into_iter().filter(|epoch| !others.contains(epoch)).max().unwrap();
        let is_meant = |row: &[u8]| row[row::CLASS] == 4 && epoch_of(row) == alone;
        let rows = self.rows(SEALED);
        let row = rows.iter().find(|row| is_meant(row)).unwrap();
        let content = self.content(SEALED, row);
        let (mut leaf, path) = (content[8..content.len() - 96].to_vec(), &content[content.len() - 96..]);
        change(&mut leaf);
        let mut digest = Digest::of(&[b"subrosa/v1 leaf", &leaf]);
        for (height, sibling) in path.chunks(32).enumerate() {
            let is_right = SEALED.index() >> height & 1 == 1;
            let own = digest.as_bytes();
            let (left, right): (&[u8], &[u8]) = if is_right { (sibling, own) } else { (own, sibling) };
            digest = Digest::of(&[b"subrosa/v1 node", left, right]);
        }
        self.change_content_of(SEALED, is_meant, |content| {
            let end = content.len() - 96;
            content.splice(8..end, leaf.clone());
        });
        self.change_links(|epoch, link| {
            if epoch == alone {
                link[link::LEAVES..link::SPAN].copy_from_slice(digest.as_bytes());
            }
        });
    }

    pub(super) fn set_erase_list(&mut self, objects: Vec<([u8; 16], u64)>, change: impl Fn(&mut Vec<u8>)) {
        let mut content = wire::encode(&EraseListV1 { objects }).unwrap().to_vec();
        change(&mut content);
        let context = self.unlocked().core.erase_context(NOTES);
        let erase = Some(self.encrypt(&context, &content));
        let place = Place { erase, ..self.place(NOTES) };
        self.set_place(NOTES, &place);
        self.publish();
    }

    /// The stored root in place A.
    pub(super) fn stored_root(&self) -> Vec<u8> {
        self.file[at(ROOTS[0])..at(ROOTS[0]) + ROOT_LEN].to_vec()
    }

    /// Puts the root of a next commit into place A, whose segment is of zeros and ends in a one:
    /// the commit was cut, or not, as the digest says.
    pub(super) fn begin_commit(&mut self, length: usize, digest_of: &[u8], previous: Digest) {
        self.publish();
        let settled = self.stored_root();
        let start = self.file.len() as u64;
        self.file.resize(self.file.len() + length, 0);
        *self.file.last_mut().unwrap() = 1;
        let mut digest = RunningSegmentDigest::default();
        digest.update(digest_of);
        let previous = if previous == NO_DIGEST { Digest::of(&[&settled]) } else { previous };
        let mut root = Root::decode(&self.root.encode()).unwrap();
        root.epoch = root.epoch.next().unwrap();
        root.previous = previous;
        root.segment = Segment { start, end: start + length as u64, parts: 0, digest: digest.digest() };
        self.publish_plain(&root.encode());
        self.put(ROOTS[1], &settled);
    }

    /// An object that no row names, to be erased: filler of the commit before.
    pub(super) fn dead_object(&self) -> ([u8; 16], u64) {
        const LENGTH: u64 = 64;
        let start = self.root.segment.start;
        assert!(start > geometry::APPEND, "a commit stands before the last one");
        (reference_to(start - LENGTH), LENGTH)
    }
}

pub(super) fn reference_to(offset: u64) -> [u8; 16] {
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&offset.to_le_bytes());
    reference
}

pub(super) fn leaf(rows: &[Vec<u8>]) -> Vec<u8> {
    [&0u32.to_le_bytes()[..], &(rows.len() as u64).to_le_bytes(), &rows.concat()].concat()
}

pub(super) fn inner(children: &[Vec<u8>]) -> Vec<u8> {
    [&1u32.to_le_bytes()[..], &(children.len() as u64).to_le_bytes(), &children.concat()].concat()
}

/// The rows of a leaf, as far as what is there are rows, whatever their number.
pub(super) fn split_rows(content: &[u8]) -> Vec<Vec<u8>> {
    let (mut rows, mut rest) = (Vec::new(), &content[12..]);
    while let Some(present) = rest.get(row::PRESENT) {
        let count = if *present == 0 { row::OBJECT } else { row::INLINE };
        let Some(inline) = rest.get(count..count + 8) else { break };
        let end = count + 8 + at(u64::from_le_bytes(inline.try_into().unwrap()));
        let Some((row, after)) = rest.split_at_checked(end) else { break };
        rows.push(row.to_vec());
        rest = after;
    }
    rows
}

pub(super) fn split_children(content: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(content[..4], [1, 0, 0, 0]);
    content[12..].chunks(9 + 88).map(<[u8]>::to_vec).collect()
}

/// The stored bytes of the object that a row names.
fn stored_bytes(row: &[u8]) -> u64 {
    match row[row::PRESENT] {
        0 => 0,
        _ => u64::from_le_bytes(row[row::LENGTH..row::DIGEST].try_into().unwrap()),
    }
}

pub(super) fn epoch_of(row: &[u8]) -> u64 {
    u64::from_le_bytes(row[row::EPOCH..row::PRESENT].try_into().unwrap())
}

pub(super) fn revision_of(row: &[u8]) -> u64 {
    u64::from_le_bytes(row[row::REVISION..row::EPOCH].try_into().unwrap())
}

pub(super) fn child(nibble: u8, rows: usize, encrypted: &KeyedRef) -> Vec<u8> {
    let mut bytes = vec![0; 9 + 88];
    bytes[0] = nibble;
    bytes[1..9].copy_from_slice(&(rows as u64).to_le_bytes());
    write_encrypted(&mut bytes[9..], encrypted);
    bytes
}

pub(super) fn read_encrypted(bytes: &[u8]) -> KeyedRef {
    let mut place = vec![0; PLACE_LEN];
    place[8] = 1;
    place[9..97].copy_from_slice(&bytes[..88]);
    place[97] = 1;
    Place::decode(&place).unwrap().trie.unwrap()
}

pub(super) fn write_encrypted(bytes: &mut [u8], encrypted: &KeyedRef) {
    bytes[..32].copy_from_slice(encrypted.key.expose_secret());
    bytes[32..48].copy_from_slice(&encrypted.object.reference);
    bytes[48..56].copy_from_slice(&encrypted.object.length.to_le_bytes());
    bytes[56..88].copy_from_slice(encrypted.digest.as_bytes());
}

pub(super) fn set_u64(bytes: &mut [u8], offset: usize, value: u64) {
    bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}
