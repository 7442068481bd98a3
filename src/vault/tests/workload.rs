//! A seeded mix of everything that writes a vault, with the model that says
//! what it must hold after each commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use super::access::has_shortcut;
use super::basics::{diagnosis, individual, key, note, options};
use super::disk::{Chance, SimDisk, Trace};
use crate::classify::compartment_of;
use crate::store::Destination;
use crate::testing::{
    Encrypted, compare_segments_up_to, seed_randomness, shrink_slices, start_recording, take_recorded,
};
use crate::vault::session::create::file_image;
use crate::*;

/// A text that stands in one entry's content and nowhere else.
pub(super) const CANARY: &[u8] = b"canary-";
/// Digits behind [`CANARY`].
pub(super) const CANARY_DIGITS: usize = 6;

/// How the names of backups begin.
pub(super) const BACKUP: &str = "backup-";

/// The number stands there twice, so that a word which an erasure cut, and whose end is random
/// now, is not another one.
fn canary(number: u32) -> String {
    assert!(number < 1_000, "a half has three digits");
    format!("canary-{number:03}{number:03}")
}

/// An entry as the model has it: its revisions, and the number of its canary.
#[derive(Clone)]
pub(super) struct Modelled {
    pub(super) revisions: Vec<Arc<Entry>>,
    pub(super) canary: u32,
    pub(super) place: Compartment,
}

/// The number of a canary that stands in no entry: of what was moved, the words are there still.
const NO_CANARY: u32 = 0;

/// What a vault must hold after a commit.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) entries: BTreeMap<EntryId, Modelled>,
    pub(super) expunged: BTreeMap<EntryId, u32>,
    pub(super) password: String,
    /// Guests who may enter, by the byte of their key.
    pub(super) guests: BTreeSet<u8>,
    /// The bytes of the attachments.
    pub(super) attached: BTreeMap<EntryId, Arc<[u8]>>,
}

/// What a workload does to a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Add,
    Amend,
    Retract,
    Expunge,
    Move,
    ChangePassword,
    Compact,
    BackUp,
    Attach,
    Resume,
    Discard,
    RestoreShortcut,
}

impl Act {
    pub(super) const ALL: [Self; 12] = [
        Self::Add,
        Self::Amend,
        Self::Retract,
        Self::Expunge,
        Self::Move,
        Self::ChangePassword,
        Self::Compact,
        Self::BackUp,
        Self::Attach,
        Self::Resume,
        Self::Discard,
        Self::RestoreShortcut,
    ];
}

/// A finished workload.
pub(super) struct Run {
    pub(super) disk: SimDisk,
    pub(super) trace: Trace,
    /// By the number of the commit.
    pub(super) models: BTreeMap<Epoch, Model>,
    /// What the state of each commit is known by, once it was compared with the model.
    pub(super) checkpoints: BTreeMap<Epoch, Checkpoint>,
    pub(super) encrypted: Vec<Encrypted>,
    /// Whose contents the slices are of.
    pub(super) contents: BTreeMap<ContentId, EntryId>,
    /// Every password that ever was.
    pub(super) passwords: BTreeSet<String>,
    /// Every guest who ever was.
    pub(super) guests: BTreeSet<u8>,
    /// The durable image right when each expungement was acknowledged.
    pub(super) erased: Vec<(Epoch, Vec<u8>)>,
    /// How often it did what.
    pub(super) acts: BTreeMap<Act, u64>,
}

pub(super) fn owner() -> Credential {
    key(1)
}

/// Opens the general compartment only.
pub(super) fn clinic() -> Credential {
    key(2)
}

/// Opens the general compartment, while it may.
pub(super) fn guest(number: u8) -> Credential {
    key(number)
}

pub(super) fn password(text: &str) -> Credential {
    Credential::password(text).unwrap()
}

/// The image of a new vault with three ways in.
pub(super) fn new_image(text: &str) -> Vec<u8> {
    with_three_ways_in(text, |new| file_image(new, &options()))
}

/// Gives what a new vault with a key, a clinic's key and a password is to be.
pub(super) fn with_three_ways_in<T>(text: &str, give: impl FnOnce(&NewVault<'_>) -> T) -> T {
    let (owner, clinic, password) = (owner(), clinic(), password(text));
    let access = vec![
        Access::to_everything(&owner, "owner"),
        Access { credential: &clinic, name: "clinic", grant: Grant::of(&[Compartment::General]) },
        Access::to_everything(&password, "password"),
    ];
    give(&NewVault { access, ..individual(&owner) })
}

/// The state that a handle knows, without making anything durable.
pub(super) fn state_of(vault: &Vault) -> Checkpoint {
    vault.unlocked().unwrap().snapshot.checkpoint()
}

/// Bytes of a slice, and slices of a commit.
const SLICE: usize = 504;
const STEP: u64 = 3;

/// A source that cannot be read.
pub(super) struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("EIO"))
    }
}

/// A workload under way.
pub(super) struct Workload {
    pub(super) disk: SimDisk,
    chance: Chance,
    vault: Option<Vault>,
    is_clinic: bool,
    model: Model,
    models: BTreeMap<Epoch, Model>,
    checkpoints: BTreeMap<Epoch, Checkpoint>,
    passwords: BTreeSet<String>,
    guests: BTreeSet<u8>,
    erased: Vec<(Epoch, Vec<u8>)>,
    contents: BTreeMap<ContentId, EntryId>,
    canaries: u32,
    acts: BTreeMap<Act, u64>,
}

impl Workload {
    /// A new vault on a simulated disk, everything determined by the seed.
    pub(super) fn new(seed: u64) -> Self {
        seed_randomness(seed);
        start_recording();
        shrink_slices(SLICE, STEP);
        // In some workloads many commits are durable before their roots are written.
        let all_are_long = crate::testing::sabotaged_long_segment();
        compare_segments_up_to(match seed % 3 {
            _ if all_are_long => 32 << 10,
            0 => 96 << 10,
            _ => 1 << 20,
        });
        let disk = SimDisk::new(new_image("password 0"));
        let model = Model { password: "password 0".into(), ..Model::default() };
        disk.acknowledge(Epoch::new(1));
        let vault = disk.unlock(&owner()).unwrap();
        Self {
            checkpoints: BTreeMap::from([(Epoch::new(1), state_of(&vault))]),
            vault: Some(vault),
            disk,
            chance: Chance::new(seed),
            is_clinic: false,
            models: BTreeMap::from([(Epoch::new(1), model.clone())]),
            passwords: BTreeSet::from([model.password.clone()]),
            model,
            guests: BTreeSet::new(),
            erased: Vec::new(),
            contents: BTreeMap::new(),
            canaries: 0,
            acts: BTreeMap::new(),
        }
    }

    /// Runs `steps` operations, with every fourth seed one expungement of so
    /// many objects that their list overflows the root, with every second a move, and with every
    /// third a commit that puts a shortcut back.
    pub(super) fn run(seed: u64, steps: usize) -> Run {
        let mut workload = Self::new(seed);
        workload.add(3);
        for _ in 0..steps {
            workload.step();
            if workload.chance.one_in(6) {
                workload.attach();
            }
        }
        if seed.is_multiple_of(4) {
            workload.overflow();
        }
        if seed.is_multiple_of(2) {
            workload.move_some(4);
        }
        if seed % 3 == 1 {
            workload.restore_a_shortcut();
        }
        workload.finish()
    }

    pub(super) fn finish(mut self) -> Run {
        self.vault = None;
        Run {
            trace: self.disk.trace(),
            disk: self.disk,
            models: self.models,
            checkpoints: self.checkpoints,
            encrypted: take_recorded(),
            passwords: self.passwords,
            guests: self.guests,
            erased: self.erased,
            contents: self.contents,
            acts: self.acts,
        }
    }

    /// An attachment: by one commit, or begun, interrupted, and then resumed or
    /// discarded.
    pub(super) fn attach(&mut self) {
        self.canaries += 1;
        let number = self.canaries;
        let bytes: Arc<[u8]> = format!("{} ", canary(number)).repeat(150).into_bytes().into();
        let new = NewAttachment::new(Attachment {
            title: Some(Token::new(canary(number)).unwrap()),
            ..Attachment::default()
        });
        let actor = self.actor();
        let least = usize::try_from(STEP).unwrap() * SLICE;
        if self.chance.one_in(2) {
            let short = &bytes[..least.min(SLICE + self.chance.below(SLICE))];
            let id = self.vault().attach(&actor, &new, &mut &*short).unwrap().value;
            return self.attached(Act::Attach, id, number, short.into());
        }
        let mut failing = bytes[..least + SLICE].chain(Broken);
        self.vault().attach(&actor, &new, &mut failing).unwrap_err();
        self.acknowledge();
        let upload = self.vault().uploads().unwrap().remove(0).id;
        if self.chance.one_in(3) {
            self.vault().discard_upload(&actor, upload).unwrap();
            self.contents.insert(upload, EntryId::from_bytes(*upload.as_bytes()));
            self.model.expunged.insert(EntryId::from_bytes(*upload.as_bytes()), number);
            self.did(Act::Discard);
            self.erased.push((self.vault().epoch(), self.disk.durable_image()));
            return;
        }
        let resumed = self.vault().resume_upload(&actor, upload, &new, &mut &*bytes);
        self.attached(Act::Resume, resumed.unwrap().value, number, bytes);
    }

    fn attached(&mut self, act: Act, id: EntryId, canary: u32, bytes: Arc<[u8]>) {
        let entry = self.vault().entry(id).unwrap();
        self.note_content(Compartment::General, id);
        let place = Compartment::General;
        self.model.entries.insert(id, Modelled { revisions: vec![Arc::new(entry)], canary, place });
        self.model.attached.insert(id, bytes);
        self.did(act);
    }

    fn step(&mut self) {
        match self.chance.below(19) {
            0..=2 => {
                let count = [1, 1, 2, 5, 40][self.chance.below(5)];
                self.add(count);
            }
            3 => self.add_large(),
            4..=5 => self.amend(),
            6 => self.retract(),
            7..=8 => {
                let count = [1, 1, 2, 9][self.chance.below(4)];
                self.expunge(count);
            }
            9 => self.change_password(),
            10 | 11 => self.compact(),
            12 => self.back_up(),
            13..=14 => self.change_access(),
            15..=16 => {
                let count = [1, 1, 3][self.chance.below(3)];
                self.move_some(count);
            }
            _ => self.reopen(),
        }
    }

    /// Many entries, and 81 or more objects to erase at once.
    fn overflow(&mut self) {
        self.open_as_owner();
        for _ in 0..3 {
            self.add(30);
        }
        self.expunge(85);
        self.add(1);
        self.amend();
    }

    fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    fn actor(&self) -> Actor {
        if self.is_clinic { Actor::new("clinic").unwrap() } else { Actor::owner() }
    }

    /// The commit returned: from now on it must never be lost.
    fn acknowledge(&mut self) {
        let epoch = self.vault().epoch();
        self.models.insert(epoch, self.model.clone());
        self.checkpoints.insert(epoch, state_of(self.vault()));
        self.disk.acknowledge(epoch);
    }

    /// The same, of an act that is counted.
    fn did(&mut self, act: Act) {
        *self.acts.entry(act).or_default() += 1;
        self.acknowledge();
    }

    fn entry(&mut self, canary_number: u32) -> Entry {
        let canary = canary(canary_number);
        match self.chance.below(if self.is_clinic { 2 } else { 3 }) {
            0 => diagnosis(&canary, &format!("of {canary}"), "2019-03"),
            1 => note("progress", &format!("{canary} slept badly, {canary}")),
            _ => note("psychotherapy", &format!("said {canary}")),
        }
    }

    fn add_entries(&mut self, entries: Vec<(u32, Entry)>) {
        let actor = self.actor();
        let add = |tx: &mut Transaction<'_>| entries.iter().map(|(_, entry)| tx.add(entry)).collect();
        let ids: Vec<EntryId> = self.vault().update(&actor, add).unwrap().value;
        for (id, (canary, entry)) in ids.into_iter().zip(entries) {
            let place = compartment_of(&entry);
            self.model.entries.insert(id, Modelled { revisions: vec![Arc::new(entry)], canary, place });
        }
        self.did(Act::Add);
    }

    pub(super) fn add(&mut self, count: usize) {
        let entries = (0..count).map(|_| {
            self.canaries += 1;
            (self.canaries, self.entry(self.canaries))
        });
        let entries = entries.collect();
        self.add_entries(entries);
    }

    /// An entry of several chunks.
    fn add_large(&mut self) {
        self.canaries += 1;
        let text = format!("{} ", canary(self.canaries)).repeat(2500);
        self.add_entries(vec![(self.canaries, note("progress", &text))]);
    }

    /// Entries that the present handle may touch.
    fn choose(&mut self, count: usize) -> Vec<EntryId> {
        let is_clinic = self.is_clinic;
        let mut ids: Vec<EntryId> = self
            .model
            .entries
            .iter()
            .filter(|(_, entry)| !is_clinic || entry.place == Compartment::General)
            .map(|(id, _)| *id)
            .collect();
        let mut chosen = Vec::new();
        while chosen.len() < count && !ids.is_empty() {
            chosen.push(ids.swap_remove(self.chance.below(ids.len())));
        }
        chosen
    }

    pub(super) fn amend(&mut self) {
        let Some(id) = self.choose(1).pop() else { return };
        let number = self.model.entries[&id].canary;
        let text = format!("amended {}", canary(number));
        let entry = match &self.model.entries[&id].revisions.last().unwrap().record {
            Record::Attachment(before) => {
                let mut record = before.clone();
                record.title = Some(Token::new(text).unwrap());
                Entry::new(*record, Provenance::default())
            }
            Record::Note(before) => note(before.form.as_ref().unwrap().as_str(), &text),
            _ => diagnosis(&canary(number), &text, "2020"),
        };
        let actor = self.actor();
        let reason = format!("because of {}", canary(number));
        self.vault().update(&actor, |tx| tx.amend(id, &entry, &reason)).unwrap();
        self.model.entries.get_mut(&id).unwrap().revisions.push(Arc::new(entry));
        self.did(Act::Amend);
    }

    fn retract(&mut self) {
        let Some(id) = self.choose(1).pop() else { return };
        let modelled = self.model.entries.get_mut(&id).unwrap();
        let mut entry = (**modelled.revisions.last().unwrap()).clone();
        entry.marks.retracted = true;
        let reason = format!("not {}", canary(modelled.canary));
        modelled.revisions.push(Arc::new(entry));
        let actor = self.actor();
        self.vault().update(&actor, |tx| tx.retract(id, &reason)).unwrap();
        self.did(Act::Retract);
    }

    pub(super) fn expunge(&mut self, count: usize) {
        let ids = self.choose(count);
        if ids.is_empty() {
            return;
        }
        let actor = self.actor();
        self.vault().expunge(&actor, &ids, "order").unwrap();
        for id in ids {
            let gone = self.model.entries.remove(&id).unwrap();
            self.model.attached.remove(&id);
            self.model.expunged.insert(id, gone.canary);
        }
        self.did(Act::Expunge);
        self.erased.push((self.vault().epoch(), self.disk.durable_image()));
    }

    /// Entries go to another compartment, which only the owner can.
    pub(super) fn move_some(&mut self, count: usize) {
        if self.is_clinic {
            self.open_as_owner();
        }
        let places = [Compartment::General, Compartment::SubstanceUse, Compartment::Sealed];
        let to = places[self.chance.below(3)];
        self.move_to(to, count);
    }

    pub(super) fn move_to(&mut self, to: Compartment, count: usize) {
        let may_go = |entry: &Modelled| {
            let belongs_there = |entry: &Arc<Entry>| compartment_of(entry) == Compartment::General;
            entry.place != to && (to != Compartment::General || entry.revisions.iter().all(belongs_there))
        };
        let mut ids = self.choose(count);
        ids.retain(|id| may_go(&self.model.entries[id]));
        if ids.is_empty() {
            return;
        }
        let report = match self.vault().move_entries(&self.actor(), &ids, to, Some("order")) {
            // More slices than one commit stores.
            Err(Error::TooLarge) if ids.iter().any(|id| self.model.attached.contains_key(id)) => return,
            report => report.unwrap(),
        };
        for moved in report.moved {
            let entry = self.model.entries.remove(&moved.from).unwrap();
            self.model.entries.insert(moved.to, Modelled { place: to, ..entry });
            self.model.expunged.insert(moved.from, NO_CANARY);
            if let Some(bytes) = self.model.attached.remove(&moved.from) {
                self.model.attached.insert(moved.to, bytes);
                self.note_content(to, moved.to);
            }
        }
        self.did(Act::Move);
        self.erased.push((self.vault().epoch(), self.disk.durable_image()));
    }

    /// Notes whose content the slices of an attachment are.
    fn note_content(&mut self, place: Compartment, id: EntryId) {
        let digest = self.vault().attachment(id, 0).unwrap().content_digest();
        let unlocked = self.vault().unlocked().unwrap();
        let (row, _) = unlocked.reader().content(place, &digest).unwrap().unwrap();
        self.contents.insert(row.content_id(), id);
    }

    /// An import that adds and amends, and is undone.
    pub(super) fn undo_an_import(&mut self, count: usize) {
        let actor = self.actor();
        let mut numbers = |count: usize| -> Vec<u32> {
            (0..count)
                .map(|_| {
                    self.canaries += 1;
                    self.canaries
                })
                .collect()
        };
        let (kept, amended, added) = (numbers(1)[0], numbers(1)[0], numbers(count));
        let line = |id: usize, number: u32, version: usize| {
            format!(
                r#"{{"resourceType":"Condition","id":"{:08x}-3c1d-4a7e-9b52-7f{number:06}d1e8","code":{{"text":"{}"}},"meta":{{"lastUpdated":"201{version}-01-01T00:00:00Z"}}}}"#,
                0x9e37_79b9 + id,
                canary(number)
            )
        };
        let first = line(0, kept, 1);
        let second = line(0, amended, 2).replace(&format!("7f{amended:06}"), &format!("7f{kept:06}"));
        let rest = added.iter().enumerate().map(|(at, number)| line(at + 1, *number, 1));
        let rest = std::iter::once(second).chain(rest).collect::<Vec<_>>().join("\n");
        let mut take = |text: &str| {
            let mut import = Import::new(ImportOptions::default());
            import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
            let imported = import.finish().unwrap();
            let report = super::take_all(self.vault(), &actor, &imported).unwrap();
            self.acknowledge();
            report
        };
        let [id] = take(&first).added[..] else { panic!("one entry is added") };
        let report = take(&rest);
        assert_eq!((report.added.len(), &report.amended[..]), (count, &[id][..]));
        let undone = self.vault().undo_import(&actor, self.vault().epoch()).unwrap();
        assert_eq!((undone.destroyed.len(), &undone.restored[..]), (count, &[id][..]));
        let entry = self.vault().entry(id).unwrap();
        let place = Compartment::General;
        self.model.entries.insert(id, Modelled { revisions: vec![Arc::new(entry)], canary: kept, place });
        for gone in report.added {
            let entry = added[self.model.expunged.len() % added.len()];
            self.model.expunged.insert(gone, entry);
        }
        // No entry has these ids: the words alone are looked for.
        for number in added.into_iter().chain([amended]) {
            self.model.expunged.insert(EntryId::from_bytes(u128::from(number).to_be_bytes()), number);
        }
        self.acknowledge();
        self.erased.push((self.vault().epoch(), self.disk.durable_image()));
    }

    pub(super) fn change_password(&mut self) {
        let new = format!("password {}", self.passwords.len());
        let words = |text: &str| Password::new(text.into()).unwrap();
        let actor = self.actor();
        let result = self.vault().change_password(&actor, words(&self.model.password), words(&new));
        result.unwrap();
        self.model.password.clone_from(&new);
        self.passwords.insert(new);
        self.did(Act::ChangePassword);
    }

    /// The file written anew, which only the owner can.
    pub(super) fn compact(&mut self) {
        if self.is_clinic {
            self.open_as_owner();
        }
        let actor = self.actor();
        self.vault().compact(&actor).unwrap();
        self.did(Act::Compact);
    }

    /// A backup beside the vault.
    pub(super) fn back_up(&mut self) {
        let name = format!("{BACKUP}{}", self.vault().epoch());
        let to = Destination::on(self.disk.folder(), name.into()).unwrap();
        let actor = self.actor();
        self.vault().backup_to(&actor, &to, "in the drawer", &mut |_| {}).unwrap();
        self.did(Act::BackUp);
    }

    /// Somebody comes, goes, or changes what a password costs.
    fn change_access(&mut self) {
        self.open_as_owner();
        match self.chance.below(5) {
            0..=1 => self.grant_access(),
            2 => self.revoke_access(),
            3 => self.upgrade(),
            _ => self.recover(),
        }
    }

    pub(super) fn grant_access(&mut self) {
        let number = 100 + u8::try_from(self.guests.len()).unwrap();
        let grant = Grant::of(&[Compartment::General]);
        let access = Access { credential: &guest(number), name: &format!("guest {number}"), grant };
        let change = AccessChange { revoke: Vec::new(), add: vec![access] };
        self.vault().change_access(&Actor::owner(), &change).unwrap();
        self.guests.insert(number);
        self.model.guests.insert(number);
        self.acknowledge();
    }

    pub(super) fn revoke_access(&mut self) {
        let Some(number) = self.model.guests.pop_first() else { return self.grant_access() };
        let change =
            AccessChange { revoke: vec![self.access_id(&format!("guest {number}"))], add: Vec::new() };
        self.vault().change_access(&Actor::owner(), &change).unwrap();
        self.acknowledge();
    }

    /// The same password at another cost.
    pub(super) fn upgrade(&mut self) {
        let mut options = options();
        options.kdf_cost.memory_kib = if self.passwords.len().is_multiple_of(2) { 96 } else { 128 };
        let locked = self.vault.take().unwrap().lock().unwrap();
        drop(locked);
        let locked = self.disk.open_with(options).unwrap();
        self.vault = Some(locked.unlock(&owner()).unwrap());
        let words = Password::new(self.model.password.clone()).unwrap();
        self.vault().upgrade_password(&Actor::owner(), words).unwrap();
        self.acknowledge();
        self.open_as_owner();
    }

    /// A forgotten password goes, another comes, and with it a guest for a guest.
    pub(super) fn recover(&mut self) {
        let new = format!("password {}", self.passwords.len());
        let credential = password(&new);
        let mut revoke = vec![self.access_id("password")];
        if let Some(number) = self.model.guests.pop_first() {
            revoke.push(self.access_id(&format!("guest {number}")));
        }
        let change = AccessChange { revoke, add: vec![Access::to_everything(&credential, "password")] };
        self.vault().change_access(&Actor::owner(), &change).unwrap();
        self.model.password.clone_from(&new);
        self.passwords.insert(new);
        self.acknowledge();
    }

    fn access_id(&self, name: &str) -> AccessId {
        let listed = self.vault().access().unwrap();
        listed.into_iter().find(|access| access.name == name).unwrap().id
    }

    /// Somebody else grants a way in anew and cannot write its shortcut: whoever opens by it
    /// puts that back with their next commit.
    pub(super) fn restore_a_shortcut(&mut self) {
        self.open_as_owner();
        self.grant_access();
        let which = self.chance.below(2);
        self.open_as(which);
        assert!(!has_shortcut(self.vault()));
        self.add(1);
        *self.acts.entry(Act::RestoreShortcut).or_default() += 1;
        self.open_as(which);
        assert!(has_shortcut(self.vault()));
    }

    fn open_as_owner(&mut self) {
        self.open_as(2);
    }

    fn reopen(&mut self) {
        let which = self.chance.below(3);
        self.open_as(which);
    }

    /// Opens the vault as the clinic (0), by the password (1) or as the owner.
    fn open_as(&mut self, which: usize) {
        self.vault = None;
        self.is_clinic = which == 0;
        let credential = match which {
            0 => clinic(),
            1 => password(&self.model.password),
            _ => owner(),
        };
        let vault = self.disk.unlock(&credential).unwrap();
        assert_eq!(vault.epoch(), *self.models.last_key_value().unwrap().0);
        self.vault = Some(vault);
    }
}
