//! Power cuts and process deaths after every event of seeded workloads, and
//! again inside the recovery: whatever survives, what was acknowledged is
//! there, nothing is half, nobody is locked out, nothing expunged comes back.
//!
//! `SUBROSA_CRASH_STATES=1000000 cargo test crash` runs as many states as asked.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::adversary::Adversary;
use super::basics::diagnosis;
use super::disk::{Chance, CrashState, Seen, SimDisk, Trace, crash_states};
use super::workload::{Model, Run, Workload, clinic, owner, password};
use crate::format::area::AREA_LEN;
use crate::format::header::geometry;
use crate::format::root::ROOT_LEN;
use crate::*;

/// States that an ordinary test run examines.
const LEAST_STATES: u64 = 5_000;
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
    adversary: AtomicU64,
    recovered: AtomicU64,
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
        let either = [acknowledged, acknowledged.next()].into_iter();
        either.filter_map(|epoch| Some((epoch, self.run.models.get(&epoch)?))).collect()
    }

    fn examine(&mut self, state: &CrashState, depth: usize) {
        if !state.pending.is_empty() {
            Counts::count(&self.counts.deaths);
        }
        self.try_passwords(state);
        if self.chance.one_in(8) {
            self.read_only(state);
        }
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
        let image = disk.image();
        assert_copies_are_equal(&image);
        self.hunt(&image, &model);

        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded, "a second opening has nothing to do");
        assert_eq!(vault.epoch(), epoch);
        assert_holds(&vault, &model);
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
                    assert_holds(&vault, &model);
                    self.only_opens(&disk, text);
                    opened += 1;
                }
                Err(error) => assert!(matches!(error, Error::WrongCredential), "{error}"),
            }
        }
        assert!((1..=2).contains(&opened) && (changing || opened == 1), "{opened} passwords open");
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

    fn hunt(&mut self, image: &[u8], model: &Model) {
        if !model.expunged.is_empty() {
            Counts::count(&self.counts.adversary);
            assert_eq!(self.adversary.leaks(image, model), [], "something expunged comes back");
        }
    }

    /// A recovered vault takes the next commit.
    fn write_on(&self, disk: &SimDisk, vault: &Vault) {
        let entry = diagnosis("J45", "after the crash", "2026");
        let id = vault.update(&Actor::owner(), |tx| tx.add(&entry)).unwrap().value;
        let again = disk.unlock(&owner()).unwrap();
        assert!(again.entry(id).unwrap() == entry);
        assert!(again.check().unwrap().is_clean());
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
fn assert_holds(vault: &Vault, model: &Model) {
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.entries, model.entries.len() as u64);
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
    };
    for (epoch, image) in &run.erased {
        examination.hunt(image, &run.models[epoch]);
    }
    examination.examine_trace(&run.trace, None, DEPTH);
}

#[test]
fn every_crash_leaves_the_acknowledged_state_or_the_next_and_nothing_expunged() {
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
    let [states, nested, deaths, adversary, recovered] =
        [&counts.states, &counts.nested, &counts.deaths, &counts.adversary, &counts.recovered]
            .map(Counts::of);
    eprintln!(
        "{:?} {} workloads: {states} crash states and {nested} inside recoveries, {deaths} of them process \
         deaths; {recovered} recovered; {adversary} runs of the adversary",
        started.elapsed(),
        Counts::of(&next)
    );
    assert!(states + nested >= wanted);
    assert!(nested * 10 >= wanted && deaths * 20 >= wanted, "each kind of crash must be among them");
    assert!(adversary * 3 >= wanted, "many states must follow an expungement");
}
