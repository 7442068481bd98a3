//! Sequences of operations on a disk that fails, or loses power, at a call that
//! the input names; afterwards the vault holds what was acknowledged, or that
//! and the operation that was under way.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::OnceLock;

use super::input::Input;
use crate::seams::{seed_randomness, shrink_slices};
use crate::store::Destination;
use crate::vault::disk::{Chance, Fault, SimDisk, options};
use crate::vault::file_image;
use crate::*;

/// Operations of one sequence.
const MOST_STEPS: usize = 12;
/// Bytes of a slice, and slices of a commit.
const SLICE: usize = 504;
const SLICES: u64 = 4;
/// The first guest's key; the owner's is before it.
const FIRST_GUEST: u8 = 2;
const MOST_GUESTS: usize = 4;
const BACKUP: &str = "backup";
/// Calls of the longest operation, about.
const CALLS: u16 = 1024;

/// An entry as it must be: its revisions, and the bytes attached to it.
#[derive(Clone)]
struct Modelled {
    /// What it is called in the vault, once that is known.
    id: Option<EntryId>,
    revisions: Vec<Entry>,
    attached: Option<Vec<u8>>,
    place: Compartment,
}

impl Modelled {
    /// Slices of what is attached.
    fn slices(&self) -> u64 {
        self.attached.as_ref().map_or(0, |bytes| bytes.len().div_ceil(SLICE) as u64)
    }

    /// Whether it can go to a compartment.
    fn may_go(&self, number: u32, to: Compartment) -> bool {
        self.place != to && (to != Compartment::General || place_of(number) == to)
    }
}

/// What a vault must hold.
#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<u32, Modelled>,
    password: u32,
    guests: BTreeSet<u8>,
}

/// A step of a sequence, decided before it is taken.
enum Step {
    Add(Vec<u32>),
    Amend(u32),
    Retract(u32),
    Expunge(Vec<u32>),
    Move(Vec<u32>, Compartment),
    Attach(u32, usize),
    Extract(u32, u64),
    DiscardUploads,
    ChangePassword,
    AddGuest(u8),
    RevokeGuest(u8),
    Compact,
    BackUp,
    GiveUp,
    Read,
    Reopen,
}

/// A vault under way.
struct Sequence {
    disk: SimDisk,
    vault: Option<Vault>,
    /// What it holds, or one of these.
    models: Vec<Model>,
    /// Numbers given to entries and passwords so far.
    count: u32,
    chance: Chance,
}

/// Runs a sequence of operations with faults.
///
/// # Panics
/// When something acknowledged is lost, something expunged is back, half an
/// operation is there, somebody is locked out, or a failing disk is answered
/// with anything but an error of the store.
pub fn operations(bytes: &[u8]) {
    seed_randomness(2);
    shrink_slices(SLICE, SLICES);
    let mut input = Input::new(bytes);
    let mut sequence = Sequence::new(u64::from(input.u16()));
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        let step = sequence.decide(&mut input);
        let fault = match input.u8() % 8 {
            0 => Some(Fault::Io),
            1 => Some(Fault::Full),
            2 => Some(Fault::Short),
            3 => Some(Fault::Interrupted),
            4 => Some(Fault::PowerCut),
            _ => None,
        };
        let fault = fault.map(|fault| (usize::from(input.u16() % CALLS), fault));
        sequence.take(&step, fault, input.u8());
    }
    sequence.reopen();
}

fn owner() -> Credential {
    RawKey::from_bytes(&[1; 32]).into()
}

fn guest(number: u8) -> Credential {
    RawKey::from_bytes(&[number; 32]).into()
}

fn password(number: u32) -> Password {
    Password::new(format!("password {number}")).unwrap()
}

/// A new vault with the owner's key and password, made once.
fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let (owner, password) = (owner(), Credential::from(password(0)));
        let access =
            vec![Access::to_everything(&owner, "owner"), Access::to_everything(&password, "password")];
        file_image(&NewVault { access, ..NewVault::individual(&owner) }, &options())
    })
}

/// An entry that says its number and revision; every third is of a compartment of its own.
fn entry(number: u32, revision: usize) -> Entry {
    let text =
        Narrative::new(format!("entry {number}, {revision} ").repeat(1 + number as usize % 40)).unwrap();
    let form = if number.is_multiple_of(3) { "psychotherapy" } else { "progress" };
    let note = Note { form: Some(Token::new(form).unwrap()), text: vec![text], ..Note::default() };
    Entry::new(note, Provenance::default())
}

/// Where the entry of a number is put.
fn place_of(number: u32) -> Compartment {
    if number.is_multiple_of(3) { Compartment::PsychotherapyNotes } else { Compartment::General }
}

fn attached_bytes(number: u32, length: usize) -> Vec<u8> {
    (0..length).map(|at| (number as usize + at / 7).to_le_bytes()[0]).collect()
}

impl Sequence {
    fn new(seed: u64) -> Self {
        let disk = SimDisk::without_trace(template().to_vec());
        let vault = disk.unlock(&owner()).unwrap();
        let models = vec![Model::default()];
        Self { disk, vault: Some(vault), models, count: 0, chance: Chance::new(seed) }
    }

    fn model(&self) -> &Model {
        &self.models[0]
    }

    fn next_number(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    /// An entry that is there for certain.
    fn choose(&self, which: u8, wanted: impl Fn(&Modelled) -> bool) -> Option<u32> {
        let known = self.model().entries.iter();
        let known: Vec<u32> = known.filter(|(_, entry)| wanted(entry)).map(|(number, _)| *number).collect();
        known.get(usize::from(which).checked_rem(known.len())?).copied()
    }

    fn decide(&mut self, input: &mut Input<'_>) -> Step {
        let (which, parameter) = (input.u8(), input.u8());
        // The numbers of the others stay what they are in the corpus.
        if which >= 240 {
            return self.decide_move(which, parameter);
        }
        let which = which % 20;
        let is_plain = |entry: &Modelled| entry.attached.is_none();
        let chosen = self.choose(parameter, is_plain);
        match (which, chosen) {
            (3 | 4, Some(number)) => Step::Amend(number),
            (5, Some(number)) => Step::Retract(number),
            (6 | 7, Some(_)) => {
                let all: Vec<u32> = self.model().entries.keys().copied().collect();
                let first = usize::from(parameter) % all.len();
                Step::Expunge(all.into_iter().skip(first).take(1 + usize::from(parameter) / 64).collect())
            }
            (8 | 9, _) => Step::Attach(self.next_number(), usize::from(parameter) * 11),
            (10, _) => match self.choose(parameter, |entry| entry.attached.is_some()) {
                Some(number) => Step::Extract(number, u64::from(parameter) * 9),
                None => Step::Read,
            },
            (11, _) => Step::DiscardUploads,
            (12, _) => Step::ChangePassword,
            (13, _) => {
                let free = (FIRST_GUEST..).find(|number| !self.model().guests.contains(number)).unwrap();
                match self.model().guests.len() < MOST_GUESTS {
                    true => Step::AddGuest(free),
                    false => Step::Read,
                }
            }
            (14, _) => match self.model().guests.first() {
                Some(number) => Step::RevokeGuest(*number),
                None => Step::Read,
            },
            (15 | 16, _) => Step::Compact,
            (17, _) => Step::BackUp,
            (18, _) => Step::GiveUp,
            (19, _) => Step::Reopen,
            _ => {
                let count = if parameter > 200 { 40 } else { 1 + u32::from(parameter) % 4 };
                Step::Add((0..count).map(|_| self.next_number()).collect())
            }
        }
    }

    /// Some entries go to one compartment, no more slices with them than one commit stores.
    fn decide_move(&self, which: u8, parameter: u8) -> Step {
        let places = Compartment::HOLDING_ENTRIES;
        let to = places[usize::from(which) % places.len()];
        let entries = &self.model().entries;
        let mut slices = 0;
        let may_go = entries.iter().filter(|(number, entry)| entry.may_go(**number, to));
        let first = usize::from(parameter) % 4;
        let chosen = may_go.skip(first).take(1 + usize::from(parameter) / 64).filter(|(_, entry)| {
            let all = slices + entry.slices();
            let fits = all <= SLICES;
            slices = if fits { all } else { slices };
            fits
        });
        let chosen: Vec<u32> = chosen.map(|(number, _)| *number).collect();
        if chosen.is_empty() { Step::Read } else { Step::Move(chosen, to) }
    }

    /// One step with a fault in it. What follows depends on the last byte.
    fn take(&mut self, step: &Step, fault: Option<(usize, Fault)>, then: u8) {
        if let Step::Reopen = step {
            return self.reopen_with(fault);
        }
        if let Some((call, fault)) = fault {
            self.disk.fail_at(call, fault);
        }
        let mut after = self.model().clone();
        let result = self.run(step, &mut after);
        let failed = fault.is_some() && self.disk.failed().is_some();
        self.disk.mend();
        match result {
            Ok(()) => self.models = vec![after],
            Err(error) => {
                assert!(failed, "refused without a fault: {error}");
                assert!(matches!(error, Error::Store(_)), "a fault was told as something else: {error}");
                self.models.push(after);
            }
        }
        if failed {
            self.go_on_after(fault, then);
        }
    }

    fn go_on_after(&mut self, fault: Option<(usize, Fault)>, then: u8) {
        if let Some((_, Fault::PowerCut)) = fault {
            return self.cut_power();
        }
        if then.is_multiple_of(4) {
            // The same handle goes on, or says that it cannot.
            let number = self.next_number();
            let (revisions, place) = (vec![entry(number, 0)], place_of(number));
            let mut last = Modelled { id: None, revisions, attached: None, place };
            let added = self.vault().update(&Actor::owner(), |tx| tx.add(&entry(number, 0)));
            match added {
                Ok(added) => {
                    last.id = Some(added.value);
                    self.models.iter_mut().for_each(|model| drop(model.entries.insert(number, last.clone())));
                }
                Err(error) => assert!(matches!(error, Error::Store(StoreError::Poisoned)), "{error}"),
            }
        }
        match then % 4 {
            2 => self.cut_power(),
            // It was done all the same: the handle goes on.
            3 if self.models.len() == 1 => self.compare(),
            _ => self.reopen(),
        }
    }

    /// The power is cut now: of what was not synced a part survives.
    fn cut_power(&mut self) {
        let files = self.disk.after_power_cut(&mut self.chance);
        self.vault = None;
        self.disk = SimDisk::of_files(files);
        self.reopen();
    }

    fn reopen(&mut self) {
        self.reopen_with(None);
    }

    /// Opens the vault anew, perhaps with a fault in the recovery, and then again
    /// without one.
    fn reopen_with(&mut self, fault: Option<(usize, Fault)>) {
        self.vault = None;
        if let Some((call, fault)) = fault {
            self.disk.fail_at(call, fault);
            let opened = self.disk.unlock(&owner());
            let failed = self.disk.failed().is_some();
            self.disk.mend();
            if let Err(error) = &opened {
                assert!(failed, "not opened without a fault: {error}");
                assert!(matches!(error, Error::Store(_)), "a fault was told as something else: {error}");
            }
            drop(opened);
            if failed && fault == Fault::PowerCut {
                self.disk = SimDisk::of_files(self.disk.after_power_cut(&mut self.chance));
            }
        }
        self.vault = Some(self.disk.unlock(&owner()).expect("the owner is never locked out"));
        self.compare();
        self.compare_ways_in();
    }

    fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    /// What the vault holds is what one of the models says.
    fn compare(&mut self) {
        let vault = self.vault();
        let report = vault.check().expect("a disk without a fault can be checked");
        // Copies differ where a fault came between them and nobody settled yet.
        let whole = report.findings.iter().all(|finding| *finding == CheckFinding::CopiesDiffer);
        assert!(whole, "{:?}", report.findings);
        let mut found = BTreeMap::new();
        for listed in vault.list(&Filter::all().with_retracted().with_sealed()).unwrap() {
            let revisions = 1..=listed.revision;
            let revisions: Result<Vec<Entry>, Error> =
                revisions.map(|revision| vault.entry_revision(listed.id, revision)).collect();
            found.insert(listed.id, (listed.compartment, revisions.unwrap()));
        }
        let fitting: Vec<Model> = self.models.iter().filter_map(|model| model.fit(vault, &found)).collect();
        assert!(!fitting.is_empty(), "the vault holds neither the state before nor the one after");
        self.models = fitting;
    }

    /// Whoever may open the vault can, and nobody else.
    fn compare_ways_in(&mut self) {
        let opens = |credential: &Credential| match self.disk.open().unwrap().unlock_read_only(credential) {
            Ok(_) => true,
            Err(Error::WrongCredential) => false,
            Err(error) => panic!("neither opened nor refused: {error}"),
        };
        let passwords: BTreeSet<u32> = self.models.iter().map(|model| model.password).collect();
        let open: Vec<u32> =
            passwords.into_iter().filter(|number| opens(&password(*number).into())).collect();
        assert!(open.len() == 1, "exactly one password opens");
        let numbers = FIRST_GUEST..FIRST_GUEST + MOST_GUESTS as u8;
        let guests: BTreeSet<u8> = numbers.filter(|number| opens(&guest(*number))).collect();
        self.models.retain(|model| model.password == open[0] && model.guests == guests);
        assert!(!self.models.is_empty(), "somebody is locked out, or came back");
        self.models.truncate(1);
    }

    /// Takes a step, and does to the model what it does to the vault.
    fn run(&mut self, step: &Step, model: &mut Model) -> Result<(), Error> {
        let owner = Actor::owner();
        let vault = self.vault.as_ref().unwrap();
        let id = |number: &u32| self.models[0].entries[number].id.expect("entries that are there are known");
        match step {
            Step::Add(numbers) => {
                let mut ids = Vec::new();
                let add = |tx: &mut Transaction<'_>| {
                    ids =
                        numbers.iter().map(|number| tx.add(&entry(*number, 0))).collect::<Result<_, _>>()?;
                    Ok(())
                };
                let result = vault.update(&owner, add);
                for (at, number) in numbers.iter().enumerate() {
                    let id = ids.get(at).copied();
                    let revisions = vec![entry(*number, 0)];
                    let place = place_of(*number);
                    model.entries.insert(*number, Modelled { id, revisions, attached: None, place });
                }
                result.map(drop)
            }
            Step::Amend(number) => {
                let modelled = model.entries.get_mut(number).unwrap();
                let better = entry(*number, modelled.revisions.len());
                modelled.revisions.push(better.clone());
                vault.update(&owner, |tx| tx.amend(id(number), &better, "better known")).map(drop)
            }
            Step::Retract(number) => {
                let modelled = model.entries.get_mut(number).unwrap();
                let mut retracted = modelled.revisions.last().unwrap().clone();
                retracted.marks.retracted = true;
                modelled.revisions.push(retracted);
                vault.update(&owner, |tx| tx.retract(id(number), "not so")).map(drop)
            }
            Step::Expunge(numbers) => {
                numbers.iter().for_each(|number| drop(model.entries.remove(number)));
                let ids: Vec<EntryId> = numbers.iter().map(id).collect();
                vault.expunge(&owner, &ids, "order").map(drop)
            }
            Step::Move(numbers, to) => {
                let ids: Vec<EntryId> = numbers.iter().map(id).collect();
                let moved = vault.move_entries(&owner, &ids, *to, Some("order"));
                for (at, number) in numbers.iter().enumerate() {
                    let modelled = model.entries.get_mut(number).unwrap();
                    modelled.place = *to;
                    // Where it failed nobody was told the new ids.
                    modelled.id = moved.as_ref().ok().map(|report| report.moved[at].to);
                }
                moved.map(drop)
            }
            Step::Attach(number, length) => {
                let bytes = attached_bytes(*number, *length);
                let base = entry(*number, 0);
                let new = NewAttachment::new(Attachment::default()).with_entry(base);
                let result = vault.attach(&owner, &new, &mut &bytes[..]);
                let id = result.as_ref().ok().map(|attached| attached.value);
                let place = place_of(*number);
                let modelled = Modelled { id, revisions: Vec::new(), attached: Some(bytes), place };
                model.entries.insert(*number, modelled);
                result.map(drop)
            }
            Step::Extract(number, offset) => {
                let bytes = self.models[0].entries[number].attached.as_ref().unwrap();
                let mut reader = vault.attachment(id(number), 0)?;
                let mut buffer = [0; 64];
                let count = reader.read_at(*offset, &mut buffer)?;
                let from = (*offset as usize).min(bytes.len());
                assert!(bytes[from..].starts_with(&buffer[..count]), "another attachment was read");
                assert!(count > 0 || from == bytes.len(), "an attachment ends early");
                Ok(())
            }
            Step::DiscardUploads => {
                vault.uploads()?.iter().try_for_each(|upload| vault.discard_upload(&owner, upload.id))
            }
            Step::ChangePassword => {
                let old = model.password;
                self.count += 1;
                model.password = self.count;
                vault.change_password(&owner, password(old), password(model.password))
            }
            Step::AddGuest(number) => {
                model.guests.insert(*number);
                let credential = guest(*number);
                let grant = Grant::of(&[Compartment::General]);
                let access = Access { credential: &credential, name: &format!("guest {number}"), grant };
                let change = AccessChange { revoke: Vec::new(), add: vec![access] };
                vault.change_access(&owner, &change).map(drop)
            }
            Step::RevokeGuest(number) => {
                model.guests.remove(number);
                let name = format!("guest {number}");
                let listed = vault.access()?.into_iter().find(|access| access.name == name);
                let revoke = vec![listed.expect("a guest is listed").id];
                vault.change_access(&owner, &AccessChange { revoke, add: Vec::new() }).map(drop)
            }
            Step::Compact => vault.compact(&owner).map(drop),
            Step::BackUp => self.back_up(),
            Step::GiveUp => {
                let given_up = vault.update(&owner, |tx| {
                    tx.add(&entry(0, 0))?;
                    Err::<(), _>(Error::Invalid { what: "given up" })
                });
                match given_up {
                    Err(Error::Invalid { what: "given up" }) => Ok(()),
                    Err(error) => Err(error),
                    Ok(_) => panic!("a commit was made of a closure that gave up"),
                }
            }
            Step::Read => {
                for listed in vault.list(&Filter::all().with_sealed())? {
                    vault.entry(listed.id)?;
                    vault.history(listed.id)?;
                }
                Ok(())
            }
            Step::Reopen => Ok(()),
        }
    }

    /// A backup, which holds what the vault held before it.
    fn back_up(&self) -> Result<(), Error> {
        let name = OsStr::new(BACKUP);
        let folder = self.disk.folder();
        if self.disk.files().image(BACKUP).is_some() {
            folder.remove(name).map_err(StoreError::from)?;
        }
        let to = Destination::on(folder, name.into())?;
        let made = self.vault().backup_to(&Actor::owner(), &to, "drawer", &mut |_| {});
        if let Some(image) = self.disk.files().image(BACKUP) {
            let copy = SimDisk::without_trace(image.clone());
            let copy = copy.open()?.unlock_read_only(&owner()).expect("a backup that has its name opens");
            assert!(copy.check()?.is_clean(), "a backup that has its name is damaged");
            let entries = copy.list(&Filter::all().with_retracted().with_sealed())?.len();
            assert!(entries == self.model().entries.len(), "a backup holds something else");
        }
        made.map(drop)
    }
}

impl Model {
    /// The same with every id, if the vault holds this.
    fn fit(&self, vault: &Vault, found: &BTreeMap<EntryId, (Compartment, Vec<Entry>)>) -> Option<Self> {
        let mut model = self.clone();
        let mut left: BTreeMap<&EntryId, &(Compartment, Vec<Entry>)> = found.iter().collect();
        for (number, modelled) in &mut model.entries {
            let id = match modelled.id {
                Some(id) => id,
                None => **left.iter().find(|(_, (_, revisions))| is_of(revisions, *number))?.0,
            };
            let (place, revisions) = left.remove(&id)?;
            (*place == modelled.place).then_some(())?;
            modelled.id = Some(id);
            match &modelled.attached {
                // What it is called in the entry the library decides; the bytes are compared.
                Some(bytes) => {
                    let mut reader = vault.attachment(id, 0).ok()?;
                    let mut read = Vec::new();
                    std::io::Read::read_to_end(&mut reader, &mut read).ok()?;
                    let fits = is_of(revisions, *number) && read == *bytes;
                    fits.then_some(())?;
                }
                None => (*revisions == modelled.revisions).then_some(())?,
            }
        }
        left.is_empty().then_some(model)
    }
}

/// Whether the first revision is the entry of this number.
fn is_of(revisions: &[Entry], number: u32) -> bool {
    let text = |entry: &Entry| match &entry.record {
        Record::Note(note) => note.text.clone(),
        _ => Vec::new(),
    };
    revisions.first().is_some_and(|first| text(first) == text(&entry(number, 0)))
}
