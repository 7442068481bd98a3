//! A simulated disk: it knows what is durable and what is not, tells every
//! state that a power cut may leave, and fails where it is told to.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::store::{Disk, FileStore};
use crate::*;

const SECTOR: usize = 512;
/// Pending changes beyond which not after every one of them a crash is tried.
const LONG_RUN: usize = 8;

/// A small generator (Steele et al., SplitMix64): all that the tests choose.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % bound as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// A change of the disk that is not durable before the next sync.
#[derive(Clone)]
pub(super) enum Change {
    Write { offset: usize, bytes: Arc<[u8]> },
    Length(usize),
}

impl Change {
    pub(super) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write(image, *offset, bytes),
            Self::Length(length) if image.len() < *length => image.resize(*length, 0),
            Self::Length(_) => {}
        }
    }

    /// The sectors of the file that the change touches.
    fn sectors(&self) -> std::ops::Range<usize> {
        match self {
            Self::Write { offset, bytes } => offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR),
            Self::Length(_) => 0..0,
        }
    }

    /// Applies only the sectors that survive.
    fn apply_torn(&self, image: &mut Vec<u8>, survives: &mut dyn FnMut(usize) -> bool) {
        let Self::Write { offset, bytes } = self else { return };
        for sector in self.sectors() {
            let start = (sector * SECTOR).max(*offset);
            let end = ((sector + 1) * SECTOR).min(offset + bytes.len());
            if survives(sector) {
                write(image, start, &bytes[start - offset..end - offset]);
            }
        }
    }
}

fn write(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[offset..end].copy_from_slice(bytes);
}

/// What happened on a disk, in order.
#[derive(Clone)]
pub(super) enum Event {
    Change(Change),
    Sync,
    /// A call returned that had made this commit.
    Acknowledged(Epoch),
}

/// A durable image and everything that happened to it since.
#[derive(Clone)]
pub(super) struct Trace {
    pub(super) base: Vec<u8>,
    pub(super) events: Vec<Event>,
}

/// What a crash leaves behind.
pub(super) struct CrashState {
    /// What survived.
    pub(super) durable: Vec<u8>,
    /// What the next process still sees although it is not durable: only the
    /// process died, not yet the power.
    pub(super) pending: Vec<Change>,
    /// The last commit that had been acknowledged, if the trace tells.
    pub(super) acknowledged: Option<Epoch>,
    /// Where in the trace and in which way, for the message of a failure.
    pub(super) label: String,
}

/// Visits the states that a crash after any event of the trace may leave:
/// pending changes whole, lost, in random subsets and torn by sectors, and
/// still visible after the death of the process alone.
pub(super) fn crash_states(trace: &Trace, chance: &mut Chance, visit: &mut dyn FnMut(CrashState)) {
    let mut durable = trace.base.clone();
    let mut pending: Vec<Change> = Vec::new();
    let mut acknowledged = None;
    for (at, event) in trace.events.iter().enumerate() {
        match event {
            Event::Acknowledged(epoch) => acknowledged = Some(*epoch),
            Event::Sync => pending.drain(..).for_each(|change| change.apply(&mut durable)),
            Event::Change(change) => pending.push(change.clone()),
        }
        // A long run of changes without a sync is one erasure, each like the next.
        if pending.len() > LONG_RUN && !chance.one_in(LONG_RUN) {
            continue;
        }
        let mut state = |kind: &str, durable: Vec<u8>, pending: Vec<Change>| {
            let label = format!("event {at}, {kind}");
            visit(CrashState { durable, pending, acknowledged, label });
        };
        state("nothing pending survives", durable.clone(), Vec::new());
        if pending.is_empty() {
            continue;
        }
        let mut whole = durable.clone();
        pending.iter().for_each(|change| change.apply(&mut whole));
        state("everything pending survives", whole, Vec::new());
        state("the process dies", durable.clone(), pending.clone());
        torn_states(&durable, &pending, chance, &mut state);
    }
}

/// Takes a label, what is durable, and what is still visible.
type VisitState<'a> = dyn FnMut(&str, Vec<u8>, Vec<Change>) + 'a;

/// The last change torn, the ones before it whole; and random subsets of all.
fn torn_states(durable: &[u8], pending: &[Change], chance: &mut Chance, state: &mut VisitState<'_>) {
    let (last, before) = pending.split_last().unwrap();
    let mut whole = durable.to_vec();
    before.iter().for_each(|change| change.apply(&mut whole));
    let sectors = last.sectors();
    // A root or less: torn everywhere. More: torn at a few sectors.
    let cuts: Vec<usize> = match sectors.len() {
        0..=1 => Vec::new(),
        2..=9 => (sectors.start + 1..sectors.end).collect(),
        count => (0..3).map(|_| sectors.start + 1 + chance.below(count - 1)).collect(),
    };
    for cut in cuts {
        let mut image = whole.clone();
        last.apply_torn(&mut image, &mut |sector| sector < cut);
        state(&format!("torn before sector {cut}"), image, Vec::new());
        let mut image = whole.clone();
        last.apply_torn(&mut image, &mut |sector| sector != cut);
        state(&format!("torn, sector {cut} lost"), image, Vec::new());
    }
    for round in 0..2 {
        let mut image = durable.to_vec();
        for change in pending {
            match chance.below(3) {
                0 => {}
                1 => change.apply(&mut image),
                _ => change.apply_torn(&mut image, &mut |_| chance.one_in(2)),
            }
        }
        state(&format!("random subset {round}"), image, Vec::new());
    }
}

/// What the disk does wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call fails (EIO).
    Io,
    /// The disk is full (ENOSPC).
    Full,
    /// A write stops half-way and fails.
    Short,
}

/// Which call is to fail, and what came of it.
#[derive(Default)]
struct Plan {
    calls: usize,
    fail_at: Option<(usize, Fault)>,
    /// The call that failed.
    failed: Option<&'static str>,
    failed_at: u64,
}

#[derive(Default)]
struct State {
    visible: Vec<u8>,
    trace: Option<Trace>,
    unsynced: usize,
    locked: bool,
    plan: Plan,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub(super) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// A disk whose content is durable.
    pub(super) fn new(image: Vec<u8>) -> Self {
        let trace = Some(Trace { base: image.clone(), events: Vec::new() });
        Self(Arc::new(Mutex::new(State { visible: image, trace, ..State::default() })))
    }

    /// A disk as a crash left it.
    pub(super) fn after(state: &CrashState) -> Self {
        let disk = Self::new(state.durable.clone());
        state.pending.iter().for_each(|change| disk.state().change(change.clone()));
        disk
    }

    /// A disk whose content is durable and whose past is not wanted.
    pub(super) fn without_trace(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { visible: image, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn open(&self) -> Result<LockedVault, Error> {
        self.open_with(super::basics::options())
    }

    pub(super) fn open_with(&self, options: VaultOptions) -> Result<LockedVault, Error> {
        LockedVault::of(Arc::new(FileStore::on(Box::new(self.clone()))), options)
    }

    pub(super) fn unlock(&self, credential: &Credential) -> Result<Vault, Error> {
        self.open()?.unlock(credential)
    }

    /// What a process sees.
    pub(super) fn image(&self) -> Vec<u8> {
        self.state().visible.clone()
    }

    /// Another process writes.
    pub(super) fn replace(&self, image: Vec<u8>) {
        self.state().visible = image;
    }

    /// Whether everything is durable.
    pub(super) fn is_durable(&self) -> bool {
        self.state().unsynced == 0
    }

    pub(super) fn acknowledge(&self, epoch: Epoch) {
        self.state().trace.as_mut().unwrap().events.push(Event::Acknowledged(epoch));
    }

    pub(super) fn trace(&self) -> Trace {
        self.state().trace.clone().unwrap()
    }

    /// What a power cut now would leave when nothing unsynced survives.
    pub(super) fn durable_image(&self) -> Vec<u8> {
        let Trace { base: mut image, events } = self.trace();
        let synced = events.iter().rposition(|event| matches!(event, Event::Sync)).unwrap_or(0);
        for event in &events[..synced] {
            if let Event::Change(change) = event {
                change.apply(&mut image);
            }
        }
        image
    }

    /// Lets the call of this number, counted from now, fail.
    pub(super) fn fail_at(&self, call: usize, fault: Fault) {
        self.state().plan = Plan { fail_at: Some((call, fault)), ..Plan::default() };
    }

    /// Which call failed and at which offset.
    pub(super) fn failed(&self) -> Option<(&'static str, u64)> {
        let state = self.state();
        state.plan.failed.map(|name| (name, state.plan.failed_at))
    }
}

impl State {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.unsynced += 1;
        if let Some(trace) = &mut self.trace {
            trace.events.push(Event::Change(change));
        }
    }

    /// Counts a call; tells whether it is to fail and how.
    fn fault(&mut self, name: &'static str, offset: u64) -> Option<Fault> {
        let call = self.plan.calls;
        self.plan.calls += 1;
        let (_, fault) = self.plan.fail_at.filter(|(at, _)| *at == call)?;
        (self.plan.failed, self.plan.failed_at) = (Some(name), offset);
        Some(fault)
    }

    fn call(&mut self, name: &'static str, offset: u64) -> io::Result<()> {
        self.fault(name, offset).map_or(Ok(()), |fault| Err(fault.into()))
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io => Self::other("EIO"),
            Fault::Full => io::ErrorKind::StorageFull.into(),
            Fault::Short => io::ErrorKind::WriteZero.into(),
        }
    }
}

impl Disk for SimDisk {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.call("read", offset)?;
        let start = usize::try_from(offset).unwrap();
        let bytes = state.visible.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.fault("write", offset);
        let written = match fault {
            None => bytes,
            Some(Fault::Short) => &bytes[..bytes.len() / 2],
            Some(_) => &[],
        };
        if !written.is_empty() {
            let offset = usize::try_from(offset).unwrap();
            state.change(Change::Write { offset, bytes: written.into() });
        }
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call("sync", 0)?;
        state.unsynced = 0;
        if let Some(trace) = &mut state.trace {
            trace.events.push(Event::Sync);
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.call("len", 0)?;
        Ok(state.visible.len() as u64)
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call("reserve", length)?;
        let length = usize::try_from(length).unwrap();
        if state.visible.len() < length {
            state.change(Change::Length(length));
        }
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.state();
        state.call("try_lock", 0)?;
        Ok(!std::mem::replace(&mut state.locked, true))
    }

    fn unlock(&self) -> io::Result<()> {
        let mut state = self.state();
        state.locked = false;
        state.call("unlock", 0)
    }

    fn is_current(&self) -> io::Result<bool> {
        self.state().call("is_current", 0)?;
        Ok(true)
    }

    fn medium(&self) -> Medium {
        Medium::InPlace { file_system: None }
    }
}

/// Tells states apart that were seen from those that were not.
#[derive(Default)]
pub(super) struct Seen(HashSet<(u64, Option<Epoch>)>);

impl Seen {
    /// Whether this content, with this acknowledged, is new.
    pub(super) fn is_new(&mut self, state: &CrashState) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(&state.durable);
        for change in &state.pending {
            if let Change::Write { offset, bytes } = change {
                hasher.write_usize(*offset);
                hasher.write(bytes);
            }
        }
        self.0.insert((hasher.finish(), state.acknowledged))
    }
}
