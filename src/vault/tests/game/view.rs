//! What somebody with a credential sees of a vault: the file, everything in it that they can
//! decrypt, every answer of the library, and what was written since they last looked.
//!
//! Values that are random in every commit stand as their kind: keys, digests of what is
//! encrypted, the id of a commit. Bytes that do not open stand as their length, and as whether
//! they changed.

use std::fmt::{Debug, Display};

use super::super::disk::{Change, CrashState, Event, Files, SimDisk};
use super::super::tamper::at;
use crate::codec::wire;
use crate::engine::core::StateReader;
use crate::format::area::testing::{shortcut, slot};
use crate::format::area::{AREA_LEN, SLOTS, StoredArea};
use crate::format::context::OBJECT_AT;
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::object::KeyedRef;
use crate::format::place::{PLACES, Place};
use crate::format::root::{PlaceBox, ROOT_LEN, Root};
use crate::format::segment::Segment;
use crate::payload::history::{LedgerV1, LinkV1};
use crate::payload::story::AccountingV1;
use crate::store::SegmentDigest;
use crate::tree::{Row, RowClass};
use crate::*;

/// A view as lines of text.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct View {
    lines: Vec<String>,
    /// What shows that something was withdrawn, to whom compares two copies of the file or a
    /// segment with its digest: ranges that were overwritten, barriers, in which place a root is.
    traces: Vec<String>,
}

/// The first line in which two views differ, as each has it.
pub(super) type Difference = [String; 2];

impl View {
    /// Where the other one differs; in traces of withdrawals too, if they count.
    pub(super) fn differs_from(&self, other: &Self, traces_count: bool) -> Option<Difference> {
        let lines = first_difference(&self.lines, &other.lines);
        lines.or_else(|| first_difference(&self.traces, &other.traces).filter(|_| traces_count))
    }

    fn say(&mut self, what: impl Display) {
        self.lines.push(what.to_string());
    }

    fn answer<T>(&mut self, to: &str, answer: Result<T, Error>, show: impl FnOnce(T) -> String) {
        match answer {
            Ok(value) => self.say(format!("{to}: {}", show(value))),
            Err(error) => self.say(format!("{to}: {} ({error})", error.code())),
        }
    }
}

fn first_difference(one: &[String], other: &[String]) -> Option<Difference> {
    let count = one.len().max(other.len());
    let line = |lines: &[String], at: usize| lines.get(at).cloned().unwrap_or_else(|| "nothing".into());
    (0..count).map(|at| [line(one, at), line(other, at)]).find(|[one, other]| one != other)
}

fn each<T>(items: impl IntoIterator<Item = T>, show: impl Fn(T) -> String) -> String {
    items.into_iter().map(show).collect::<Vec<_>>().join("; ")
}

fn offset(object: &KeyedRef) -> u64 {
    u64::from_le_bytes(*object.object.reference.first_chunk().unwrap())
}

fn place_of(object: &KeyedRef) -> String {
    format!("{}+{}", offset(object), object.object.length)
}

/// Somebody who looks at one vault again and again.
pub(super) struct Observer {
    who: Credential,
    places: Option<[PlaceBox; PLACES]>,
    areas: Vec<u8>,
    events: usize,
}

impl Observer {
    pub(super) fn new(who: Credential) -> Self {
        Self { who, places: None, areas: Vec::new(), events: 0 }
    }

    /// Everything that is to be seen now; `probes` are ids that are asked for by name.
    pub(super) fn look(&mut self, disk: &SimDisk, probes: &[EntryId]) -> View {
        let mut view = View::default();
        let files = disk.files();
        self.see_file(&files, &mut view);
        let events = disk.trace().events;
        view.traces.extend(writes(&events[self.events..]));
        self.events = events.len();
        let copy = SimDisk::of_files(files.clone());
        match copy.open().and_then(|locked| locked.unlock_read_only(&self.who)) {
            Ok(vault) => {
                self.see_roots(&vault, files.vault(), &mut view);
                see_history(&vault, &mut view);
                see_rows(&vault, &mut view);
                ask(&vault, probes, &mut view);
            }
            Err(error) => view.say(format!("refused: {error}")),
        }
        self.open_for_writing(files, &mut view);
        view
    }

    /// Lengths, names, and what of the areas changed.
    fn see_file(&mut self, files: &Files, view: &mut View) {
        view.say(each(files.named(), |(name, content)| format!("file {name} of {}", content.len())));
        let image = files.vault();
        view.say(format!("header {}", Digest::of(&[&image[..HEADER_LEN]])));
        let mut areas = Vec::new();
        for start in [geometry::AREA_A, geometry::AREA_B].map(at) {
            let area = &image[start..start + AREA_LEN];
            let stored = StoredArea::parse(area).unwrap();
            view.say(format!("area {} {:?}", stored.area.generation, stored.area.kdf.map(|kdf| kdf.cost)));
            areas.extend_from_slice(area);
        }
        let before = std::mem::replace(&mut self.areas, areas.clone());
        let changed = |range: std::ops::Range<usize>| before.get(range.clone()) != areas.get(range);
        for (copy, index) in (0..2).flat_map(|copy| (0..SLOTS).map(move |index| (copy, index))) {
            let within =
                |range: std::ops::Range<usize>| range.start + copy * AREA_LEN..range.end + copy * AREA_LEN;
            let (slot, shortcut) = (changed(within(slot(index))), changed(within(shortcut(index))));
            if slot || shortcut {
                view.say(format!("area {copy}, slot {index}: changed {slot}, its shortcut {shortcut}"));
            }
        }
    }

    /// The roots, the newer one first, and the places.
    fn see_roots(&mut self, vault: &Vault, image: &[u8], view: &mut View) {
        let unlocked = vault.unlocked().unwrap();
        let key = unlocked.core.keyring.root_key();
        let mut roots = Vec::new();
        for (place, start) in [geometry::ROOT_A, geometry::ROOT_B].map(at).into_iter().enumerate() {
            let plain = unlocked.core.open_root(&key, &image[start..start + ROOT_LEN]);
            roots.extend(plain.map(|plain| (place, Root::decode(&plain).unwrap())));
        }
        view.traces.push(each(&roots, |(place, root)| format!("root of {} in place {place}", root.epoch)));
        let root = &unlocked.snapshot.root;
        let Segment { start, end, parts, .. } = root.segment;
        view.say(format!(
            "root of {}: area {}, reader {}, segment {start} to {end} with parts of {parts}",
            root.epoch, root.area_generation, root.least_reader
        ));
        let before = self.places.replace(root.places.clone());
        for (compartment, place) in Compartment::ALL.into_iter().zip(&unlocked.snapshot.places) {
            let now = &root.places[compartment.index()].0;
            let was = before.as_ref().map(|before| &before[compartment.index()].0);
            let changed = was.is_none_or(|was| was != now);
            view.say(format!("place {compartment}: {} bytes, changed {changed}", now.len()));
            if let Some(place) = place {
                see_place(place, view);
            }
        }
        let lists = unlocked.reader().erase_lists();
        for list in lists {
            let each_object = |objects: Vec<ObjectRef>| each(objects, |object| format!("{object:?}"));
            view.answer("erase list", list, each_object);
        }
    }

    /// What an opening for writing finds and writes.
    fn open_for_writing(&self, files: Files, view: &mut View) {
        let state =
            CrashState { durable: files, pending: Vec::new(), acknowledged: None, label: String::new() };
        let disk = SimDisk::after(&state);
        let opened = disk.unlock(&self.who);
        view.answer("opened for writing", opened, |vault| {
            format!("{:?} {}", vault.recovery(), vault.epoch())
        });
        view.traces.extend(writes(&disk.trace().events));
    }
}

fn see_place(place: &Place, view: &mut View) {
    let named = |object: &Option<KeyedRef>| object.as_ref().map(place_of);
    view.say(format!(
        "  since {}, {} rows at {:?}, {} bytes, ledger up to {}, reader {}, erases {:?}",
        place.epoch,
        place.rows,
        named(&place.trie),
        place.live,
        place.ledger.epoch,
        place.least_reader,
        named(&place.erase),
    ));
}

/// Where something was written, in which order, and when it was made durable.
fn writes(events: &[Event]) -> Vec<String> {
    let mut ranges: Vec<(u64, usize, usize)> = Vec::new();
    let mut told = Vec::new();
    let tell = |ranges: &mut Vec<(u64, usize, usize)>, told: &mut Vec<String>| {
        let ranges = ranges.drain(..);
        told.extend(ranges.map(|(file, start, end)| format!("file {file}: wrote {start} to {end}")));
    };
    for event in events {
        match event {
            Event::Change(Change::Write { file, offset, bytes }) => match ranges.last_mut() {
                Some((last, _, end)) if last == file && end == offset => *end += bytes.len(),
                _ => ranges.push((*file, *offset, offset + bytes.len())),
            },
            Event::Acknowledged(_) => {}
            other => {
                tell(&mut ranges, &mut told);
                told.push(match other {
                    Event::Sync(file) => format!("barrier of {file:?}"),
                    Event::Change(Change::Length { file, length }) => format!("file {file}: {length} long"),
                    Event::Change(_) => "a name".into(),
                    Event::Acknowledged(_) => String::new(),
                });
            }
        }
    }
    tell(&mut ranges, &mut told);
    told
}

/// Every link, and whether what it says of the file is so.
fn see_history(vault: &Vault, view: &mut View) {
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    for epoch in 1..=unlocked.snapshot.root.epoch.number() {
        let link = reader.link(Epoch::new(epoch)).unwrap().unwrap();
        let LinkV1 { time, action, role, segment, .. } = link;
        assert!(COMMON.contains(&action), "link {epoch} says more than one of eight words: {action}");
        view.say(format!(
            "link {epoch}: {time} action {action} role {role} of {} to {} with parts of {}",
            segment.start, segment.end, segment.parts
        ));
        let digest = SegmentDigest::from_bytes(segment.digest);
        let segment = Segment { start: segment.start, end: segment.end, parts: segment.parts, digest };
        let file = unlocked.core.store.as_file().unwrap();
        let is_whole = file.digest_of(&segment).unwrap().is_some_and(|found| found == digest);
        view.traces.push(format!("segment before {epoch} as its digest says: {is_whole}"));
    }
}

/// The numbers of the words that everybody reads of a commit: created, imported, released,
/// exported, backed up, changed, access changed, renewed.
const COMMON: [u16; 8] = [1, 3, 7, 9, 10, 16, 17, 18];

fn see_rows(vault: &Vault, view: &mut View) {
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    for compartment in reader.held_compartments() {
        let (mut pages, mut rows) = (Vec::new(), Vec::new());
        reader.trie(compartment).unwrap().survey_contexts(&mut |object, context, page| {
            let prefix = &context.bytes()[OBJECT_AT..];
            pages.push(format!("{compartment}: page {} at {}", hex(prefix), place_of(object)));
            rows.extend(page.leaf_rows().iter().map(Row::duplicate));
        });
        pages.sort();
        view.lines.extend(pages);
        rows.sort_by_key(|row| row.key);
        for row in rows {
            view.say(format!(
                "{compartment}: {:?} {} of {} {} by {}, {:?}: {}",
                row.class,
                hex(row.key.as_bytes()),
                row.id,
                row.revision,
                row.epoch,
                row.object.as_ref().map(place_of),
                content(&reader, compartment, &row),
            ));
        }
    }
}

/// What a row holds.
fn content(reader: &StateReader<'_>, compartment: Compartment, row: &Row) -> String {
    if row.object.is_none() {
        return format!("{} bytes", row.inline.len());
    }
    let content = reader.core.open_row(compartment, row).unwrap();
    let inline = Digest::of(&[&row.inline]);
    match row.class {
        RowClass::Ledger => {
            let ledger: LedgerV1 = wire::decode(&content).unwrap();
            let is_common = ledger.leaf.lines.iter().all(|line| COMMON.contains(&line.action));
            assert!(compartment != Compartment::Record || is_common, "a line of `record` says more");
            format!("{} lines", ledger.leaf.lines.len())
        }
        RowClass::Accounting => {
            let AccountingV1 { actor, recipient, purpose, policy, entries, .. } =
                wire::decode(&content).unwrap();
            format!("{actor} {recipient} {purpose} {policy:?} {entries}")
        }
        _ => format!("{inline} {}", Digest::of(&[&content])),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every answer that the library has.
fn ask(vault: &Vault, probes: &[EntryId], view: &mut View) {
    let ids = |ids: &[EntryId]| each(ids, EntryId::to_string);
    for filter in [Filter::all().with_retracted().with_sealed(), Filter::all().text_anywhere("slept")] {
        view.answer("list", vault.list(&filter), |listed| {
            each(listed, |entry| {
                format!("{} {} {} {:?}", entry.id, entry.revision, entry.compartment, entry.display())
            })
        });
    }
    for id in probes {
        view.answer("entry", vault.entry(*id), |entry| format!("{id} {:?}", entry.kind()));
        view.answer("attachment", vault.attachment(*id, 0), |attachment| {
            format!("{id} {:?} of {}", attachment.content_digest(), attachment.size())
        });
        view.answer("revisions", vault.history(*id), |revisions| {
            each(revisions, |revision| {
                let Revision { revision, epoch, time, action, actor, reason } = revision;
                format!("{revision} {epoch} {time:?} {action:?} {actor:?} {reason:?}")
            })
        });
    }
    view.answer("ledger", vault.ledger(), |lines| each(lines, line));
    view.answer("space", vault.space(), |space| format!("{space:?}"));
    let mut report = vault.check_deep();
    if let Ok(report) = &mut report {
        let SegmentsReport { whole, changed, changed_in, unknown, .. } = std::mem::take(&mut report.segments);
        view.say(format!("check: {} segments, {unknown} before", whole + changed));
        view.traces.push(format!("check: something was erased in {changed_in:?}"));
    }
    view.answer("check", report, |report| format!("{report:?}"));
    view.answer("imports", vault.imports(), |imports| {
        each(imports, |import| {
            format!("{} {} {} {}", import.number, import.actor, ids(&import.added), ids(&import.amended))
        })
    });
    view.answer("uploads", vault.uploads(), |uploads| each(uploads, |upload| upload.bytes.to_string()));
    view.answer("backups", vault.backups(), |backups| {
        each(backups, |backup| format!("{} {} {}", backup.epoch, backup.name, backup.checkpoint.epoch()))
    });
    view.answer("access", vault.access(), |access| access.len().to_string());
    view.answer("signing key", vault.public_key(), |key| key.fingerprint().to_string());
    // That of the state before, unless both roots are equal: which is so behind a withdrawal.
    view.traces.push(format!("checkpoint: {:?}", vault.checkpoint().map(|checkpoint| checkpoint.epoch())));
    let policy = Policy::everything_of([Kind::Diagnosis, Kind::Note]);
    view.answer("preview", vault.preview(&policy), |preview| {
        each(preview.released(), |entry| entry.id().to_string())
    });
    view.answer("perhaps the same", vault.perhaps_same(), |same| each(same, |same| ids(&same)));
    view.say(format!("grant {:?}", grant(vault.grant())));
}

fn grant(grant: Grant) -> impl Debug {
    Compartment::ALL.map(|compartment| grant.includes(compartment))
}

fn line(line: LedgerLine) -> String {
    let details = each(line.details, |(detail, text)| match detail {
        // What is random in both.
        Detail::Checkpoint | Detail::Excerpt => format!("{detail:?} of {}", text.len()),
        detail => format!("{detail:?} {text}"),
    });
    let entries = each(line.entries.iter(), EntryId::to_string);
    format!(
        "{} {:?} {} {:?} {} {:?} {entries} {details}",
        line.epoch, line.time, line.compartment, line.action, line.actor, line.reason
    )
}
