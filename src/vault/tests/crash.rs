//! Power cuts and process deaths after every event of seeded workloads, and
//! again inside the recovery: whatever survives, what was acknowledged is
//! there, nothing is half, nobody is locked out, nothing expunged comes back.
//!
//! `SUBROSA_CRASH_STATES=1000000 cargo test crash` runs as many states as asked.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::access::has_shortcut;
use super::adversary::Adversary;
use super::basics::diagnosis;
use super::disk::{Chance, CrashState, Files, Seen, SimDisk, Trace, VAULT, crash_states};
use super::workload::{Act, BACKUP, Model, Run, Workload, clinic, guest, owner, password, state_of};
use crate::format::area::AREA_LEN;
use crate::format::header::geometry;
use crate::format::root::ROOT_LEN;
use crate::testing::{Sabotage, sabotage};
use crate::*;

/// States that an ordinary test run examines.
const LEAST_STATES: u64 = 20_000;
/// Operations of one workload.
const STEPS: usize = 7;
/// How deep crashes inside recoveries nest.
const DEPTH: usize = 2;

/// What was examined, over all threads.
#[derive(Default)]
struct Counts {
    states: AtomicU64,
    nested: AtomicU64,
    deaths: AtomicU64,
    /// Files that the adversary read, as a crash left them.
    hunted_before: AtomicU64,
    /// The same, as a recovery left them.
    hunted_after: AtomicU64,
    recovered: AtomicU64,
    freed: AtomicU64,
    leftovers: AtomicU64,
    backups: AtomicU64,
    guests: AtomicU64,
    acts: Mutex<BTreeMap<Act, u64>>,
}

impl Counts {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn of(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// The examination of one workload's crash states.
struct Examination<'a> {
    run: &'a Run,
    counts: &'a Counts,
    adversary: Adversary,
    chance: Chance,
    seen: Seen,
    /// Files in which nothing was found, with how much had been expunged.
    hunted: HashSet<(u64, usize)>,
}

impl Examination<'_> {
    fn examine_trace(&mut self, trace: &Trace, parent: Option<&CrashState>, depth: usize) {
        let mut chance = Chance::new(self.chance.draw());
        crash_states(trace, &mut chance, &mut |mut state| {
            if let Some(parent) = parent {
                state.acknowledged = parent.acknowledged;
                state.label = format!("{}; in its recovery {}", parent.label, state.label);
            }
            if (parent.is_none() || self.chance.one_in(3)) && self.seen.is_new(&state) {
                Counts::count(if parent.is_some() { &self.counts.nested } else { &self.counts.states });
                let examined = catch_unwind(AssertUnwindSafe(|| self.examine(&state, depth)));
                if let Err(panic) = examined {
                    eprintln!("crash state: {}", state.label);
                    resume_unwind(panic);
                }
            }
        });
    }

    /// The models that may be found: the last acknowledged commit's, and that
    /// of the one under way.
    fn allowed(&self, state: &CrashState) -> Vec<(Epoch, &Model)> {
        // Creation itself is acknowledged before the trace begins.
        let acknowledged = state.acknowledged.unwrap_or(Epoch::new(1));
        let either = [Some(acknowledged), acknowledged.next()].into_iter().flatten();
        either.filter_map(|epoch| Some((epoch, self.run.models.get(&epoch)?))).collect()
    }

    fn examine(&mut self, state: &CrashState, depth: usize) {
        if !state.pending.is_empty() {
            Counts::count(&self.counts.deaths);
        }
        self.try_passwords(state);
        self.try_guests(state);
        if self.chance.one_in(8) {
            self.read_only(state);
        }
        self.hunt_before_recovery(state);
        let disk = SimDisk::after(state);
        let first = if self.chance.one_in(3) { clinic() } else { owner() };
        let vault = disk.unlock(&first).unwrap();
        let epoch = vault.epoch();
        if vault.recovery() == Recovery::Recovered {
            Counts::count(&self.counts.recovered);
        }
        drop(vault);
        let model = self.model_at(state, epoch);
        let recovery = disk.trace();
        assert!(disk.is_durable(), "the recovery left something that is not durable");
        assert_copies_are_equal(&disk.image());
        self.hunt_everywhere(&disk.files(), &model);
        self.open_backup(&disk);

        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded, "a second opening has nothing to do");
        assert_eq!(vault.epoch(), epoch);
        self.assert_holds(&vault, &model);
        if self.chance.one_in(16) {
            self.write_on(&disk, &vault);
        }
        drop(vault);
        let is_death = !state.pending.is_empty();
        if depth > 0 && self.chance.one_in(if is_death { 16 } else { 64 }) {
            self.examine_trace(&recovery, Some(state), depth - 1);
        }
    }

    /// The model of the commit that was found, if it may be found.
    fn model_at(&self, state: &CrashState, epoch: Epoch) -> Model {
        let allowed = self.allowed(state);
        let found = allowed.iter().find(|(allowed, _)| *allowed == epoch);
        found
            .unwrap_or_else(|| panic!("found commit {epoch}, acknowledged {:?}", state.acknowledged))
            .1
            .clone()
    }

    /// A current password opens, and whoever opens first settles which one that
    /// is: around an unacknowledged change both may. Every other gets
    /// `WrongCredential`, never damage.
    fn try_passwords(&mut self, state: &CrashState) {
        let allowed = self.allowed(state);
        let current: Vec<&String> = allowed.iter().map(|(_, model)| &model.password).collect();
        let changing = current.iter().any(|password| password != &current[0]);
        if !changing && !self.chance.one_in(8) {
            return;
        }
        let mut opened = 0;
        for text in &self.run.passwords {
            let disk = SimDisk::after(state);
            match disk.unlock(&password(text)) {
                Ok(vault) => {
                    let model = self.model_at(state, vault.epoch());
                    assert_eq!(&model.password, text);
                    self.assert_holds(&vault, &model);
                    self.only_opens(&disk, text);
                    opened += 1;
                }
                Err(error) => assert!(matches!(error, Error::WrongCredential), "{error}"),
            }
        }
        assert!((1..=2).contains(&opened) && (changing || opened == 1), "{opened} passwords open");
    }

    /// Tries every guest who ever was, each on a file as the crash left it:
    /// whoever is in both states enters, whoever is in neither does not, and
    /// whoever enters finds a state that they are in.
    fn try_guests(&mut self, state: &CrashState) {
        let sometimes = self.chance.one_in(8);
        let allowed = self.allowed(state);
        let changing = allowed.iter().any(|(_, model)| model.guests != allowed[0].1.guests);
        if self.run.guests.is_empty() || !changing && !sometimes {
            return;
        }
        for number in &self.run.guests {
            let may_enter = |(_, model): &(Epoch, &Model)| model.guests.contains(number);
            let disk = SimDisk::after(state);
            match disk.unlock(&guest(*number)) {
                Ok(vault) => assert!(self.model_at(state, vault.epoch()).guests.contains(number)),
                Err(error) => {
                    assert!(matches!(error, Error::WrongCredential), "{error}");
                    assert!(!allowed.iter().all(may_enter), "guest {number} is locked out");
                }
            }
            if !allowed.iter().any(may_enter) {
                assert!(matches!(disk.unlock(&guest(*number)), Err(Error::WrongCredential)));
            }
            Counts::count(&self.counts.guests);
        }
    }

    fn only_opens(&self, disk: &SimDisk, current: &str) {
        for text in self.run.passwords.iter().filter(|text| *text != current) {
            assert!(matches!(disk.unlock(&password(text)), Err(Error::WrongCredential)));
        }
    }

    /// A reader sees a whole state too, and writes nothing.
    fn read_only(&self, state: &CrashState) {
        let disk = SimDisk::after(state);
        let before = disk.image();
        let vault = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
        let model = self.model_at(state, vault.epoch());
        for (id, modelled) in &model.entries {
            assert!(vault.entry(*id).unwrap() == **modelled.revisions.last().unwrap());
        }
        assert!(disk.image() == before, "a reader wrote");
    }

    /// Before anybody opens it, neither what is durable nor what the next process
    /// sees yields what had been expunged by an acknowledged commit: not the
    /// vault's file, not what an interrupted compaction left, not what was freed.
    fn hunt_before_recovery(&mut self, state: &CrashState) {
        let (run, counts) = (self.run, self.counts);
        let model = &run.models[&state.acknowledged.unwrap_or(Epoch::new(1))];
        let mut visible = state.durable.clone();
        state.pending.iter().for_each(|change| change.apply(&mut visible));
        for files in [&state.durable, &visible] {
            let named = files.named().filter(|(name, _)| !name.starts_with(BACKUP));
            for (name, image) in named.chain(files.freed().map(|image| ("", image))) {
                if name.starts_with("vault.") {
                    Counts::count(&counts.leftovers);
                }
                self.hunt(image, model, &counts.hunted_before);
            }
        }
    }

    /// A recovery leaves nothing of a compaction; neither what it leaves nor
    /// what it freed yields anything expunged.
    fn hunt_everywhere(&mut self, files: &Files, model: &Model) {
        let counts = self.counts;
        for (name, image) in files.named() {
            match name {
                VAULT => self.hunt(image, model, &counts.hunted_after),
                // Copies: whoever opens them has what they had.
                name if name.starts_with(BACKUP) => {}
                name => assert!(name.starts_with(".subrosa-"), "{name} is left"),
            }
        }
        for image in files.freed().filter(|image| image.len() as u64 >= geometry::APPEND) {
            Counts::count(&counts.freed);
            self.hunt(image, model, &counts.hunted_after);
        }
    }

    /// A backup that has its name is whole.
    fn open_backup(&mut self, disk: &SimDisk) {
        let files = disk.files();
        for (_, image) in files.named().filter(|(name, _)| name.starts_with(BACKUP)) {
            if self.chance.one_in(8) {
                Counts::count(&self.counts.backups);
                let vault = SimDisk::without_trace(image.clone()).unlock(&owner()).unwrap();
                assert_eq!(vault.recovery(), Recovery::NotNeeded);
                let model = self.run.models[&vault.epoch()].clone();
                self.assert_holds(&vault, &model);
            }
        }
    }

    /// Whether a vault holds what the model says: every part of it is read, and
    /// the digest of its root is that of the state which had all of it. Now and
    /// then everything is compared.
    fn assert_holds(&mut self, vault: &Vault, model: &Model) {
        assert_eq!(state_of(vault), self.run.checkpoints[&vault.epoch()]);
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        assert_eq!(report.entries, model.entries.len() as u64);
        if self.chance.one_in(8) {
            assert_holds_all(vault, model);
        }
    }

    /// Recoveries end in the same few files: each is hunted, and counted, once.
    fn hunt(&mut self, image: &[u8], model: &Model, counter: &AtomicU64) {
        if model.expunged.is_empty() || (image.len() as u64) < geometry::APPEND {
            return;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(image);
        if self.hunted.insert((hasher.finish(), model.expunged.len())) {
            assert_eq!(self.adversary.leaks(image, model), [], "something expunged comes back");
            Counts::count(counter);
        }
    }

    /// A recovered vault takes the next commit.
    fn write_on(&self, disk: &SimDisk, vault: &Vault) {
        let entry = diagnosis("J45", "after the crash", "2026");
        let id = vault.update(&Actor::owner(), |tx| tx.add(&entry)).unwrap().value;
        let again = disk.unlock(&owner()).unwrap();
        assert!(again.entry(id).unwrap() == entry);
        assert!(again.check().unwrap().is_clean());
        // Whatever the crash left of a shortcut, whoever lacks it has it back with a commit.
        disk.unlock(&clinic()).unwrap().update(&Actor::owner(), |tx| tx.add(&entry)).unwrap();
        assert!(has_shortcut(&disk.unlock(&clinic()).unwrap()));
        assert_copies_are_equal(&disk.image());
    }
}

pub(super) fn assert_copies_are_equal(image: &[u8]) {
    let part = |offset: u64, length: usize| {
        let offset = usize::try_from(offset).unwrap();
        &image[offset..offset + length]
    };
    assert!(part(geometry::ROOT_A, ROOT_LEN) == part(geometry::ROOT_B, ROOT_LEN), "the roots differ");
    assert!(part(geometry::AREA_A, AREA_LEN) == part(geometry::AREA_B, AREA_LEN), "the areas differ");
}

/// Whether a vault holds exactly what the model says, every revision of it.
fn assert_holds_all(vault: &Vault, model: &Model) {
    let report = vault.check().unwrap();
    let revisions: usize = model.entries.values().map(|entry| entry.revisions.len() - 1).sum();
    assert_eq!(report.revisions, revisions as u64);
    for (id, modelled) in &model.entries {
        for (revision, entry) in (1..).zip(&modelled.revisions) {
            assert!(vault.entry_revision(*id, revision).unwrap() == **entry);
        }
        assert!(vault.entry(*id).unwrap() == **modelled.revisions.last().unwrap());
    }
    for (id, bytes) in &model.attached {
        let mut found = Vec::new();
        std::io::Read::read_to_end(&mut vault.attachment(*id, 0).unwrap(), &mut found).unwrap();
        assert!(found == **bytes);
    }
    for id in model.expunged.keys() {
        assert!(matches!(vault.entry(*id), Err(Error::NoSuchEntry { .. })));
    }
}

fn examine_seed(seed: u64, counts: &Counts) {
    let run = Workload::run(seed, STEPS);
    let mut examination = Examination {
        adversary: Adversary::new(&run),
        run: &run,
        counts,
        chance: Chance::new(seed ^ 0x5ca1_ab1e),
        seen: Seen::default(),
        hunted: HashSet::new(),
    };
    for (act, times) in &run.acts {
        *counts.acts.lock().unwrap().entry(*act).or_default() += times;
    }
    for (epoch, image) in &run.erased {
        examination.hunt(image, &run.models[epoch], &counts.hunted_before);
    }
    examination.examine_trace(&run.trace, None, DEPTH);
}

#[test]
fn every_crash_leaves_the_acknowledged_state_or_the_next_and_nothing_expunged() {
    if let Ok(seed) = std::env::var("SUBROSA_CRASH_SEED") {
        return examine_seed(seed.parse().unwrap(), &Counts::default());
    }
    let asked = std::env::var("SUBROSA_CRASH_STATES").ok().map(|text| text.parse::<u64>().unwrap());
    let wanted = asked.unwrap_or(LEAST_STATES);
    let counts = Counts::default();
    let started = std::time::Instant::now();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while Counts::of(&counts.states) + Counts::of(&counts.nested) < wanted {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| examine_seed(seed, &counts))) {
                        eprintln!("crash seed: {seed}");
                        resume_unwind(panic);
                    }
                }
            });
        }
    });
    let [states, nested, deaths, recovered, guests] =
        [&counts.states, &counts.nested, &counts.deaths, &counts.recovered, &counts.guests].map(Counts::of);
    eprintln!(
        "{:?} {} workloads: {states} crash states and {nested} inside recoveries, {deaths} of them process \
         deaths; {recovered} recovered; {guests} guests tried",
        started.elapsed(),
        Counts::of(&next)
    );
    let [before, after] = [&counts.hunted_before, &counts.hunted_after].map(Counts::of);
    eprintln!("files that the adversary read: {before} before a recovery, {after} after one");
    let acts = counts.acts.into_inner().unwrap();
    eprintln!("{acts:?}");
    Act::ALL.into_iter().for_each(|act| assert!(acts.contains_key(&act), "{act:?} did not happen"));
    let [freed, leftovers, backups] = [&counts.freed, &counts.leftovers, &counts.backups].map(Counts::of);
    eprintln!("{leftovers} leftovers of compactions, {freed} freed files, {backups} backups opened");
    assert!(leftovers * 100 >= wanted && freed > 0 && backups > 0);
    assert!(states + nested >= wanted);
    assert!(nested * 10 >= wanted && deaths * 20 >= wanted, "each kind of crash must be among them");
    assert!(before * 5 >= wanted && after * 5 >= wanted, "many states must follow an expungement");
    assert!(guests * 10 >= wanted, "many states must have guests who came or went");
}

/// Whether somebody notices, in one of some workloads, that writing or recovering is broken.
fn is_caught(broken: fn() -> Sabotage) -> bool {
    (0..24).any(|seed| {
        sabotage(Some(broken()));
        let examined = catch_unwind(AssertUnwindSafe(|| examine_seed(seed, &Counts::default())));
        sabotage(None);
        examined.is_err()
    })
}

#[test]
fn a_broken_order_of_writing_or_recovering_is_caught() {
    assert!(is_caught(|| Sabotage::AlwaysFirstPlace), "a root over the only durable copy");
    assert!(is_caught(|| Sabotage::OneBarrierForBothRoots), "both roots of a withdrawal under one barrier");
    assert!(is_caught(|| Sabotage::NoSegmentDigest), "a root without its segment");
    assert!(is_caught(|| Sabotage::NoBarrierBehindLongSegment), "a root before its long segment");
}
