//! A simulated disk with one folder, for tests and fuzz targets: it knows what is
//! durable and what is not, tells every state that a power cut may leave, and
//! fails where it is told to.
//!
//! Changes of names are durable only by a sync of the folder, and each is lost
//! or survives by itself, whatever became of those before it: POSIX promises no
//! more.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use crate::store::{Disk, FileAccess, FileId, FileStore, Folder, Named};
use crate::*;

const SECTOR: usize = 512;
/// Pending changes beyond which not after every one of them a crash is tried.
const LONG_RUN: usize = 8;

/// A small generator (Steele et al., SplitMix64): all that the tests choose.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// Options with a clock that stands still and the cheapest key derivation.
pub(crate) fn options() -> VaultOptions {
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let limits = KdfLimits { min_memory_kib: 8, min_passes: 1, ..KdfLimits::default() };
    VaultOptions::default()
        .with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .with_kdf_cost(cost)
        .with_kdf_limits(limits)
        .with_lock_wait(Duration::from_millis(200))
        // Most tests count commits.
        .with_renewal_at_close(false)
}

/// The name of the vault's file.
pub(crate) const VAULT: &str = "vault";

/// Files and their names.
#[derive(Clone, Default)]
pub(crate) struct Files {
    contents: BTreeMap<u64, Arc<Vec<u8>>>,
    names: BTreeMap<String, u64>,
}

impl Files {
    fn of_vault(image: Vec<u8>) -> Self {
        Self { contents: BTreeMap::from([(1, Arc::new(image))]), names: BTreeMap::from([(VAULT.into(), 1)]) }
    }

    /// The content of the file of this name.
    pub(crate) fn image(&self, name: &str) -> Option<&Vec<u8>> {
        self.contents.get(self.names.get(name)?).map(|content| &**content)
    }

    /// The vault's file, which always has its name.
    pub(crate) fn vault(&self) -> &Vec<u8> {
        self.image(VAULT).expect("the vault's name is never free")
    }

    /// Every name with its content.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Vec<u8>)> {
        self.names.iter().map(|(name, file)| (name.as_str(), &*self.contents[file]))
    }

    /// Contents that no name stands for any more.
    pub(crate) fn freed(&self) -> impl Iterator<Item = &Vec<u8>> {
        let named: Vec<u64> = self.names.values().copied().collect();
        let freed = self.contents.iter().filter(move |(file, _)| !named.contains(file));
        freed.map(|(_, content)| &**content)
    }

    fn content(&mut self, file: u64) -> &mut Vec<u8> {
        Arc::make_mut(self.contents.entry(file).or_default())
    }
}

/// A change of the disk that is not durable before the next sync of its file,
/// or of the folder.
#[derive(Clone)]
pub(crate) enum Change {
    Write { file: u64, offset: usize, bytes: Arc<[u8]> },
    Length { file: u64, length: usize },
    Name { file: u64, name: String },
    Rename { file: u64, from: String, to: String },
    Remove { file: u64, name: String },
}

impl Change {
    pub(crate) fn apply(&self, files: &mut Files) {
        match self {
            Self::Write { file, offset, bytes } => write(files.content(*file), *offset, bytes),
            Self::Length { file, length } => {
                let content = files.content(*file);
                if content.len() < *length {
                    content.resize(*length, 0);
                }
            }
            Self::Name { file, name } => {
                files.contents.entry(*file).or_default();
                files.names.insert(name.clone(), *file);
            }
            Self::Rename { file, from, to } => {
                if files.names.get(from) == Some(file) {
                    files.names.remove(from);
                }
                files.contents.entry(*file).or_default();
                files.names.insert(to.clone(), *file);
            }
            Self::Remove { file, name } => {
                if files.names.get(name) == Some(file) {
                    files.names.remove(name);
                }
            }
        }
    }

    /// The file whose sync makes the change durable; `None` of a change of names.
    fn file(&self) -> Option<u64> {
        match self {
            Self::Write { file, .. } | Self::Length { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// The sectors of the file that the change touches.
    fn sectors(&self) -> std::ops::Range<usize> {
        match self {
            Self::Write { offset, bytes, .. } => offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR),
            _ => 0..0,
        }
    }

    /// Applies only the sectors that survive.
    fn apply_torn(&self, files: &mut Files, survives: &mut dyn FnMut(usize) -> bool) {
        let Self::Write { file, offset, bytes } = self else { return };
        for sector in self.sectors() {
            let start = (sector * SECTOR).max(*offset);
            let end = ((sector + 1) * SECTOR).min(offset + bytes.len());
            if survives(sector) {
                write(files.content(*file), start, &bytes[start - offset..end - offset]);
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

/// What becomes durable by a sync of one file, or of the folder.
fn settle(files: &mut Files, pending: &mut Vec<Change>, synced: Option<u64>) {
    pending.retain(|change| {
        let is_synced = change.file() == synced;
        if is_synced {
            change.apply(files);
        }
        !is_synced
    });
}

/// What happened on a disk, in order.
#[derive(Clone)]
pub(crate) enum Event {
    Change(Change),
    /// Of a file, or of the folder.
    Sync(Option<u64>),
    /// A call returned that had made this commit.
    Acknowledged(Epoch),
}

/// A durable image and everything that happened to it since.
#[derive(Clone)]
pub(crate) struct Trace {
    pub(crate) base: Files,
    pub(crate) events: Vec<Event>,
}

/// What a crash leaves behind.
pub(crate) struct CrashState {
    /// What survived.
    pub(crate) durable: Files,
    /// What the next process still sees although it is not durable: only the
    /// process died, not yet the power.
    pub(crate) pending: Vec<Change>,
    /// The last commit that had been acknowledged, if the trace tells.
    pub(crate) acknowledged: Option<Epoch>,
    /// Where in the trace and in which way, for the message of a failure.
    pub(crate) label: String,
}

/// Visits the states that a crash after any event of the trace may leave:
/// pending changes whole, lost, in random subsets and torn by sectors, and
/// still visible after the death of the process alone.
pub(crate) fn crash_states(trace: &Trace, chance: &mut Chance, visit: &mut dyn FnMut(CrashState)) {
    let mut durable = trace.base.clone();
    let mut pending: Vec<Change> = Vec::new();
    let mut acknowledged = None;
    for (at, event) in trace.events.iter().enumerate() {
        match event {
            Event::Acknowledged(epoch) => acknowledged = Some(*epoch),
            Event::Sync(synced) => settle(&mut durable, &mut pending, *synced),
            Event::Change(change) => pending.push(change.clone()),
        }
        // A long run of changes without a sync is one erasure, each like the next.
        if pending.len() > LONG_RUN && !chance.one_in(LONG_RUN) {
            continue;
        }
        let mut state = |kind: &str, durable: Files, pending: Vec<Change>| {
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
type VisitState<'a> = dyn FnMut(&str, Files, Vec<Change>) + 'a;

/// The last change torn, the ones before it whole; and random subsets of all.
fn torn_states(durable: &Files, pending: &[Change], chance: &mut Chance, state: &mut VisitState<'_>) {
    let (last, before) = pending.split_last().unwrap();
    let mut whole = durable.clone();
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
        state(&format!("random subset {round}"), random_subset(durable, pending, chance), Vec::new());
    }
}

/// What is durable, and of what is not a random part.
fn random_subset(durable: &Files, pending: &[Change], chance: &mut Chance) -> Files {
    let mut image = durable.clone();
    for change in pending {
        match chance.below(3) {
            0 => {}
            1 => change.apply(&mut image),
            // A change of names is whole or lost.
            _ if change.file().is_none() => {}
            _ => change.apply_torn(&mut image, &mut |_| chance.one_in(2)),
        }
    }
    image
}

/// What the disk does wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails (EIO).
    Io,
    /// The disk is full (ENOSPC).
    Full,
    /// A write stops half-way and fails.
    Short,
    /// The call is interrupted (EINTR).
    Interrupted,
    /// The power is cut: this call and all later ones fail.
    PowerCut,
    /// The next barrier fails, and what it was to make durable is in the system's memory
    /// alone from then on: no later barrier tells.
    Unwritten,
}

impl Fault {
    /// All after which the process goes on.
    pub(crate) const ALL: [Self; 4] = [Self::Io, Self::Full, Self::Short, Self::Interrupted];
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
    visible: Files,
    durable: Files,
    pending: Vec<Change>,
    trace: Option<Trace>,
    locked: HashSet<u64>,
    /// The file system has no hard links.
    has_no_links: bool,
    /// What the disk cannot read.
    lost: Option<std::ops::Range<u64>>,
    plan: Plan,
}

/// A folder in memory with one vault, on a disk of its own. Clones are the same.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// A disk whose content is durable.
    pub(crate) fn new(image: Vec<u8>) -> Self {
        Self::with(Files::of_vault(image), true)
    }

    fn with(files: Files, traced: bool) -> Self {
        let trace = traced.then(|| Trace { base: files.clone(), events: Vec::new() });
        let state = State { visible: files.clone(), durable: files, trace, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A disk with an empty folder.
    pub(crate) fn empty() -> Self {
        Self::with(Files::default(), true)
    }

    /// A disk as a crash left it.
    pub(crate) fn after(state: &CrashState) -> Self {
        let disk = Self::with(state.durable.clone(), true);
        state.pending.iter().for_each(|change| disk.state().change(change.clone()));
        disk
    }

    /// A disk whose content is durable and whose past is not wanted.
    pub(crate) fn without_trace(image: Vec<u8>) -> Self {
        Self::with(Files::of_vault(image), false)
    }

    /// The same of several files.
    pub(crate) fn of_files(files: Files) -> Self {
        Self::with(files, false)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn folder(&self) -> Arc<dyn Folder> {
        Arc::new(self.clone())
    }

    pub(crate) fn try_store(&self) -> Result<FileStore, Error> {
        Ok(FileStore::on(self.folder(), VAULT.into())?)
    }

    pub(crate) fn store(&self) -> FileStore {
        self.try_store().unwrap()
    }

    pub(crate) fn open(&self) -> Result<LockedVault, Error> {
        self.open_with(options())
    }

    pub(crate) fn open_with(&self, options: VaultOptions) -> Result<LockedVault, Error> {
        LockedVault::of(Arc::new(self.try_store()?), options)
    }

    pub(crate) fn unlock(&self, credential: &Credential) -> Result<Vault, Error> {
        self.open()?.unlock(credential)
    }

    /// What a process sees of the vault's file.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.state().visible.vault().clone()
    }

    /// What a process sees of all files.
    pub(crate) fn files(&self) -> Files {
        self.state().visible.clone()
    }

    /// Another process writes a file, in place or anew.
    pub(crate) fn put(&self, name: &str, image: Vec<u8>) {
        let mut state = self.state();
        let next = state.next_file();
        let file = *state.visible.names.entry(name.into()).or_insert(next);
        state.visible.contents.insert(file, Arc::new(image));
        state.durable = state.visible.clone();
    }

    /// Another process writes the vault's file.
    pub(crate) fn replace(&self, image: Vec<u8>) {
        self.put(VAULT, image);
    }

    /// Flips bits of one byte of the vault's file.
    pub(crate) fn flip(&self, offset: usize, bits: u8) {
        self.flip_in(VAULT, offset, bits);
    }

    /// Flips bits of one byte of a file.
    pub(crate) fn flip_in(&self, name: &str, offset: usize, bits: u8) {
        let mut state = self.state();
        let file = state.visible.names[name];
        Arc::make_mut(state.visible.contents.get_mut(&file).unwrap())[offset] ^= bits;
    }

    /// Lets every read fail that touches these bytes of any file.
    pub(crate) fn lose(&self, range: std::ops::Range<u64>) {
        self.state().lost = Some(range);
    }

    /// Cuts the vault's file to this length.
    pub(crate) fn cut(&self, length: usize) {
        let mut state = self.state();
        let file = state.visible.names[VAULT];
        Arc::make_mut(state.visible.contents.get_mut(&file).unwrap()).truncate(length);
    }

    /// Whether the vault's file and all names are durable.
    pub(crate) fn is_durable(&self) -> bool {
        let state = self.state();
        let vault = state.visible.names.get(VAULT).copied();
        state.pending.iter().all(|change| change.file().is_some_and(|file| Some(file) != vault))
    }

    pub(crate) fn acknowledge(&self, epoch: Epoch) {
        self.state().trace.as_mut().unwrap().events.push(Event::Acknowledged(epoch));
    }

    pub(crate) fn trace(&self) -> Trace {
        self.state().trace.clone().unwrap()
    }

    /// What a power cut now would leave when nothing unsynced survives.
    pub(crate) fn durable_files(&self) -> Files {
        self.state().durable.clone()
    }

    /// The same of the vault's file.
    pub(crate) fn durable_image(&self) -> Vec<u8> {
        self.state().durable.vault().clone()
    }

    /// What a power cut now leaves, drawn by chance.
    pub(crate) fn after_power_cut(&self, chance: &mut Chance) -> Files {
        let state = self.state();
        random_subset(&state.durable, &state.pending, chance)
    }

    /// No call fails any more.
    pub(crate) fn mend(&self) {
        self.state().plan = Plan::default();
    }

    /// Refuses hard links, as vfat does.
    pub(crate) fn refuse_links(&self) {
        self.state().has_no_links = true;
    }

    /// Lets the call of this number, counted from now, fail.
    pub(crate) fn fail_at(&self, call: usize, fault: Fault) {
        self.state().plan = Plan { fail_at: Some((call, fault)), ..Plan::default() };
    }

    /// Which call failed and at which offset.
    pub(crate) fn failed(&self) -> Option<(&'static str, u64)> {
        let state = self.state();
        state.plan.failed.map(|name| (name, state.plan.failed_at))
    }
}

impl State {
    fn next_file(&self) -> u64 {
        self.visible.contents.last_key_value().map_or(1, |(file, _)| file + 1)
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.pending.push(change.clone());
        if let Some(trace) = &mut self.trace {
            trace.events.push(Event::Change(change));
        }
    }

    fn sync(&mut self, synced: Option<u64>) {
        settle(&mut self.durable, &mut self.pending, synced);
        if let Some(trace) = &mut self.trace {
            trace.events.push(Event::Sync(synced));
        }
    }

    fn file(&self, name: &OsStr) -> io::Result<u64> {
        let file = self.visible.names.get(name.to_str().unwrap()).copied();
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn free_name(&self, name: &OsStr) -> io::Result<String> {
        match self.file(name) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => Ok(name.to_str().unwrap().to_owned()),
        }
    }

    /// Counts a call; tells whether it is to fail and how.
    fn fault(&mut self, name: &'static str, offset: u64) -> Option<Fault> {
        let call = self.plan.calls;
        self.plan.calls += 1;
        let is_hit = |(at, fault): &(usize, Fault)| match fault {
            Fault::PowerCut => *at <= call,
            Fault::Unwritten => false,
            _ => *at == call,
        };
        let (_, fault) = self.plan.fail_at.filter(is_hit)?;
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
            Fault::Interrupted => io::ErrorKind::Interrupted.into(),
            Fault::PowerCut => Self::other("the power is cut"),
            Fault::Unwritten => Self::other("EIO"),
        }
    }
}

impl Folder for SimDisk {
    fn named(&self, name: &OsStr) -> io::Result<Named> {
        let mut state = self.state();
        state.call("named", 0)?;
        let id = |inode| Named::File(FileId { device: 0, inode });
        Ok(state.file(name).map_or(Named::Nothing, id))
    }

    fn open(&self, name: &OsStr) -> io::Result<Box<dyn Disk>> {
        let mut state = self.state();
        state.call("open", 0)?;
        Ok(Box::new(SimFile { disk: self.clone(), file: state.file(name)? }))
    }

    fn create(&self, name: &OsStr, _access: &FileAccess) -> io::Result<Box<dyn Disk>> {
        let mut state = self.state();
        state.call("create", 0)?;
        let (name, file) = (state.free_name(name)?, state.next_file());
        state.change(Change::Name { file, name });
        Ok(Box::new(SimFile { disk: self.clone(), file }))
    }

    fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let mut state = self.state();
        state.call("link", 0)?;
        if state.has_no_links {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let (file, name) = (state.file(from)?, state.free_name(to)?);
        state.change(Change::Name { file, name });
        Ok(())
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let mut state = self.state();
        state.call("rename", 0)?;
        let file = state.file(from)?;
        let [from, to] = [from, to].map(|name| name.to_str().unwrap().to_owned());
        state.change(Change::Rename { file, from, to });
        Ok(())
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        let mut state = self.state();
        state.call("remove", 0)?;
        let file = state.file(name)?;
        state.change(Change::Remove { file, name: name.to_str().unwrap().to_owned() });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call("sync folder", 0)?;
        state.sync(None);
        Ok(())
    }

    fn path(&self, name: &OsStr) -> PathBuf {
        name.into()
    }
}

/// An open file of a simulated folder.
struct SimFile {
    disk: SimDisk,
    file: u64,
}

impl Disk for SimFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call("read", offset)?;
        let end = offset + buffer.len() as u64;
        if state.lost.as_ref().is_some_and(|lost| offset < lost.end && lost.start < end) {
            return Err(Fault::Io.into());
        }
        let start = usize::try_from(offset).unwrap();
        let content = &state.visible.contents[&self.file];
        let bytes = content.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let first_failure = state.plan.failed.is_none();
        let fault = state.fault("write", offset);
        let written = match fault {
            None => bytes,
            Some(Fault::Short) => &bytes[..bytes.len() / 2],
            // Torn like every change before it that was not synced.
            Some(Fault::PowerCut) if first_failure => bytes,
            Some(_) => &[],
        };
        if !written.is_empty() {
            let offset = usize::try_from(offset).unwrap();
            state.change(Change::Write { file: self.file, offset, bytes: written.into() });
        }
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        if let Some((_, Fault::Unwritten)) = state.plan.fail_at {
            state.plan.fail_at = None;
            state.pending.retain(|change| change.file() != Some(self.file));
            return Err(Fault::Unwritten.into());
        }
        state.call("sync", 0)?;
        state.sync(Some(self.file));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.call("len", 0)?;
        Ok(state.visible.contents[&self.file].len() as u64)
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call("reserve", length)?;
        let length = usize::try_from(length).unwrap();
        if state.visible.contents[&self.file].len() < length {
            state.change(Change::Length { file: self.file, length });
        }
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.disk.state();
        state.call("try_lock", 0)?;
        Ok(state.locked.insert(self.file))
    }

    fn unlock(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.locked.remove(&self.file);
        state.call("unlock", 0)
    }

    fn id(&self) -> io::Result<FileId> {
        self.disk.state().call("id", 0)?;
        Ok(FileId { device: 0, inode: self.file })
    }

    fn names(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.call("names", 0)?;
        Ok(state.visible.names.values().filter(|file| **file == self.file).count() as u64)
    }

    fn access(&self) -> io::Result<FileAccess> {
        self.disk.state().call("access", 0)?;
        Ok(FileAccess::PRIVATE)
    }

    fn medium(&self) -> Medium {
        Medium::Unknown
    }
}

/// Tells states apart that were seen from those that were not.
#[derive(Default)]
pub(crate) struct Seen(HashSet<(u64, Option<Epoch>)>);

impl Seen {
    /// Whether this content, with this acknowledged, is new.
    pub(crate) fn is_new(&mut self, state: &CrashState) -> bool {
        let mut hasher = DefaultHasher::new();
        for (name, content) in state.durable.named() {
            hasher.write(name.as_bytes());
            hasher.write(content);
        }
        for change in &state.pending {
            match change {
                Change::Write { file, offset, bytes } => {
                    hasher.write_u64(*file);
                    hasher.write_usize(*offset);
                    hasher.write(bytes);
                }
                Change::Length { file, length } => {
                    hasher.write_u64(*file);
                    hasher.write_usize(*length);
                }
                Change::Name { name, .. } | Change::Remove { name, .. } => hasher.write(name.as_bytes()),
                Change::Rename { from, to, .. } => {
                    hasher.write(from.as_bytes());
                    hasher.write(to.as_bytes());
                }
            }
        }
        self.0.insert((hasher.finish(), state.acknowledged))
    }
}
