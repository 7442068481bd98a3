//! The expunge adversary: with the whole file, free space included, and every
//! credential that ever was, it must find no key and no word of an expunged entry.
//!
//! It is stronger than any attacker. It knows every key that the vault ever
//! drew and recognises one anywhere in what it reads, whatever the structure
//! around it; it decrypts without asking context or tag; and it tries each key
//! that it learnt at every byte of the file. A single-use box begins with the
//! length of its content, whose upper half is zero, so that the first block of
//! a key's key stream tells where boxes of this key begin.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::basics::options;
use super::workload::{
    CANARY, CANARY_DIGITS, Model, Modelled, Run, Workload, clinic, guest, owner, password,
};
use crate::codec::padding::padme;
use crate::crypto::boxes::{chunked_len, commits_to, decrypt_committed, decrypt_unauthenticated};
use crate::crypto::random::Randomness;
use crate::engine::core::{PLACE_SCHEMA, ROOT_SCHEMA};
use crate::format::area::{AREA_LEN, Area};
use crate::format::context::{OBJECT_AT, PURPOSE_AT, Purpose, Scope};
use crate::format::header::{HEADER_LEN, Header, geometry};
use crate::format::root::{ROOT_LEN, Root};
use crate::keys::{Keyring, UnlockKeys};
use crate::testing::{Encrypted, Sabotage, sabotage};
use crate::*;

/// Where patterns of four bytes stand in a text, in one pass.
struct Index {
    filter: Vec<bool>,
    patterns: HashMap<u32, Vec<usize>>,
}

impl Index {
    fn new(patterns: impl Iterator<Item = [u8; 4]>) -> Self {
        let mut index = Self { filter: vec![false; 1 << 16], patterns: HashMap::new() };
        for (number, pattern) in patterns.enumerate() {
            let pattern = u32::from_le_bytes(pattern);
            index.filter[pattern as usize & 0xffff] = true;
            index.patterns.entry(pattern).or_default().push(number);
        }
        index
    }

    /// Visits (offset, number of the pattern) of every occurrence.
    fn find(&self, text: &[u8], visit: &mut dyn FnMut(usize, usize)) {
        for (offset, window) in text.windows(4).enumerate() {
            if !self.filter[usize::from(window[0]) | usize::from(window[1]) << 8] {
                continue;
            }
            let pattern = u32::from_le_bytes(window.try_into().unwrap());
            for number in self.patterns.get(&pattern).into_iter().flatten() {
                visit(offset, *number);
            }
        }
    }
}

/// What was found that must not be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leak {
    /// The content key of an expunged entry.
    Key(EntryId),
    /// A word of an expunged entry.
    Word(u32),
}

/// The adversary on the files of one vault.
pub(super) struct Adversary {
    encrypted: Vec<Encrypted>,
    /// Keys by their first bytes; the canary last.
    keys: Index,
    /// Keys by the upper half of the length that their boxes begin with.
    streams: Index,
    boxes: HashMap<[u8; 32], Vec<usize>>,
    credentials: Vec<Credential>,
    keyrings: HashMap<Digest, Vec<Keyring>>,
    /// Whose contents the slices are of.
    contents: BTreeMap<ContentId, EntryId>,
    /// The vault's header, for files that have none yet.
    header: Vec<u8>,
}

impl Adversary {
    pub(super) fn new(run: &Run) -> Self {
        let encrypted = run.encrypted.clone();
        let first = |encrypted: &Encrypted| *encrypted.key.first_chunk().unwrap();
        let canary = *CANARY.first_chunk().unwrap();
        let stream = |encrypted: &Encrypted| {
            let stream = decrypt_unauthenticated(&encrypted.key, &[0; 24]);
            *stream[4..].first_chunk().unwrap()
        };
        let mut boxes: HashMap<[u8; 32], Vec<usize>> = HashMap::new();
        for (number, encrypted) in encrypted.iter().enumerate() {
            boxes.entry(encrypted.key).or_default().push(number);
        }
        let credentials = [owner(), clinic()].into_iter().chain(run.passwords.iter().map(|p| password(p)));
        let credentials = credentials.chain(run.guests.iter().map(|number| guest(*number)));
        Self {
            keys: Index::new(encrypted.iter().map(first).chain([canary])),
            streams: Index::new(encrypted.iter().map(stream)),
            boxes,
            credentials: credentials.collect(),
            keyrings: HashMap::new(),
            contents: run.contents.clone(),
            header: run.disk.image()[..HEADER_LEN].to_vec(),
            encrypted,
        }
    }

    /// Everything of the model's expunged entries that the file still yields.
    pub(super) fn leaks(&mut self, file: &[u8], model: &Model) -> Vec<Leak> {
        self.leaks_of(file, &model.expunged)
    }

    fn leaks_of(&mut self, file: &[u8], expunged: &BTreeMap<EntryId, u32>) -> Vec<Leak> {
        let mut hunt = Hunt::default();
        hunt.read(self, file);
        for plain in self.open_heads(file) {
            hunt.read(self, &plain);
        }
        let starts = self.box_starts(file);
        while let Some(number) = hunt.queue.pop() {
            for plain in self.open_boxes(file, number, &starts) {
                hunt.read(self, &plain);
            }
        }
        let keys = hunt.learnt.iter().filter_map(|number| self.entry_of(*number));
        let keys = keys.filter(|id| expunged.contains_key(id)).map(Leak::Key);
        let words = hunt.words.into_iter().filter(|word| expunged.values().any(|gone| gone == word));
        keys.chain(words.map(Leak::Word)).collect()
    }

    /// The keys of boxes made later that somebody finds in `file` who has every
    /// key of the first `known` boxes and whatever their credential opened in
    /// the `older` files: the numbers of those boxes.
    fn learns(&mut self, file: &[u8], who: Credential, known: usize, older: &[Vec<u8>]) -> BTreeSet<usize> {
        let hunt = self.hunt(file, who, known, older);
        hunt.learnt.into_iter().filter(|number| *number >= known).collect()
    }

    /// Everything that somebody finds in `file` who has that.
    fn hunt(&mut self, file: &[u8], who: Credential, known: usize, older: &[Vec<u8>]) -> Hunt {
        self.credentials = vec![who];
        self.keyrings.clear();
        let mut hunt = Hunt { queue: (0..known).collect(), ..Hunt::default() };
        hunt.read(self, file);
        for heads in older.iter().map(Vec::as_slice).chain([file]) {
            for plain in self.open_heads_of(heads, file) {
                hunt.read(self, &plain);
            }
        }
        let starts = self.box_starts(file);
        while let Some(number) = hunt.queue.pop() {
            for plain in self.open_boxes(file, number, &starts) {
                hunt.read(self, &plain);
            }
        }
        hunt
    }

    /// The entry that a box holds a revision of, its story, or a slice of its attachment.
    fn entry_of(&self, number: usize) -> Option<EntryId> {
        let context = &self.encrypted[number].context;
        let id = *context[OBJECT_AT..].first_chunk().unwrap();
        match context[PURPOSE_AT] {
            purpose if purpose == Purpose::Entry as u8 || purpose == Purpose::Story as u8 => {
                Some(EntryId::from_bytes(id))
            }
            purpose if purpose == Purpose::Slice as u8 => {
                self.contents.get(&ContentId::from_bytes(id)).copied()
            }
            _ => None,
        }
    }

    /// The offsets at which boxes of each key may begin.
    fn box_starts(&self, file: &[u8]) -> HashMap<usize, Vec<usize>> {
        let mut starts: HashMap<usize, Vec<usize>> = HashMap::new();
        self.streams.find(file.get(4..).unwrap_or_default(), &mut |offset, number| {
            starts.entry(number).or_default().push(offset);
        });
        starts
    }

    /// What one key gives wherever a box of it may be, or was.
    fn open_boxes(&self, file: &[u8], number: usize, starts: &HashMap<usize, Vec<usize>>) -> Vec<Vec<u8>> {
        let key = &self.encrypted[number].key;
        let mut ranges = BTreeSet::new();
        for same in &self.boxes[key] {
            let object = &self.encrypted[*same].object;
            let offset = u64::from_le_bytes(*object.reference.first_chunk().unwrap());
            let offset = usize::try_from(offset).unwrap();
            ranges.insert((offset, offset + usize::try_from(object.length).unwrap()));
        }
        for offset in starts.get(&number).into_iter().flatten() {
            let Some(head) = file.get(*offset..offset + 24) else { continue };
            let length = decrypt_unauthenticated(key, head);
            let length = u64::from_le_bytes(*length.first_chunk().unwrap());
            let length = usize::try_from(length).unwrap().min(file.len());
            ranges.insert((*offset, offset + chunked_len(padme(8 + length))));
        }
        let texts = ranges.into_iter().filter_map(|(start, end)| file.get(start..end.min(file.len())));
        texts.map(|text| decrypt_unauthenticated(key, text)).collect()
    }

    /// The plaintext of both roots, and of all places in them.
    fn open_heads(&mut self, file: &[u8]) -> Vec<Vec<u8>> {
        self.open_heads_of(file, file)
    }

    /// The same with the keys that the areas of another file give.
    fn open_heads_of(&mut self, areas: &[u8], file: &[u8]) -> Vec<Vec<u8>> {
        let own = Header::parse(&file[..HEADER_LEN]);
        let (header, digest) = own.or_else(|_| Header::parse(&self.header)).unwrap();
        let scope = Scope { header: digest, vault: header.vault };
        let mut found = Vec::new();
        for area in [geometry::AREA_A, geometry::AREA_B] {
            let at = usize::try_from(area).unwrap();
            for keyring in self.open_area(scope, &areas[at..at + AREA_LEN]) {
                for root in [geometry::ROOT_A, geometry::ROOT_B] {
                    let at = usize::try_from(root).unwrap();
                    found.extend(open_root(scope, keyring, &file[at..at + ROOT_LEN]));
                }
            }
        }
        found
    }

    /// What every credential opens in an area.
    fn open_area(&mut self, scope: Scope, area: &[u8]) -> &[Keyring] {
        let credentials = &self.credentials;
        self.keyrings.entry(Digest::of(&[area])).or_insert_with(|| {
            let Ok(area) = Area::parse(area) else { return Vec::new() };
            let open = |credential: &Credential| {
                let keys = UnlockKeys::derive(credential, scope, area.kdf, &options().kdf_limits).unwrap();
                let tried = keys.open(&mut Randomness::from_system(), scope, &area);
                tried.opened().map(|opened| opened.keyring)
            };
            credentials.iter().filter_map(open).collect()
        })
    }
}

fn open_root(scope: Scope, keyring: &Keyring, stored: &[u8]) -> Vec<Vec<u8>> {
    let context = scope.context(Purpose::Root).schema(ROOT_SCHEMA).bytes();
    let Ok(plain) = decrypt_committed(&keyring.root_key(), &context, stored) else { return Vec::new() };
    let mut found = vec![plain.to_vec()];
    let places = Root::decode(&plain).unwrap().places;
    for (compartment, place) in Compartment::ALL.into_iter().zip(&places) {
        let context = scope.context(Purpose::Place).compartment(compartment).schema(PLACE_SCHEMA).bytes();
        let key = keyring.compartment(compartment);
        let opened = key.and_then(|key| decrypt_committed(key, &context, &place.0).ok());
        found.extend(opened.map(|plain| plain.to_vec()));
    }
    found
}

/// What was learnt so far.
#[derive(Default)]
struct Hunt {
    learnt: BTreeSet<usize>,
    queue: Vec<usize>,
    words: BTreeSet<u32>,
}

impl Hunt {
    /// Learns every key and every canary that stands in a text.
    fn read(&mut self, adversary: &Adversary, text: &[u8]) {
        let encrypted = &adversary.encrypted;
        adversary.keys.find(text, &mut |offset, number| match encrypted.get(number) {
            Some(encrypted) if text[offset..].starts_with(&encrypted.key) => {
                if self.learnt.insert(number) {
                    self.queue.push(number);
                }
            }
            Some(_) => {}
            None => self.words.extend(canary_at(&text[offset..])),
        });
    }
}

fn canary_at(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(CANARY)?.get(..CANARY_DIGITS)?;
    let (number, again) = std::str::from_utf8(digits).ok()?.split_at_checked(CANARY_DIGITS / 2)?;
    (number == again).then(|| number.parse().ok())?
}

#[test]
fn a_word_that_an_erasure_cut_is_no_other_word() {
    assert_eq!(canary_at(b"canary-005005 slept"), Some(5));
    for cut in [b"canary-004005", b"canary-005004", b"canary-00500\xf3", b"canary-\x1505005"] {
        assert_eq!(canary_at(cut), None);
    }
}

/// What the adversary finds in the file as each expungement left it.
fn leaks_at_acknowledgement(run: &Run) -> usize {
    let mut adversary = Adversary::new(run);
    run.erased.iter().map(|(epoch, file)| adversary.leaks(file, &run.models[epoch]).len()).sum()
}

/// Commits, each of which puts a new image of the same pages, then an expungement.
fn expunging_run(broken: Option<Sabotage>) -> Run {
    sabotage(broken);
    let mut workload = Workload::new(11);
    for count in [3, 1, 9, 1] {
        workload.add(count);
        workload.amend();
    }
    workload.expunge(2);
    workload.add(1);
    workload.expunge(1);
    sabotage(None);
    workload.finish()
}

/// A guest who comes and, if so, goes; then entries. Gives the run, the number
/// of boxes made while the guest was in, and the file as it was then.
fn guest_run(goes: bool) -> (Run, usize, Vec<u8>) {
    let mut workload = Workload::new(13);
    workload.add(40);
    workload.grant_access();
    workload.add(3);
    workload.amend();
    let known = crate::testing::recorded();
    let older = workload.disk.image();
    if goes {
        workload.revoke_access();
    }
    for count in [3, 1] {
        workload.add(count);
        workload.amend();
    }
    (workload.finish(), known, older)
}

#[test]
fn whoever_was_revoked_learns_nothing_that_was_written_afterwards() {
    let (run, known, older) = guest_run(true);
    let older = [older];
    let file = run.disk.image();
    let later: BTreeSet<usize> = (known..run.encrypted.len()).collect();
    assert!(later.len() > 20);
    let learnt = Adversary::new(&run).learns(&file, guest(100), known, &older);
    assert_eq!(learnt, BTreeSet::new(), "of {} boxes", later.len());
    // Who stays learns what is written, and so does a guest who was not revoked.
    assert!(Adversary::new(&run).learns(&file, clinic(), known, &older).len() > 5);
    let (run, known, older) = guest_run(false);
    let learnt = Adversary::new(&run).learns(&run.disk.image(), guest(100), known, &[older]);
    assert!(learnt.len() > 5);
}

#[test]
fn whoever_was_revoked_reads_what_they_kept_keys_of_and_nothing_by_the_credential_alone() {
    let (run, known, older) = guest_run(true);
    let (file, older) = (run.disk.image(), [older]);
    let entries = &run.models.last_key_value().unwrap().1.entries;
    let live: BTreeSet<u32> = entries.values().map(|entry| entry.canary).collect();
    // With the keys of every box that was there, entries that were not rewritten are read.
    let kept = Adversary::new(&run).hunt(&file, guest(100), known, &older).words;
    assert!(kept.intersection(&live).count() > 20);
    // With the credential, and whatever its slot ever gave, nothing is.
    for older in [&older[..], &[]] {
        let hunt = Adversary::new(&run).hunt(&file, guest(100), 0, older);
        assert!(hunt.words.is_empty() && hunt.learnt.is_empty());
    }
}

#[test]
fn no_area_opens_to_whoever_was_revoked() {
    let (run, _, older) = guest_run(true);
    for (file, opens) in [(run.disk.image(), false), (run.disk.durable_image(), false), (older, true)] {
        let mut adversary = Adversary::new(&run);
        adversary.credentials = vec![guest(100)];
        assert_eq!(!adversary.open_heads(&file).is_empty(), opens);
    }
}

#[test]
fn an_expungement_leaves_the_adversary_nothing() {
    assert_eq!(leaks_at_acknowledgement(&expunging_run(None)), 0);
}

/// Entries and attachments that went to `sealed`, and the file after that.
fn moving_run(broken: Option<Sabotage>) -> Run {
    let mut workload = Workload::new(17);
    workload.add(9);
    workload.attach();
    workload.amend();
    workload.amend();
    sabotage(broken);
    workload.move_to(Compartment::Sealed, 40);
    sabotage(None);
    workload.finish()
}

#[test]
fn a_moved_entry_leaves_nothing_to_who_opens_where_it_was() {
    let run = moving_run(None);
    let (_, model) = run.models.last_key_value().unwrap();
    let moved = |entry: &&Modelled| entry.place == Compartment::Sealed;
    let words: BTreeSet<u32> = model.entries.values().filter(moved).map(|entry| entry.canary).collect();
    assert!(words.len() >= 10 && !model.attached.is_empty());
    assert_eq!(leaks_at_acknowledgement(&run), 0);
    // With all they ever opened, and the keys of every box that it gave them.
    let file = run.disk.image();
    let found = Adversary::new(&run).hunt(&file, clinic(), 0, &[]).words;
    assert!(found.is_disjoint(&words), "the everyday credential reads {found:?}");
    let all = Adversary::new(&run).hunt(&file, owner(), 0, &[]).words;
    assert!(words.is_subset(&all), "the owner reads them");
    let left = moving_run(Some(Sabotage::StaleRootAndPages));
    assert!(leaks_at_acknowledgement(&left) > 0, "what is not overwritten is found");
}

#[test]
fn an_undone_import_leaves_the_adversary_nothing() {
    let mut workload = Workload::new(7);
    workload.add(3);
    workload.undo_an_import(5);
    workload.add(1);
    workload.undo_an_import(1);
    let run = workload.finish();
    assert_eq!(run.models.last_key_value().unwrap().1.expunged.len(), 6 + 6 + 2);
    assert_eq!(leaks_at_acknowledgement(&run), 0);
}

#[test]
fn an_expunged_attachment_leaves_the_adversary_no_slice() {
    let mut expunged = 0;
    for seed in 0..6 {
        let mut workload = Workload::new(seed);
        for _ in 0..4 {
            workload.attach();
            workload.amend();
        }
        workload.expunge(2);
        workload.add(1);
        workload.expunge(4);
        let run = workload.finish();
        expunged += run.models.last_key_value().unwrap().1.expunged.len();
        assert_eq!(leaks_at_acknowledgement(&run), 0);
    }
    assert!(expunged > 20);
}

#[test]
fn the_adversary_finds_the_slices_of_an_attachment_that_is_not_expunged() {
    let mut workload = Workload::new(3);
    (0..4).for_each(|_| workload.attach());
    let run = workload.finish();
    let (_, model) = run.models.last_key_value().unwrap();
    let live = model.attached.keys().map(|id| (*id, model.entries[id].canary)).collect();
    let leaks = Adversary::new(&run).leaks_of(&run.disk.image(), &live);
    let slices =
        run.encrypted.iter().filter(|encrypted| encrypted.context[PURPOSE_AT] == Purpose::Slice as u8);
    assert!(!live.is_empty() && leaks.len() >= slices.count());
}

#[test]
fn the_adversary_finds_every_key_and_word_of_what_is_not_expunged() {
    let run = expunging_run(None);
    let (_, model) = run.models.last_key_value().unwrap();
    let live: BTreeMap<EntryId, u32> = model.entries.iter().map(|(id, e)| (*id, e.canary)).collect();
    let leaks = Adversary::new(&run).leaks_of(&run.disk.image(), &live);
    for (id, canary) in &live {
        assert!(leaks.contains(&Leak::Key(*id)) && leaks.contains(&Leak::Word(*canary)));
    }
}

#[test]
fn the_adversary_catches_page_keys_that_are_used_again() {
    let broken = Sabotage::ReusedPageKeys {
        is_page: |context| context[PURPOSE_AT] == Purpose::Page as u8,
        keys: HashMap::new(),
    };
    let run = expunging_run(Some(broken));
    assert!(leaks_at_acknowledgement(&run) > 0);
    drop(run.disk.unlock(&owner()).unwrap());
    let (_, model) = run.models.last_key_value().unwrap();
    let leaks = Adversary::new(&run).leaks(&run.disk.image(), model);
    assert!(!leaks.is_empty(), "opening again does not mend it");
}

#[test]
fn the_adversary_catches_a_stale_second_root_and_pages_that_are_not_overwritten() {
    assert!(leaks_at_acknowledgement(&expunging_run(Some(Sabotage::StaleRootAndPages))) > 0);
}

/// What the adversary finds in the blocks of a compacted vault's old file, once
/// an entry that it held is expunged from the new one.
fn leaks_of_old_file(broken: Option<Sabotage>) -> usize {
    let mut workload = Workload::new(12);
    workload.add(9);
    workload.amend();
    sabotage(broken);
    workload.compact();
    sabotage(None);
    workload.expunge(3);
    let run = workload.finish();
    let (_, model) = run.models.last_key_value().unwrap();
    let files = run.disk.files();
    let freed: Vec<&Vec<u8>> = files.freed().collect();
    assert_eq!(freed.len(), 1);
    let mut adversary = Adversary::new(&run);
    assert_eq!(adversary.leaks(&run.disk.image(), model), []);
    adversary.leaks(freed[0], model).len()
}

#[test]
fn the_old_file_of_a_compaction_tells_nothing_of_what_is_expunged_later() {
    assert_eq!(leaks_of_old_file(None), 0);
    assert!(leaks_of_old_file(Some(Sabotage::ReadableOldFile)) > 0, "and it would, were it not overwritten");
}

#[test]
fn no_committed_box_stands_anywhere_but_at_its_fixed_offset() {
    let run = expunging_run(None);
    let file = run.disk.image();
    let (header, digest) = Header::parse(&file[..HEADER_LEN]).unwrap();
    let scope = Scope { header: digest, vault: header.vault };
    let area = Area::parse(&file[HEADER_LEN..HEADER_LEN + AREA_LEN]).unwrap();
    let keys = UnlockKeys::derive(&owner(), scope, area.kdf, &options().kdf_limits).unwrap();
    let keyring = keys.open(&mut Randomness::from_system(), scope, &area).opened().unwrap().keyring;
    let root_key = keyring.root_key();
    let general = keyring.compartment(Compartment::General).unwrap();
    let root = scope.context(Purpose::Root).schema(ROOT_SCHEMA).bytes();
    let place = scope.context(Purpose::Place).compartment(Compartment::General).schema(PLACE_SCHEMA).bytes();
    let mut found = Vec::new();
    for offset in 0..file.len() {
        let text = &file[offset..];
        if commits_to(&root_key, &root, text) || commits_to(general, &place, text) {
            found.push(offset as u64);
        }
    }
    assert_eq!(found, [geometry::ROOT_A, geometry::ROOT_B]);
}
