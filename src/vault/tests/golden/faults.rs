//! Faults that only a holder of the keys can make: every box opens, and what
//! is inside breaks one rule.

use super::bytes::{AREAS, Case, ROOTS, at};
use super::options;
use super::sample::RAW_KEY;
use crate::codec::padding::pad;
use crate::codec::wire;
use crate::crypto::boxes::{encrypt_committed, encrypt_once};
use crate::crypto::digest::Digest;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::crypto::segment_digest::RunningSegmentDigest;
use crate::format::area::testing::mac_anew;
use crate::format::area::{AREA_LEN, Area};
use crate::format::context::{Context, Purpose};
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::{PLACE_LEN, Place};
use crate::format::root::{PlaceBox, ROOT_LEN, Root};
use crate::format::segment::Segment;
use crate::payload::catalogue::EraseListV1;
use crate::tree::{PageCache, Trie, open_object};
use crate::vault::tests::disk::SimDisk;
use crate::{Compartment, LockedVault, RawKey, Vault};

/// Where the fields of an encoded row stand (`RowV1`).
mod row {
    pub(super) const CLASS: usize = 16;
    pub(super) const ID: usize = 17;
    pub(super) const REVISION: usize = 33;
    pub(super) const EPOCH: usize = 41;
    pub(super) const PRESENT: usize = 49;
    pub(super) const OBJECT: usize = 50;
    pub(super) const REFERENCE: usize = OBJECT + 32;
    pub(super) const LENGTH: usize = REFERENCE + 16;
    pub(super) const DIGEST: usize = LENGTH + 8;
    pub(super) const INLINE: usize = DIGEST + 32;
    /// Behind the count of a row without an object.
    pub(super) const LINK: usize = OBJECT + 8;
}

/// Where the first slots of an encoded directory stand (`DirectoryV1`).
mod directory {
    pub(super) const FIRST: usize = 8;
    pub(super) const GENERATION: usize = FIRST + 8 + 1216 + 1;
    /// Of the first slot, which is called "kitchen table", behind the mark that they are there.
    pub(super) const SIGNING: usize = GENERATION + 1 + 1 + 8 + 13 + 8 + 1;
    /// Behind the first slot.
    pub(super) const SECOND: usize = SIGNING + 3 * 32;
    /// Of the third slot, which the raw key opens, behind "paper in the drawer".
    pub(super) const OWN_SIGNING: usize = SECOND + (SECOND - FIRST - 13 + 19) + (SIGNING - FIRST - 13 + 7);
}

/// Where the fields of an encoded root stand.
mod root {
    pub(super) const PREVIOUS: usize = 24;
    pub(super) const AREA_DIGEST: usize = 64;
    pub(super) const LEAST_READER: usize = 96;
    pub(super) const SEGMENT: usize = 98;
    pub(super) const APPEND_END: usize = 106;
    pub(super) const PLACES: usize = 154;
    pub(super) const RESERVED: usize = 4023;
}

const NOTES: Compartment = Compartment::PsychotherapyNotes;
const RECORD: Compartment = Compartment::Record;
const GENERAL: Compartment = Compartment::General;
/// The last commit of the golden vault.
const LAST: u64 = 11;
const SEALED: Compartment = Compartment::Sealed;
/// Stands for the digest of the root that is there.
const NO_DIGEST: Digest = Digest::from_bytes([0; 32]);

/// A golden vault with its keys, to be changed and encrypted again.
struct Forge {
    vault: Vault,
    root: Root,
    file: Vec<u8>,
    random: Randomness,
}

impl Forge {
    fn open(file: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        std::fs::write(&path, file).unwrap();
        let locked = LockedVault::open(&path, options()).unwrap();
        let vault = locked.unlock_read_only(&RawKey::from_bytes(&RAW_KEY).into()).unwrap();
        let root = Root::decode(&vault.unlocked().unwrap().snapshot.root.encode()).unwrap();
        Self { vault, root, file: file.to_vec(), random: Randomness::from_system() }
    }

    fn place(&self, compartment: Compartment) -> Place {
        let (mut places, _) = self.vault.unlocked().unwrap().core.open_places(&self.root).unwrap();
        places[compartment.index()].take().unwrap()
    }

    fn object(&self, encrypted: &KeyedRef, context: &Context) -> Vec<u8> {
        open_object(&*self.vault.unlocked().unwrap().core.store, encrypted, context).unwrap().to_vec()
    }

    /// Appends the box of a plaintext as it is.
    fn encrypt_plain(&mut self, context: &Context, plaintext: &[u8]) -> KeyedRef {
        let (key, stored) =
            encrypt_once(&mut self.random, &context.bytes(), plaintext.to_vec().into()).unwrap();
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&(self.file.len() as u64).to_le_bytes());
        self.file.extend_from_slice(&stored);
        let object = ObjectRef { reference, length: stored.len() as u64 };
        KeyedRef { key, object, digest: ObjectDigest::of(&stored) }
    }

    fn encrypt(&mut self, context: &Context, content: &[u8]) -> KeyedRef {
        self.encrypt_plain(context, &pad(content))
    }

    /// The stored bytes of an object that was just appended.
    fn stored(&self, encrypted: &KeyedRef) -> &[u8] {
        &self.file[self.file.len() - at(encrypted.object.length)..]
    }

    fn page_context(&self, compartment: Compartment) -> Context {
        self.vault.unlocked().unwrap().core.scope.context(Purpose::Page).compartment(compartment).schema(1)
    }

    /// The context of the page one level down.
    fn child_context(&self, compartment: Compartment, nibble: u8) -> Context {
        let mut prefix = [0; 16];
        prefix[0] = nibble << 4;
        self.page_context(compartment).object(prefix, 1)
    }

    fn root_page(&self, compartment: Compartment) -> Vec<u8> {
        self.object(self.place(compartment).trie.as_ref().unwrap(), &self.page_context(compartment))
    }

    fn rows(&self, compartment: Compartment) -> Vec<Vec<u8>> {
        split_rows(&self.root_page(compartment))
    }

    /// All rows of a trie of one inner page.
    fn rows_below(&self, compartment: Compartment) -> Vec<Vec<u8>> {
        let children = split_children(&self.root_page(compartment));
        let pages = children.iter().map(|child| {
            let context = self.child_context(compartment, child[0]);
            split_rows(&self.object(&read_encrypted(&child[9..]), &context))
        });
        pages.flatten().collect()
    }

    /// Encrypts a place, its live bytes counted anew as far as the trie can be read.
    fn set_place(&mut self, compartment: Compartment, place: &Place) {
        let place = Place { live: self.live(compartment, place), ..place.duplicate() };
        let stored =
            self.vault.unlocked().unwrap().core.encrypt_place(&mut self.random, compartment, &place).unwrap();
        self.root.places[compartment.index()] = stored.unwrap();
    }

    /// Encrypts a place's plaintext as it is.
    fn set_place_plain(&mut self, compartment: Compartment, change: impl Fn(&mut [u8])) {
        let mut plain = self.place(compartment).encode();
        change(&mut plain);
        let core = &self.vault.unlocked().unwrap().core;
        let (key, context) =
            (core.keyring.compartment(compartment).unwrap(), core.place_context(compartment));
        let stored = encrypt_committed(&mut self.random, key, &context.bytes(), &plain).unwrap();
        self.root.places[compartment.index()] = PlaceBox(stored.try_into().unwrap());
        self.publish();
    }

    fn live(&self, compartment: Compartment, place: &Place) -> u64 {
        let store = SimDisk::without_trace(self.file.clone()).store();
        let trie = Trie {
            store: &store,
            cache: &PageCache::default(),
            scope: self.vault.unlocked().unwrap().core.scope,
            compartment,
            root: place.trie.as_ref(),
            rows: place.rows,
            live: 0,
        };
        let mut live = 0u64;
        trie.survey(&mut |visited| {
            if let Ok((object, page)) = visited {
                live = live.saturating_add(object.object.length);
                page.leaf_rows().iter().for_each(|row| live = live.saturating_add(row.stored_bytes()));
            }
        });
        live
    }

    fn set_root_page(&mut self, compartment: Compartment, content: &[u8], rows: usize) {
        let context = self.page_context(compartment);
        let encrypted = self.encrypt(&context, content);
        self.set_root_object(compartment, encrypted, rows);
    }

    fn set_root_object(&mut self, compartment: Compartment, encrypted: KeyedRef, rows: usize) {
        let place = Place { trie: Some(encrypted), rows: rows as u64, ..self.place(compartment) };
        self.set_place(compartment, &place);
        self.publish();
    }

    fn set_rows(&mut self, compartment: Compartment, rows: &[Vec<u8>]) {
        self.set_root_page(compartment, &leaf(rows), rows.len());
    }

    /// Both roots anew, with the append end behind what was appended.
    fn publish(&mut self) {
        self.file.resize(self.file.len().next_multiple_of(4096), 0);
        self.root.segment.end = self.file.len() as u64;
        let plain = self.root.encode();
        self.publish_plain(&plain);
    }

    fn publish_plain(&mut self, plain: &[u8]) {
        // One salt for all vectors: they differ then only where their roots do.
        self.encrypt_root(1, plain);
    }

    /// Both roots, encrypted with the salt that a seed gives.
    fn encrypt_root(&mut self, seed: u64, plain: &[u8]) {
        let core = &self.vault.unlocked().unwrap().core;
        let context = core.root_context().bytes();
        let stored =
            encrypt_committed(&mut Randomness::seeded(seed), &core.keyring.root_key(), &context, plain)
                .unwrap();
        for offset in ROOTS {
            self.file[at(offset)..at(offset) + stored.len()].copy_from_slice(&stored);
        }
    }

    fn change_root(&mut self, change: impl Fn(&mut [u8])) {
        let mut plain = self.root.encode();
        change(&mut plain);
        self.publish_plain(&plain);
    }

    /// Both areas changed under a right MAC and digest, named by both roots.
    fn change_areas(&mut self, change: impl Fn(&mut [u8])) {
        let mut area = self.file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN].to_vec();
        change(&mut area);
        mac_anew(&mut area, &self.vault.unlocked().unwrap().core.keyring.area_mac_key());
        for offset in AREAS {
            self.file[at(offset)..at(offset) + AREA_LEN].copy_from_slice(&area);
        }
        self.root.area_digest = Area::digest(&area);
        self.publish();
    }

    /// Puts a shortcut of another secret in the place of the slot's own, under its key
    /// and context.
    fn mislead_shortcut(&mut self) {
        let unlocked = self.vault.unlocked().unwrap();
        let way_in = unlocked.way_in.as_ref().unwrap();
        let (index, key) = way_in.known_shortcut().unwrap();
        let area = self.file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN].to_vec();
        let slot = &Area::parse(&area).unwrap().slots[index];
        let leads_to = Digest::of(&[&slot.encapsulation, &slot.granted]);
        let context = unlocked.core.scope.context(Purpose::Shortcut);
        let context = context.object(leads_to.as_bytes()[..16].try_into().unwrap(), 0).bytes();
        let shortcut = encrypt_committed(&mut self.random, key, &context, &[7; 32]).unwrap();
        let area = Area::with_shortcut(&area, index, &shortcut.try_into().unwrap());
        for offset in AREAS {
            self.file[at(offset)..at(offset) + AREA_LEN].copy_from_slice(&area);
        }
        self.publish();
    }

    /// The position of the first row of a class.
    fn position(&self, compartment: Compartment, class: u8) -> usize {
        self.rows(compartment).iter().position(|row| row[row::CLASS] == class).unwrap()
    }

    fn row_context(&self, compartment: Compartment, row: &[u8]) -> Context {
        let purpose = match row[row::CLASS] {
            1 | 2 => Purpose::Entry,
            4 => Purpose::Ledger,
            11 => Purpose::Story,
            12 => Purpose::Accounting,
            14 => Purpose::Import,
            6 => Purpose::Directory,
            8 => Purpose::Slice,
            9 => Purpose::Content,
            _ => Purpose::VaultRecord,
        };
        let object = if matches!(row[row::CLASS], 1 | 2 | 8 | 11) { row::ID } else { 0 };
        let object = row[object..object + 16].try_into().unwrap();
        let revision = u64::from_le_bytes(row[row::REVISION..row::EPOCH].try_into().unwrap());
        self.vault
            .unlocked()
            .unwrap()
            .core
            .scope
            .context(purpose)
            .compartment(compartment)
            .object(object, revision)
            .schema(1)
    }

    /// Changes the content of the first object of a class, encrypted as it should be.
    fn change_content(&mut self, compartment: Compartment, class: u8, change: impl Fn(&mut Vec<u8>)) {
        let mut rows = self.rows(compartment);
        let row = &mut rows[self.position(compartment, class)];
        let context = self.row_context(compartment, row);
        let mut content = self.object(&read_encrypted(&row[row::OBJECT..]), &context);
        change(&mut content);
        write_encrypted(&mut row[row::OBJECT..], &self.encrypt(&context, &content));
        self.set_rows(compartment, &rows);
    }

    /// Encrypts the first note's entry again: in another context, or another plaintext.
    fn encrypt_note_anew(&mut self, encrypt: impl Fn(&mut Self, &Context, &[u8]) -> KeyedRef) {
        let mut rows = self.rows(NOTES);
        let row = &mut rows[self.position(NOTES, 1)];
        let context = self.row_context(NOTES, row);
        let content = self.object(&read_encrypted(&row[row::OBJECT..]), &context);
        write_encrypted(&mut row[row::OBJECT..], &encrypt(self, &context, &content));
        self.set_rows(NOTES, &rows);
    }

    fn change_row(&mut self, compartment: Compartment, class: u8, change: impl Fn(&mut Vec<u8>)) {
        let mut rows = self.rows(compartment);
        let position = self.position(compartment, class);
        change(&mut rows[position]);
        self.set_rows(compartment, &rows);
    }

    /// Changes the link of a commit; the ledger heads follow the last one.
    fn change_link(&mut self, epoch: u64, change: impl Fn(&mut [u8])) {
        let mut rows = self.rows(RECORD);
        let last = self.root.epoch.number();
        let mut head = None;
        for row in rows.iter_mut().filter(|row| row[row::CLASS] == 3) {
            let number = u64::from_le_bytes(row[row::EPOCH..row::PRESENT].try_into().unwrap());
            if number == epoch {
                change(&mut row[row::LINK..]);
            }
            if number == last {
                head = Some(Digest::of(&[b"subrosa/v1 link", &row[row::LINK..]]));
            }
        }
        for compartment in Compartment::ALL {
            let mut place = self.place(compartment);
            if place.ledger.epoch.number() == last {
                place.ledger.link = head.unwrap();
                self.set_place(compartment, &place);
            }
        }
        self.set_rows(RECORD, &rows);
    }

    fn set_erase_list(&mut self, objects: Vec<([u8; 16], u64)>, change: impl Fn(&mut Vec<u8>)) {
        let mut content = wire::encode(&EraseListV1 { objects }).unwrap().to_vec();
        change(&mut content);
        let context = self.vault.unlocked().unwrap().core.erase_context(NOTES);
        let erase = Some(self.encrypt(&context, &content));
        let place = Place { erase, ..self.place(NOTES) };
        self.set_place(NOTES, &place);
        self.publish();
    }

    /// The stored root in place A.
    fn stored_root(&self) -> Vec<u8> {
        self.file[at(ROOTS[0])..at(ROOTS[0]) + ROOT_LEN].to_vec()
    }

    /// Puts the root of a next commit into place A, whose segment is one block of ones: the
    /// commit was cut, or not, as the digest says.
    fn begin_commit(&mut self, digest_of: &[u8], previous: Digest) {
        self.publish();
        let settled = self.stored_root();
        let start = self.file.len() as u64;
        self.file.resize(self.file.len() + 4096, 1);
        let mut digest = RunningSegmentDigest::default();
        digest.update(digest_of);
        let previous = if previous == NO_DIGEST { Digest::of(&[&settled]) } else { previous };
        let mut root = Root::decode(&self.root.encode()).unwrap();
        root.epoch = root.epoch.next().unwrap();
        root.previous = previous;
        root.segment = Segment { start, end: start + 4096, parts: 0, digest: digest.digest() };
        self.publish_plain(&root.encode());
        self.file[at(ROOTS[1])..at(ROOTS[1]) + ROOT_LEN].copy_from_slice(&settled);
    }

    /// An object that no row names, to be erased.
    fn dead_object(&self) -> ([u8; 16], u64) {
        // Filler of the commit before.
        const LENGTH: u64 = 64;
        let start = self.root.segment.start;
        assert!(start > crate::format::header::geometry::APPEND, "a commit stands before the last one");
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&(start - LENGTH).to_le_bytes());
        (reference, LENGTH)
    }
}

fn leaf(rows: &[Vec<u8>]) -> Vec<u8> {
    [&0u32.to_le_bytes()[..], &(rows.len() as u64).to_le_bytes(), &rows.concat()].concat()
}

fn inner(children: &[Vec<u8>]) -> Vec<u8> {
    [&1u32.to_le_bytes()[..], &(children.len() as u64).to_le_bytes(), &children.concat()].concat()
}

fn split_rows(content: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(content[..4], [0; 4]);
    let (mut rows, mut rest) = (Vec::new(), &content[12..]);
    while !rest.is_empty() {
        let count = if rest[row::PRESENT] == 1 { row::INLINE } else { row::OBJECT };
        let inline = u64::from_le_bytes(rest[count..count + 8].try_into().unwrap());
        let (row, after) = rest.split_at(count + 8 + at(inline));
        rows.push(row.to_vec());
        rest = after;
    }
    rows
}

fn split_children(content: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(content[..4], [1, 0, 0, 0]);
    content[12..].chunks(9 + 88).map(<[u8]>::to_vec).collect()
}

fn child(nibble: u8, rows: usize, encrypted: &KeyedRef) -> Vec<u8> {
    let mut bytes = vec![0; 9 + 88];
    bytes[0] = nibble;
    bytes[1..9].copy_from_slice(&(rows as u64).to_le_bytes());
    write_encrypted(&mut bytes[9..], encrypted);
    bytes
}

fn read_encrypted(bytes: &[u8]) -> KeyedRef {
    let mut place = vec![0; PLACE_LEN];
    place[8] = 1;
    place[9..97].copy_from_slice(&bytes[..88]);
    place[97] = 1;
    Place::decode(&place).unwrap().trie.unwrap()
}

fn write_encrypted(bytes: &mut [u8], encrypted: &KeyedRef) {
    bytes[..32].copy_from_slice(encrypted.key.expose_secret());
    bytes[32..48].copy_from_slice(&encrypted.object.reference);
    bytes[48..56].copy_from_slice(&encrypted.object.length.to_le_bytes());
    bytes[56..88].copy_from_slice(encrypted.digest.as_bytes());
}

fn set_u64(bytes: &mut [u8], offset: usize, value: u64) {
    bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}

/// A name, how it is made, the outcome, why.
type Fault = (&'static str, fn(&mut Forge), &'static str, &'static str);

/// Every fault that needs keys, with the changed file; the first changes nothing.
pub(super) fn all(file: &[u8]) -> Vec<(Case, Vec<u8>)> {
    let faults = ROOT.iter().chain(&AREA).chain(&PLACE).chain(&PAGE).chain(&TRIE).chain(&OBJECT);
    let faults = faults.chain(&ENTRY).chain(&HISTORY).chain(&CONTENT).chain(&NEWER);
    let made = faults.map(|(name, make, expect, why)| {
        let mut forge = Forge::open(file);
        make(&mut forge);
        (Case { name: (*name).into(), expect, why }, forge.file)
    });
    made.collect()
}

const AREA: [Fault; 3] = [
    (
        "areas encrypted again",
        |forge| forge.change_areas(|_| {}),
        "ok",
        "what the other faults of areas change is nothing else",
    ),
    (
        "reserved byte of the areas set",
        |forge| forge.change_areas(|area| area[25_500] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "shortcut that opens and leads nowhere",
        |forge| forge.mislead_shortcut(),
        "ok",
        "a shortcut that disagrees with the granted box is passed over: the encapsulation decides",
    ),
];

const ROOT: [Fault; 14] = [
    (
        "roots encrypted again",
        |forge| forge.publish(),
        "ok",
        "what the other faults of roots change is nothing else",
    ),
    (
        "least reader 2",
        |forge| forge.change_root(|root| root[root::LEAST_READER] = 2),
        "newer-version",
        "the vault asks for a newer reader",
    ),
    (
        "root names another area",
        |forge| forge.change_root(|root| root[root::AREA_DIGEST] ^= 1),
        "damaged",
        "no intact area has the digest",
    ),
    (
        "reserved byte of the root set",
        |forge| forge.change_root(|root| root[root::RESERVED] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "append end inside a block",
        |forge| {
            let end = forge.root.segment.end - 1;
            forge.change_root(|root| set_u64(root, root::APPEND_END, end));
        },
        "damaged",
        "segments go from block to block",
    ),
    (
        "segment that starts behind its end",
        |forge| {
            let end = forge.root.segment.end;
            forge.change_root(|root| set_u64(root, root::SEGMENT, end + 4096));
        },
        "damaged",
        "a segment starts before it ends",
    ),
    (
        "newer root whose segment is not there",
        |forge| forge.begin_commit(&[1; 4095], NO_DIGEST),
        "dropped",
        "the commit was cut; the root that it names as the one before is the state",
    ),
    (
        "newer root whose segment is not there and that names another root before it",
        |forge| forge.begin_commit(&[1; 4095], Digest::from_bytes([7; 32])),
        "damaged",
        "what stands in the other place is not the state before",
    ),
    (
        "two roots of one epoch",
        |forge| {
            forge.publish();
            let first = forge.stored_root();
            let plain = forge.root.encode();
            forge.encrypt_root(2, &plain);
            forge.file[at(ROOTS[1])..at(ROOTS[1]) + ROOT_LEN].copy_from_slice(&first);
        },
        "forked",
        "nobody says which one is the state",
    ),
    (
        "erase list",
        |forge| {
            let dead = forge.dead_object();
            forge.set_erase_list(vec![dead], |_| {});
        },
        "ok",
        "an opening erases again what the list names",
    ),
    (
        "erase list with bytes left over",
        |forge| {
            let dead = forge.dead_object();
            forge.set_erase_list(vec![dead], |list| list.push(0));
        },
        "damaged",
        "nothing may be left over",
    ),
    (
        "erase list names the header",
        |forge| forge.set_erase_list(vec![([0; 16], 4096)], |_| {}),
        "damaged",
        "objects stand in the append area",
    ),
    (
        "previous root of the root flipped",
        |forge| forge.change_root(|root| root[root::PREVIOUS] ^= 1),
        "damaged",
        "the last link names the previous root",
    ),
    (
        "places of two compartments swapped",
        |forge| {
            forge.root.places.swap(3, 4);
            forge.publish();
        },
        "damaged",
        "a place is under its own key and context",
    ),
];

const PLACE: [Fault; 9] = [
    (
        "place box flipped",
        |forge| forge.change_root(|root| root[root::PLACES + 3 * 360 + 100] ^= 1),
        "damaged",
        "the place of a granted compartment must open",
    ),
    (
        "reserved byte of a place set",
        |forge| forge.set_place_plain(NOTES, |place| place[287] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "place for reader 2 and a field that is not known",
        |forge| forge.set_place_plain(NOTES, |place| (place[153], place[287]) = (2, 1)),
        "newer-compartment",
        "the compartment is refused by name, before the rest is looked at",
    ),
    (
        "place flag 2",
        |forge| forge.set_place_plain(NOTES, |place| place[8] = 2),
        "damaged",
        "the flag is 0 or 1",
    ),
    (
        "place with a page and no rows",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, 97, 0)),
        "damaged",
        "an empty trie has no page",
    ),
    (
        "place with a row too many",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, 97, 4)),
        "damaged",
        "the number of rows is that of the trie",
    ),
    (
        "place with a live byte too many",
        |forge| {
            let live = forge.place(NOTES).live;
            forge.set_place_plain(NOTES, |place| set_u64(place, 145, live + 1));
        },
        "damaged",
        "the live bytes are those of the pages and of the objects that rows name",
    ),
    (
        "place names the page of another compartment",
        |forge| {
            let page = forge.place(Compartment::SubstanceUse);
            forge.set_root_object(NOTES, page.trie.unwrap(), at(page.rows));
        },
        "damaged",
        "the context of a page names its place",
    ),
    (
        "ledger head of a compartment flipped",
        |forge| forge.set_place_plain(NOTES, |place| place[113] ^= 1),
        "damaged",
        "the head is the digest of a link",
    ),
];

fn with_page(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    let mut page = forge.root_page(NOTES);
    let rows = split_rows(&page).len();
    change(&mut page);
    forge.set_root_page(NOTES, &page, rows);
}

fn with_rows(forge: &mut Forge, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut rows = forge.rows(NOTES);
    change(&mut rows);
    forge.set_rows(NOTES, &rows);
}

/// An entry, encrypted as it should be, among the rows of `custody`.
fn misplaced_entry(forge: &mut Forge) {
    let mut row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
    let context = forge.row_context(NOTES, &row);
    let content = forge.object(&read_encrypted(&row[row::OBJECT..]), &context);
    let context = forge.row_context(Compartment::Custody, &row);
    write_encrypted(&mut row[row::OBJECT..], &forge.encrypt(&context, &content));
    let mut rows = forge.rows(Compartment::Custody);
    rows.push(row);
    rows.sort();
    forge.set_rows(Compartment::Custody, &rows);
}

const PAGE: [Fault; 16] = [
    (
        "page encrypted again",
        |forge| with_page(forge, |_| {}),
        "ok",
        "what the other faults of pages change is nothing else",
    ),
    (
        "page with a byte left over",
        |forge| with_page(forge, |page| page.push(0)),
        "damaged",
        "nothing may be left over",
    ),
    (
        "page of an unknown variant",
        |forge| with_page(forge, |page| page[0] = 2),
        "damaged",
        "a page is a leaf or an inner page",
    ),
    (
        "page that claims 2^60 rows",
        |forge| with_page(forge, |page| page[11] = 0x10),
        "damaged",
        "a count is no reason to allocate",
    ),
    (
        "empty leaf",
        |forge| {
            with_page(forge, |page| {
                page.truncate(12);
                page[4] = 0;
            })
        },
        "damaged",
        "an empty trie has no page",
    ),
    (
        "rows out of order",
        |forge| with_rows(forge, |rows| rows.swap(0, 1)),
        "damaged",
        "keys ascend strictly",
    ),
    (
        "row twice",
        |forge| with_rows(forge, |rows| rows.insert(0, rows[0].clone())),
        "damaged",
        "keys ascend strictly",
    ),
    (
        "row of an unknown class",
        |forge| forge.change_row(NOTES, 1, |row| row[row::CLASS] = 9),
        "damaged",
        "the head of a content has revision 0",
    ),
    (
        "row whose key is not the entry's id",
        |forge| forge.change_row(NOTES, 1, |row| row[15] ^= 1),
        "damaged",
        "a row's key follows from its class",
    ),
    (
        "option tag 2 in a row",
        |forge| forge.change_row(NOTES, 1, |row| row[row::PRESENT] = 2),
        "damaged",
        "an option is 0 or 1",
    ),
    (
        "row without its object",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row[row::PRESENT] = 0;
                row.drain(row::OBJECT..row::INLINE);
            })
        },
        "damaged",
        "an entry has an object",
    ),
    (
        "301 inline bytes",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row.resize(row::INLINE + 8 + 301, 0);
                set_u64(row, row::INLINE, 301);
            })
        },
        "damaged",
        "at most 300",
    ),
    (
        "card with a byte left over",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row.push(0);
                let length = row.len() - row::INLINE - 8;
                set_u64(row, row::INLINE, length as u64);
            })
        },
        "damaged",
        "nothing may be left over",
    ),
    ("entry in custody", misplaced_entry, "damaged", "entries stand in the compartments that hold them"),
    (
        "inline bytes in a directory row",
        |forge| {
            forge.change_row(Compartment::Custody, 6, |row| {
                row.push(0);
                set_u64(row, row::INLINE, 1);
            })
        },
        "damaged",
        "only current entries and links have inline bytes",
    ),
    (
        "card of another kind",
        |forge| forge.change_row(NOTES, 1, |row| row[row::INLINE + 8] = 1),
        "damaged",
        "the card is that of the entry",
    ),
];

/// The rows of a compartment split by their first nibble, encrypted as leaves.
fn children(forge: &mut Forge, compartment: Compartment, rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut children = Vec::new();
    for nibble in 0..16 {
        let own: Vec<_> = rows.iter().filter(|row| row[0] >> 4 == nibble).cloned().collect();
        if !own.is_empty() {
            let context = forge.child_context(compartment, nibble);
            children.push(child(nibble, own.len(), &forge.encrypt(&context, &leaf(&own))));
        }
    }
    children
}

fn with_children(forge: &mut Forge, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut children = split_children(&forge.root_page(GENERAL));
    let rows = at(forge.place(GENERAL).rows);
    change(&mut children);
    forge.set_root_page(GENERAL, &inner(&children), rows);
}

/// A leaf below the root of `general` with a row that belongs beside it.
fn stray_row(forge: &mut Forge) {
    let page = split_children(&forge.root_page(GENERAL));
    let rows = at(forge.place(GENERAL).rows);
    let all = forge.rows_below(GENERAL);
    let (first, last) = (page[0][0], page[page.len() - 1][0]);
    let stray = all.last().unwrap().clone();
    let own = |nibble: u8| all.iter().filter(move |row| row[0] >> 4 == nibble).cloned();
    let longer: Vec<_> = own(first).chain([stray]).collect();
    let mut shorter: Vec<_> = own(last).collect();
    shorter.pop();
    let mut children = page;
    let context = forge.child_context(GENERAL, first);
    children[0] = child(first, longer.len(), &forge.encrypt(&context, &leaf(&longer)));
    let context = forge.child_context(GENERAL, last);
    let end = children.len() - 1;
    children[end] = child(last, shorter.len(), &forge.encrypt(&context, &leaf(&shorter)));
    children.retain(|child| child[1..9] != [0; 8]);
    forge.set_root_page(GENERAL, &inner(&children), rows);
}

const TRIE: [Fault; 8] = [
    (
        "inner page encrypted again",
        |forge| with_children(forge, |_| {}),
        "ok",
        "what the other faults of inner pages change is nothing else",
    ),
    (
        "leaf of 33 rows",
        |forge| {
            let rows = forge.rows_below(GENERAL);
            forge.set_rows(GENERAL, &rows[..33]);
        },
        "damaged",
        "a leaf has at most 32 rows",
    ),
    (
        "inner page for rows that fit a leaf",
        |forge| {
            let rows = forge.rows(NOTES);
            let children = children(forge, NOTES, &rows);
            forge.set_root_page(NOTES, &inner(&children), rows.len());
        },
        "damaged",
        "an inner page stands for more than 32 rows",
    ),
    (
        "children out of order",
        |forge| with_children(forge, |children| children.swap(0, 1)),
        "damaged",
        "nibbles ascend strictly",
    ),
    (
        "nibble 16",
        |forge| {
            with_children(forge, |children| {
                let last = children.len() - 1;
                children[last][0] = 16;
            })
        },
        "damaged",
        "a nibble is less than 16",
    ),
    (
        "child with a row too many",
        |forge| {
            with_children(forge, |children| {
                children[0][1] += 1;
                children[1][1] -= 1;
            })
        },
        "damaged",
        "a child has the rows that its parent says",
    ),
    (
        "two children name one page",
        |forge| {
            with_children(forge, |children| {
                let (first, second) = children.split_at_mut(1);
                second[0][1..].copy_from_slice(&first[0][1..]);
            })
        },
        "damaged",
        "the context of a page names its prefix",
    ),
    ("row under another prefix", stray_row, "damaged", "the rows of a leaf have its prefix"),
];

const OBJECT: [Fault; 14] = [
    (
        "stored byte of an entry flipped",
        |forge| {
            let row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
            let start = at(u64::from_le_bytes(row[row::REFERENCE..row::REFERENCE + 8].try_into().unwrap()));
            forge.file[start] ^= 1;
        },
        "damaged",
        "the digest of the stored bytes",
    ),
    (
        "digest of an entry flipped",
        |forge| forge.change_row(NOTES, 1, |row| row[row::DIGEST] ^= 1),
        "damaged",
        "the digest is compared before anything is decrypted",
    ),
    (
        "key of an entry flipped",
        |forge| forge.change_row(NOTES, 1, |row| row[row::OBJECT] ^= 1),
        "damaged",
        "the box does not open",
    ),
    (
        "length of an entry less by one",
        |forge| forge.change_row(NOTES, 1, |row| row[row::LENGTH] -= 1),
        "damaged",
        "the digest is that of the whole box",
    ),
    (
        "reference into the header",
        |forge| forge.change_row(NOTES, 1, |row| set_u64(row, row::REFERENCE, 0)),
        "damaged",
        "objects stand in the append area",
    ),
    (
        "reference past the end of the file",
        |forge| forge.change_row(NOTES, 1, |row| set_u64(row, row::REFERENCE, u64::MAX - 8)),
        "damaged",
        "offset and length must not overflow",
    ),
    (
        "reserved byte of a reference set",
        |forge| forge.change_row(NOTES, 1, |row| row[row::REFERENCE + 15] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "entry encrypted for another id",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                forge.encrypt(&context.object([9; 16], 1), content)
            })
        },
        "damaged",
        "the context names the entry",
    ),
    (
        "entry encrypted for another revision",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
                forge.encrypt(&context.object(row[row::ID..row::REVISION].try_into().unwrap(), 7), content)
            })
        },
        "damaged",
        "the context names the revision",
    ),
    (
        "entry padded with a one",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut plain = pad(content).to_vec();
                *plain.last_mut().unwrap() = 1;
                assert!(plain.len() > 8 + content.len());
                forge.encrypt_plain(context, &plain)
            })
        },
        "damaged",
        "the padding is zero",
    ),
    (
        "entry padded to a size of its own",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let plain = [&pad(content)[..], &[0; 16]].concat();
                forge.encrypt_plain(context, &plain)
            })
        },
        "damaged",
        "the size is that of Padmé",
    ),
    (
        "entry without its last chunk",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut plain = pad(content).to_vec();
                plain.resize(16384, 0);
                let mut encrypted = forge.encrypt_plain(context, &plain);
                let start = forge.file.len() - 16;
                forge.file.truncate(start);
                encrypted.object.length -= 16;
                encrypted.digest = ObjectDigest::of(&forge.file[start - 16400..]);
                encrypted
            })
        },
        "damaged",
        "the last chunk is shorter than the others",
    ),
    (
        "short entry with a BLAKE3 digest",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut encrypted = forge.encrypt(context, content);
                encrypted.digest =
                    ObjectDigest::from_bytes(*blake3::hash(forge.stored(&encrypted)).as_bytes());
                encrypted
            })
        },
        "damaged",
        "the digest of fewer than 4096 bytes is SHA-256",
    ),
    (
        "long entry with a SHA-256 digest",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut encrypted = forge.encrypt(context, &lengthened(content));
                let digest = Digest::of(&[forge.stored(&encrypted)]);
                encrypted.digest = ObjectDigest::from_bytes(*digest.as_bytes());
                encrypted
            })
        },
        "damaged",
        "the digest of 4096 bytes and more is BLAKE3",
    ),
];

/// Where the fields of the first note's entry stand: form, date, text.
mod note {
    pub(super) const FIRST: usize = 10;
    pub(super) const SECOND: usize = FIRST + 29;
    pub(super) const THIRD: usize = SECOND + 26;
    /// From the end: the marks and what stands before them, all absent.
    pub(super) const RETRACTED: usize = 19;
    pub(super) const LABELS: usize = RETRACTED + 1 + 8 + 8;
    pub(super) const ORIGIN: usize = LABELS + 1 + 4;
}

/// The note, of which the text is longer than an object that has a SHA-256.
fn lengthened(content: &[u8]) -> Vec<u8> {
    const MORE: usize = 4096;
    let (length, text) = (note::THIRD + 8, note::THIRD + 16);
    let before = u64::from_le_bytes(*content[length..].first_chunk().unwrap());
    let mut longer = content[..text].to_vec();
    set_u64(&mut longer, length, before + MORE as u64);
    longer.resize(text + MORE, b'a');
    longer.extend_from_slice(&content[text..]);
    longer
}

fn with_note(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    forge.change_content(NOTES, 1, change);
}

const ENTRY: [Fault; 22] = [
    (
        "entry with a byte left over",
        |forge| with_note(forge, |entry| entry.push(0)),
        "damaged",
        "nothing may be left over",
    ),
    (
        "entry cut by a byte",
        |forge| {
            with_note(forge, |entry| {
                entry.pop();
            })
        },
        "damaged",
        "a value is missing",
    ),
    (
        "entry of an unknown kind",
        |forge| with_note(forge, |entry| entry[0] = 99),
        "damaged",
        "reader version 1 knows the kinds of the appendix",
    ),
    (
        "field of another type",
        |forge| with_note(forge, |entry| entry[note::FIRST + 4] = 3),
        "damaged",
        "the appendix gives a field's type",
    ),
    (
        "field of an unknown tag",
        |forge| with_note(forge, |entry| entry[note::THIRD] = 99),
        "damaged",
        "the appendix lists the tags",
    ),
    (
        "fields out of order",
        |forge| with_note(forge, |entry| entry[note::FIRST] = 9),
        "damaged",
        "fields ascend strictly",
    ),
    (
        "second value of a field without a first",
        |forge| with_note(forge, |entry| entry[note::THIRD + 2] = 1),
        "damaged",
        "values are indexed from 0",
    ),
    (
        "text that is not UTF-8",
        |forge| with_note(forge, |entry| entry[note::FIRST + 16] = 0xff),
        "damaged",
        "text is UTF-8",
    ),
    (
        "text that claims 2^40 bytes",
        |forge| with_note(forge, |entry| entry[note::FIRST + 8 + 5] = 1),
        "damaged",
        "a length is no reason to allocate",
    ),
    (
        "empty text",
        |forge| {
            with_note(forge, |entry| {
                entry.drain(note::FIRST + 16..note::SECOND);
                entry[note::FIRST + 8] = 0;
            })
        },
        "damaged",
        "a text that exists is not empty",
    ),
    (
        "date in a thirteenth month",
        |forge| with_note(forge, |entry| entry[note::SECOND + 16 + 6] = b'3'),
        "damaged",
        "a date is one of the calendar",
    ),
    (
        "boolean 2",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::RETRACTED;
                entry[at] = 2;
            })
        },
        "damaged",
        "a boolean is 0 or 1",
    ),
    (
        "unknown origin",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::ORIGIN;
                entry[at] = 7;
            })
        },
        "damaged",
        "there are three origins",
    ),
    (
        "labels that claim 2^64 - 1 items",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::LABELS;
                set_u64(entry, at, u64::MAX);
            })
        },
        "damaged",
        "a count is no reason to allocate",
    ),
    (
        "directory of 15 slots",
        |forge| {
            forge.change_content(Compartment::Custody, 6, |directory| {
                let at = directory.len() - (8 + 1216 + 1 + 1 + 1 + 8 + 8 + 1);
                directory.truncate(at);
                directory[0] = 15;
            })
        },
        "damaged",
        "the directory lists all 16 slots",
    ),
    (
        "directory with a password of generation 3",
        |forge| forge.change_content(Compartment::Custody, 6, |slots| slots[directory::GENERATION] = 3),
        "damaged",
        "an area has two generations",
    ),
    (
        "directory with a password of no generation",
        |forge| forge.change_content(Compartment::Custody, 6, |slots| slots[directory::GENERATION] = 0),
        "damaged",
        "a password uses one of the two generations",
    ),
    (
        "directory with a recovery key of a generation",
        |forge| {
            forge.change_content(Compartment::Custody, 6, |slots| {
                slots[directory::SECOND + directory::GENERATION - directory::FIRST] = 1;
            })
        },
        "damaged",
        "only passwords have a generation",
    ),
    (
        "directory with its password marked for the second generation",
        |forge| forge.change_content(Compartment::Custody, 6, |slots| slots[directory::GENERATION] = 2),
        "ok",
        "a mark in range is not for a reader to judge",
    ),
    (
        "directory with another signing key for the slot that opened",
        |forge| forge.change_content(Compartment::Custody, 6, |slots| slots[directory::OWN_SIGNING] ^= 1),
        "damaged",
        "the slot's seed gives the signing keys",
    ),
    (
        "directory with a password that has no signing keys",
        |forge| {
            forge.change_content(Compartment::Custody, 6, |slots| {
                drop(slots.splice(directory::SIGNING - 1..directory::SIGNING + 3 * 32, [0]));
            })
        },
        "damaged",
        "every slot in use has them",
    ),
    (
        "directory with signing keys for a slot that nobody uses",
        |forge| {
            forge.change_content(Compartment::Custody, 6, |slots| {
                *slots.last_mut().unwrap() = 1;
                slots.extend_from_slice(&[7; 3 * 32]);
            })
        },
        "damaged",
        "nobody has its seed",
    ),
];

/// Where the fields of a link stand.
mod link {
    pub(super) const TIME: usize = 8;
    pub(super) const ACTION: usize = 16;
    pub(super) const PREVIOUS_LINK: usize = 20;
    pub(super) const PREVIOUS_ROOT: usize = 52;
    pub(super) const LEAVES: usize = 84;
}

/// Where the fields of a ledger row stand.
mod ledger {
    pub(super) const LINES: usize = 24;
    pub(super) const ACTION: usize = 32;
}

/// A compartment without its rows of a class.
fn without(forge: &mut Forge, compartment: Compartment, class: u8) {
    let mut rows = forge.rows(compartment);
    rows.retain(|row| row[row::CLASS] != class);
    if !rows.is_empty() {
        return forge.set_rows(compartment, &rows);
    }
    let place = Place { trie: None, rows: 0, ..forge.place(compartment) };
    forge.set_place(compartment, &place);
    forge.publish();
}

const HISTORY: [Fault; 20] = [
    (
        "link encrypted again",
        |forge| forge.change_link(2, |_| {}),
        "ok",
        "what the other faults of links change is nothing else",
    ),
    (
        "link missing",
        |forge| {
            let mut rows = forge.rows(RECORD);
            rows.retain(|row| !(row[row::CLASS] == 3 && row[row::EPOCH] == 3));
            forge.set_rows(RECORD, &rows);
        },
        "damaged",
        "every commit has a link",
    ),
    (
        "previous link flipped",
        |forge| forge.change_link(LAST, |link| link[link::PREVIOUS_LINK] ^= 1),
        "damaged",
        "the chain is broken",
    ),
    (
        "time of a link changed",
        |forge| forge.change_link(3, |link| link[link::TIME] ^= 1),
        "damaged",
        "the next link has the digest of this one",
    ),
    (
        "first link with a link before it",
        |forge| forge.change_link(1, |link| link[link::PREVIOUS_LINK] = 1),
        "damaged",
        "zeros in the first link",
    ),
    (
        "previous root of the last link flipped",
        |forge| forge.change_link(LAST, |link| link[link::PREVIOUS_ROOT] ^= 1),
        "damaged",
        "it is the previous root that the root names",
    ),
    (
        "leaves of the last link flipped",
        |forge| forge.change_link(LAST, |link| link[link::LEAVES] ^= 1),
        "damaged",
        "the ledger lines of the commit are not in it",
    ),
    (
        "action of a ledger line changed",
        |forge| forge.change_content(NOTES, 4, |ledger| ledger[ledger::ACTION] = 3),
        "damaged",
        "the leaf is not in the commit's tree",
    ),
    (
        "path of a ledger line flipped",
        |forge| {
            forge.change_content(NOTES, 4, |ledger| {
                let end = ledger.len();
                ledger[end - 96] ^= 1;
            })
        },
        "damaged",
        "the path does not lead to the tree's root",
    ),
    (
        "what everybody is told of a commit changed",
        |forge| forge.change_link(3, |link| link[link::ACTION] ^= 1),
        "damaged",
        "the next link has the digest of this one",
    ),
    (
        "ledger line that is there twice",
        |forge| {
            forge.change_content(NOTES, 4, |ledger| {
                let line = ledger[ledger::ACTION..ledger.len() - 96].to_vec();
                let end = ledger.len() - 96;
                ledger.splice(end..end, line);
                ledger[ledger::LINES] = 2;
            })
        },
        "damaged",
        "no two lines are the same",
    ),
    (
        "story of another entry",
        |forge| forge.change_row(NOTES, 11, |row| row[row::ID] ^= 1),
        "damaged",
        "a story's key is made of its entry's id",
    ),
    (
        "story encrypted again",
        |forge| forge.change_content(NOTES, 11, |_| {}),
        "ok",
        "what the other faults of stories change is nothing else",
    ),
    (
        "story of no act",
        |forge| forge.change_content(NOTES, 11, |story| *story = vec![0; 8]),
        "damaged",
        "an entry of which nothing is told has no story",
    ),
    (
        "story of no entry",
        |forge| {
            let mut rows = forge.rows(NOTES);
            let story = forge.position(NOTES, 11);
            let id = rows[story][row::ID..row::REVISION].to_vec();
            rows.retain(|row| row[row::CLASS] == 11 || row[row::ID..row::REVISION] != id);
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "a story is that of an entry",
    ),
    (
        "account of another release",
        |forge| forge.change_content(NOTES, 12, |account| account[0] ^= 1),
        "damaged",
        "an account is of its row's epoch",
    ),
    (
        "account of more entries than tell of it",
        |forge| {
            forge.change_content(NOTES, 12, |account| {
                let end = account.len();
                account[end - 8] += 1;
            })
        },
        "damaged",
        "an account counts the entries of which stories tell of the release",
    ),
    ("vault record missing", |forge| without(forge, RECORD, 5), "damaged", "there is one vault record"),
    (
        "directory missing",
        |forge| without(forge, Compartment::Custody, 6),
        "damaged",
        "there is one directory",
    ),
    (
        "head of the record flipped",
        |forge| forge.set_place_plain(RECORD, |place| place[113] ^= 1),
        "damaged",
        "the head of record is the last link",
    ),
];

/// Where the fields of an encoded head of a content stand (`ContentV1`).
mod head {
    pub(super) const SIZE: usize = 16;
    pub(super) const DIGEST: usize = SIZE + 8;
    pub(super) const SLICES: usize = DIGEST + 32;
    pub(super) const USERS: usize = SLICES + 8;
}

const CONTENT: [Fault; 12] = [
    (
        "users of a content not sorted",
        |forge| forge.change_content(SEALED, 9, |content| content[head::USERS + 8..].rotate_left(16)),
        "damaged",
        "users ascend strictly",
    ),
    (
        "user of a content missing",
        |forge| {
            forge.change_content(SEALED, 9, |content| {
                set_u64(content, head::USERS, 1);
                content.truncate(head::USERS + 8 + 16);
            })
        },
        "damaged",
        "an entry names the content and is not among its users",
    ),
    (
        "user of a content too many",
        |forge| {
            forge.change_content(SEALED, 9, |content| {
                set_u64(content, head::USERS, 3);
                content.extend_from_slice(&[0xff; 16]);
            })
        },
        "damaged",
        "no entry of this id names the content",
    ),
    (
        "size of a content less by one",
        |forge| forge.change_content(SEALED, 9, |content| content[head::SIZE] -= 1),
        "damaged",
        "the last slice is longer",
    ),
    (
        "size of a content without end",
        |forge| forge.change_content(SEALED, 9, |content| set_u64(content, head::SIZE, u64::MAX)),
        "damaged",
        "it would have other slices",
    ),
    (
        "slices of a content one too many",
        |forge| forge.change_content(SEALED, 9, |content| content[head::SLICES] += 1),
        "damaged",
        "the size says how many there are",
    ),
    (
        "digest of a content flipped",
        |forge| forge.change_content(SEALED, 9, |content| content[head::DIGEST] ^= 1),
        "damaged",
        "the row's key is made of it",
    ),
    (
        "id of a content flipped",
        |forge| forge.change_content(SEALED, 9, |content| content[0] ^= 1),
        "damaged",
        "the row has the content's id",
    ),
    (
        "byte of a slice changed and encrypted",
        |forge| forge.change_content(SEALED, 8, |content| content[10] ^= 1),
        "damaged",
        "the digest of the whole content",
    ),
    (
        "index of a slice changed",
        |forge| forge.change_row(SEALED, 8, |row| set_u64(row, row::REVISION, 1)),
        "damaged",
        "the row's key is made of it",
    ),
    ("slice missing", |forge| without(forge, SEALED, 8), "damaged", "the head says that there is one"),
    ("content missing", |forge| without(forge, SEALED, 9), "damaged", "entries name it"),
];

const NEWER: [Fault; 5] = [
    (
        "least reader 2 and a field that is not known",
        |forge| {
            forge.change_root(|root| {
                root[root::LEAST_READER] = 2;
                root[root::RESERVED] = 1;
            })
        },
        "newer-version",
        "the version is looked at before the rest",
    ),
    (
        "append end behind the file",
        |forge| {
            let end = forge.file.len() as u64 + 4096;
            forge.change_root(|root| set_u64(root, root::APPEND_END, end));
        },
        "damaged",
        "nothing was appended there",
    ),
    (
        "append end in the fixed parts",
        |forge| forge.change_root(|root| set_u64(root, root::APPEND_END, 77_824)),
        "damaged",
        "nothing is appended there",
    ),
    (
        "object to erase behind the append end",
        |forge| {
            let (reference, _) = forge.dead_object();
            forge.set_erase_list(vec![(reference, 1 << 20)], |_| {});
        },
        "damaged",
        "it was never appended",
    ),
    (
        "objects to erase longer than the file",
        |forge| {
            let everything = forge.file.len() as u64 - 81_920;
            forge.set_erase_list(vec![(first_object().reference, everything); 2], |_| {});
        },
        "damaged",
        "each was appended once",
    ),
];

/// The reference to the beginning of the append area.
fn first_object() -> ObjectRef {
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&81_920u64.to_le_bytes());
    ObjectRef { reference, length: 0 }
}
