//! Checking: every byte that the open keys reach is read, authenticated and decoded.

mod documents;
mod history;
mod imports;
mod revisions;
pub(crate) mod segments;
mod stories;

use self::documents::Documents;
use self::imports::Imports;
use self::revisions::Revisions;
use self::segments::SegmentsReport;
use self::stories::Stories;
use crate::crypto::content_digest::{ContentDigest, RunningContentDigest};
use crate::engine::content::{length_of_slice, stored_contents};
use crate::engine::core::StateReader;
use crate::engine::imports::document_of;
use crate::engine::list::inline_card;
use crate::engine::trace;
use crate::error::Error;
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId, Epoch};
use crate::parallel::{Spare, in_order};
use crate::payload::content::{ContentV1, UploadV1, slice_len};
use crate::payload::decode_entry;
use crate::tree::{Buffer, LeafRef, LostPage, Row, RowClass, RowKey, Trie};
use crate::vault::session::handle::Session;
use crate::vault::session::state::Unlocked;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// Leaves that one core reads at a time.
const LEAVES_AT_A_TIME: usize = 8;
/// Checks beside a writer before one that it disturbed is what there is to say.
pub(crate) const ATTEMPTS: usize = 4;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CheckReport {
    /// Current entries that were opened.
    pub entries: u64,
    /// Earlier revisions that were opened.
    pub revisions: u64,
    /// Commits in the history, up to the first that is missing.
    pub commits: u64,
    /// Stored bytes that were authenticated.
    pub bytes: u64,
    /// Compartments that were not checked: this access does not have their key, or they were
    /// written by a newer version.
    pub not_checked: Vec<Compartment>,
    /// What is wrong.
    pub findings: Vec<CheckFinding>,
    /// Whether the bytes that each commit appended to the file are still those.
    pub segments: SegmentsReport,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Counts an object; its length is a claim of whoever wrote its parent.
    fn count_bytes(&mut self, length: u64) {
        self.bytes = self.bytes.saturating_add(length);
    }
}

/// One of the copies by which a vault is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum HeadPart {
    /// The first copy of the credential area.
    FirstArea,
    /// The second copy of the credential area.
    SecondArea,
    /// The first copy of the root.
    FirstRoot,
    /// The second copy of the root.
    SecondRoot,
}

impl HeadPart {
    /// All of them, as they stand in the file.
    pub const ALL: [Self; 4] = [Self::FirstArea, Self::SecondArea, Self::FirstRoot, Self::SecondRoot];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstArea => "first copy of the credential area",
            Self::SecondArea => "second copy of the credential area",
            Self::FirstRoot => "first copy of the root",
            Self::SecondRoot => "second copy of the root",
        }
    }
}

/// Something that is wrong with a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "finding", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CheckFinding {
    /// The copies of root or credential area differ in another way than those of a vault in
    /// use, whose second root is the one before; opening the vault for writing repairs that.
    CopiesDiffer,
    /// The root of a commit is there and its bytes are not whole: what is read is the state
    /// before it. Opening the vault for writing drops it.
    CutCommit {
        /// The commit.
        epoch: Epoch,
    },
    /// A copy of root or credential area is damaged, and its twin is whole.
    DamagedCopy {
        /// Which.
        part: HeadPart,
    },
    /// A copy of root or credential area is of another state than the newest, and a root not
    /// of the one before it either.
    OlderCopy {
        /// Which.
        part: HeadPart,
    },
    /// Bytes of the file that are always zero are not.
    GapInUse,
    /// The system cannot read a part of the file.
    UnreadableBytes {
        /// How much.
        bytes: u64,
    },
    /// Bytes that a commit is said to have appended were never written, or were lost: the
    /// file has zeros there.
    Hole {
        /// The commit.
        epoch: Epoch,
    },
    /// Two objects claim the same bytes of the file.
    SharedBytes {
        /// Where the second of them is.
        compartment: Compartment,
    },
    /// A compartment's place in the root does not open: all of it is out of reach.
    DamagedPlace {
        /// Which compartment.
        compartment: Compartment,
    },
    /// A page of the catalogue cannot be read: what it lists, itself or by the
    /// pages below it, is out of reach.
    DamagedPage {
        /// Where.
        compartment: Compartment,
        /// How many rows that is: entries, their earlier revisions, parts of
        /// attachments, lines of the ledger.
        rows: u64,
    },
    /// What lists show of an entry is not what the entry says. The entry is whole;
    /// [`Vault::mend_cards`](crate::Vault::mend_cards) puts the card right.
    WrongCard {
        /// Where.
        compartment: Compartment,
        /// Which entry.
        id: EntryId,
    },
    /// An entry has the id of one in another compartment, which an id names alone.
    SecondOfId {
        /// Where the second one is.
        compartment: Compartment,
        /// Their id.
        id: EntryId,
    },
    /// An entry's bytes are damaged.
    DamagedEntry {
        /// Where.
        compartment: Compartment,
        /// Which entry.
        id: EntryId,
        /// Which revision.
        revision: u64,
    },
    /// The bytes of an attachment are not whole, or other entries than those
    /// that name it are said to use it.
    DamagedAttachment {
        /// Where.
        compartment: Compartment,
        /// The entries that are said to use it.
        entries: Vec<EntryId>,
    },
    /// Bytes of an attachment that nothing names.
    OrphanSlices {
        /// Where.
        compartment: Compartment,
        /// How many slices.
        slices: u64,
    },
    /// Another part is damaged.
    DamagedPart {
        /// Where.
        compartment: Compartment,
    },
    /// A commit is missing from the history, or does not follow from the one before.
    BrokenHistory {
        /// The commit.
        epoch: Epoch,
    },
    /// A compartment does not say rightly how many bytes it takes; everything in
    /// it is there.
    WrongSize {
        /// Where.
        compartment: Compartment,
    },
    /// A list of what a commit was to erase cannot be read.
    DamagedEraseList,
    /// A ledger line is not the one that the history commits to.
    ForeignLine {
        /// Where.
        compartment: Compartment,
        /// The commit.
        epoch: Epoch,
    },
}

pub(crate) fn check(session: &Session) -> Result<CheckReport, Error> {
    let _call = session.begin()?;
    trace::operation("check", session.id, || {
        let report = check_now(session)?;
        let (entries, findings) = (report.entries, report.findings.len());
        trace::event!("checked", entries = entries, bytes = report.bytes, findings = findings);
        Ok(report)
    })
}

fn check_now(session: &Session) -> Result<CheckReport, Error> {
    let mut attempt = 0;
    loop {
        session.refresh()?;
        let unlocked = session.unlocked()?;
        unlocked.core.cache.clear();
        let snapshot = &unlocked.snapshot;
        let mut report = unlocked.reader().check_everything()?;
        if !lists_its_own(&unlocked) {
            report.findings.push(CheckFinding::DamagedPart { compartment: Compartment::Custody });
        }
        let heads = session.store.heads()?;
        if snapshot.rests_in(&heads) {
            return Ok(report);
        }
        let is_newest = session.newest(&unlocked)?.snapshot.root_bytes == snapshot.root_bytes;
        if is_newest {
            let cut = unlocked.reader().cut_commit(&heads);
            let finding = cut.map_or(CheckFinding::CopiesDiffer, |epoch| CheckFinding::CutCommit { epoch });
            report.findings.insert(0, finding);
        }
        attempt += 1;
        // What a writer withdrew meanwhile is no damage.
        if is_newest || report.is_clean() || attempt == ATTEMPTS {
            return Ok(report);
        }
    }
}

/// Whether the directory lists this handle's way in as it is, where it can be read: one that
/// cannot be read is a finding of its own.
fn lists_its_own(unlocked: &Unlocked) -> bool {
    let Some(way_in) = &unlocked.way_in else { return true };
    let Ok(directory) = unlocked.reader().directory() else { return true };
    way_in.expect_listed(&directory, unlocked.core.keyring.grant()).is_ok()
}

impl StateReader<'_> {
    /// Reads and authenticates everything that this state reaches.
    pub(crate) fn check_everything(&self) -> Result<CheckReport, Error> {
        let (mut report, mut ids) = (CheckReport::default(), BTreeSet::new());
        for compartment in Compartment::ALL {
            if self.core.keyring.compartment(compartment).is_none() {
                report.not_checked.push(compartment);
            } else if self.snapshot.place(compartment).is_ok() {
                self.check_compartment(compartment, &mut ids, &mut report)?;
            } else if let Err(Error::NewerCompartment { .. }) = self.snapshot.place(compartment) {
                report.not_checked.push(compartment);
            } else {
                report.findings.push(CheckFinding::DamagedPlace { compartment });
            }
        }
        self.check_own_rows(&mut report);
        self.check_erase_list(&mut report);
        self.check_history(&mut report);
        let (segments, holes, broken) = self.check_segments();
        report.segments = segments;
        report.findings.extend(holes.into_iter().map(|epoch| CheckFinding::Hole { epoch }));
        report.findings.extend(broken.map(|epoch| CheckFinding::BrokenHistory { epoch }));
        Ok(report)
    }
}

/// What a compartment holds of contents, and the entries that name them.
#[derive(Default)]
struct Contents {
    heads: Vec<ContentV1>,
    uploads: Vec<UploadV1>,
    slices: BTreeSet<(ContentId, u64)>,
    users: BTreeMap<ContentDigest, BTreeSet<EntryId>>,
}

/// A leaf's stored bytes, and its rows with what was found of their entries.
type OpenedLeaf = (u64, Vec<(Row, Option<EntryCheck>)>);

/// What was found of an entry.
struct EntryCheck {
    /// It opens and decodes.
    is_sound: bool,
    /// It has the card that lists it.
    is_listed: bool,
    /// The contents that it uses.
    uses: Vec<ContentDigest>,
    /// The document that it was made of; none where it cannot be read.
    document: Option<Option<String>>,
}

impl EntryCheck {
    fn of(row: &Row, content: Result<&[u8], Error>) -> Self {
        let Some(entry) = content.ok().and_then(|content| decode_entry(content).ok()) else {
            return Self { is_sound: false, is_listed: true, uses: Vec::new(), document: None };
        };
        let has_card = || inline_card(&entry).is_ok_and(|card| **card == *row.inline);
        let is_listed = row.class == RowClass::Superseded || has_card();
        let document = Some(document_of(&entry).map(str::to_owned));
        Self { is_sound: true, is_listed, uses: stored_contents(&entry).collect(), document }
    }
}

/// Takes the slices out that a content accounts for; whether all were there.
/// So each is read once, whatever is claimed, and belongs to one content.
fn take(slices: &mut BTreeSet<(ContentId, u64)>, content: ContentId, count: u64) -> bool {
    let known: Vec<_> = slices.range((content, 0)..(content, count)).copied().collect();
    known.iter().for_each(|slice| {
        slices.remove(slice);
    });
    known.len() as u64 == count
}

impl StateReader<'_> {
    /// `ids` are those of the entries of compartments that were checked before.
    fn check_compartment(
        &self,
        compartment: Compartment,
        ids: &mut BTreeSet<EntryId>,
        report: &mut CheckReport,
    ) -> Result<(), Error> {
        let mut damaged = Vec::new();
        let mut live: u64 = 0;
        let (mut contents, mut revisions) = (Contents::default(), Revisions::default());
        let (mut stories, mut are_told) = (Stories::default(), true);
        let (mut imports, mut last_line) = (Imports::default(), Epoch::new(0));
        let mut documents = Documents::default();
        let (trie, mut is_in_place) = (self.trie(compartment)?, true);
        let leaves = trie.survey_leaves(&mut |object| {
            report.count_bytes(object.object.length);
            live = live.saturating_add(object.object.length);
            is_in_place &= self.is_in_place(std::iter::once(object));
        });
        is_in_place &= self.is_in_place(leaves.iter().flatten().map(LeafRef::object));
        let (left, buffers) = (AtomicU64::new(trie.live), Spare::default());
        let open = |leaves: &&[Result<LeafRef, LostPage>]| {
            let mut buffer = buffers.take();
            let opened = self.open_leaves(&trie, leaves, &left, &mut buffer);
            buffers.give(buffer);
            Ok::<_, Error>(opened)
        };
        let batches: Vec<_> = leaves.chunks(LEAVES_AT_A_TIME).collect();
        in_order(&batches, open, |opened| {
            for leaf in opened {
                let (length, rows) = match leaf {
                    Ok(leaf) => leaf,
                    Err(LostPage { rows }) => {
                        damaged.push(CheckFinding::DamagedPage { compartment, rows });
                        continue;
                    }
                };
                report.count_bytes(length);
                live = live.saturating_add(length);
                is_in_place &= self.is_in_place(rows.iter().filter_map(|(row, _)| row.object.as_ref()));
                for (row, opened) in &rows {
                    live = live.saturating_add(row.stored_bytes());
                    // Rows that all name one object would keep this busy for ever.
                    if live <= trie.live {
                        revisions.count(row);
                        if row.class == RowClass::Ledger {
                            last_line = last_line.max(row.epoch);
                        }
                        are_told &= stories.take(self, compartment, row);
                        are_told &= {
                            let document = opened.as_ref().and_then(|opened| opened.document.as_ref());
                            imports.take(self, compartment, row, document)
                        };
                        are_told &= documents.take(self, compartment, row);
                        if row.class == RowClass::Entry && !ids.insert(row.id) {
                            report.findings.push(CheckFinding::SecondOfId { compartment, id: row.id });
                        }
                        self.check_row(compartment, row, opened.as_ref(), &mut contents, report);
                    }
                }
            }
            Ok::<_, Error>(())
        })?;
        let whole = damaged.is_empty();
        if live > trie.live || whole && live != trie.live {
            damaged.push(CheckFinding::WrongSize { compartment });
        }
        report.findings.extend(damaged);
        if whole {
            let astray = revisions.astray().into_iter();
            let finding = |(id, revision)| CheckFinding::DamagedEntry { compartment, id, revision };
            report.findings.extend(astray.map(finding));
        }
        if !are_told || !is_in_place || whole && !(stories.fit() && imports.fit() && documents.fit()) {
            report.findings.push(CheckFinding::DamagedPart { compartment });
        }
        if whole && !self.names_its_last_line(compartment, last_line) {
            report.findings.push(CheckFinding::BrokenHistory { epoch: self.snapshot.root.epoch });
        }
        self.check_contents(compartment, contents, whole, report);
        Ok(())
    }

    /// Reads leaves and opens the entries of their rows: this is what every core does. No
    /// more bytes are opened here than the compartment has; what is beyond is left to
    /// whoever counts the rows in their order.
    fn open_leaves(
        &self,
        trie: &Trie<'_>,
        leaves: &[Result<LeafRef, LostPage>],
        left: &AtomicU64,
        buffer: &mut Buffer,
    ) -> Vec<Result<OpenedLeaf, LostPage>> {
        let known: Vec<&LeafRef> = leaves.iter().filter_map(|leaf| leaf.as_ref().ok()).collect();
        let mut read = trie.leaf_rows(&known, buffer).into_iter();
        let mut opened = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let rows = match leaf {
                Ok(leaf) => read.next().and_then(Result::ok).ok_or_else(|| leaf.lost()),
                Err(LostPage { rows }) => Err(LostPage { rows: *rows }),
            };
            let length = leaf.as_ref().map_or(0, LeafRef::stored_bytes);
            opened.push(rows.map(|rows| (length, rows.into_iter().map(|row| (row, None)).collect())));
        }
        let rows = opened.iter_mut().flatten().flat_map(|(_, rows): &mut OpenedLeaf| rows.iter_mut());
        let due = rows.filter(|(row, _)| {
            let spend = |left: u64| left.checked_sub(row.stored_bytes());
            matches!(row.class, RowClass::Entry | RowClass::Superseded)
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
        });
        let (rows, mut found): (Vec<&Row>, Vec<&mut Option<EntryCheck>>) =
            due.map(|(row, found)| (&*row, found)).unzip();
        let mut at = found.iter_mut();
        self.core.open_rows(trie.compartment, &rows, buffer, |row, content| {
            if let Some(found) = at.next() {
                **found = Some(EntryCheck::of(row, content));
            }
        });
        opened
    }

    /// Whether contents, slices, uploads and the entries that use them fit together.
    fn check_contents(
        &self,
        compartment: Compartment,
        contents: Contents,
        whole: bool,
        report: &mut CheckReport,
    ) {
        let Contents { heads, uploads, mut slices, mut users } = contents;
        for head in heads {
            let id = ContentId::from_bytes(head.content);
            let named = users.remove(&ContentDigest::from_bytes(head.digest)).unwrap_or_default();
            // Entries of pages that cannot be read are not known.
            let used = !whole || named.iter().map(|id| *id.as_bytes()).eq(head.users.iter().copied());
            let there = take(&mut slices, id, head.slices);
            if !there || !self.content_is_sound(compartment, &head) || !used {
                let entries = head.users.iter().map(|id| EntryId::from_bytes(*id)).collect();
                report.findings.push(CheckFinding::DamagedAttachment { compartment, entries });
            }
        }
        for upload in uploads {
            let id = ContentId::from_bytes(upload.content);
            let there = take(&mut slices, id, upload.slices);
            let sound = there
                && (0..upload.slices).all(|index| {
                    let slice = self.slice(compartment, id, index).ok().flatten();
                    slice.is_some_and(|slice| slice.len() == slice_len())
                });
            if !sound {
                report.findings.push(CheckFinding::DamagedPart { compartment });
            }
        }
        for (_, entries) in users.into_iter().filter(|_| whole) {
            let entries = entries.into_iter().collect();
            report.findings.push(CheckFinding::DamagedAttachment { compartment, entries });
        }
        if whole && !slices.is_empty() {
            let slices = slices.len() as u64;
            report.findings.push(CheckFinding::OrphanSlices { compartment, slices });
        }
    }

    /// Whether every slice of a content is there, and all are together what
    /// its head says; one slice is in memory at a time.
    fn content_is_sound(&self, compartment: Compartment, head: &ContentV1) -> bool {
        let mut digest = RunningContentDigest::default();
        let whole = (0..head.slices).all(|index| {
            let id = ContentId::from_bytes(head.content);
            let Ok(Some(slice)) = self.slice(compartment, id, index) else { return false };
            digest.update(&slice);
            slice.len() as u64 == length_of_slice(head.size, index)
        });
        whole && digest.finish() == ContentDigest::from_bytes(head.digest)
    }

    /// Whether objects are where commits append them, and none behind the append end, which the
    /// next commit would overwrite.
    fn is_in_place<'o>(&self, objects: impl Iterator<Item = &'o KeyedRef>) -> bool {
        let end = self.snapshot.root.segment.end;
        let objects: Vec<_> = objects.map(|named| named.object).collect();
        self.core.store.admits(end, &objects).unwrap_or(false)
    }

    /// Whether the rows are there without which a vault cannot do its work.
    fn check_own_rows(&self, report: &mut CheckReport) {
        let own = [(Compartment::Record, "vault record"), (Compartment::Custody, "directory")];
        for (compartment, name) in own {
            let is_read = !report.not_checked.contains(&compartment);
            let missing = is_read && !matches!(self.row(compartment, &RowKey::named(name)), Ok(Some(_)));
            if missing {
                report.findings.push(CheckFinding::DamagedPart { compartment });
            }
        }
    }

    /// Whether an interrupted erasure could be finished.
    fn check_erase_list(&self, report: &mut CheckReport) {
        self.named_erase_lists().for_each(|(_, list)| report.count_bytes(list.object.length));
        if self.erase_lists().iter().any(Result::is_err) {
            report.findings.push(CheckFinding::DamagedEraseList);
        }
    }

    fn check_row(
        &self,
        compartment: Compartment,
        row: &Row,
        opened: Option<&EntryCheck>,
        contents: &mut Contents,
        report: &mut CheckReport,
    ) {
        let sound = match row.class {
            RowClass::Entry | RowClass::Superseded => {
                self.entry_is_sound(compartment, row, opened, contents, report)
            }
            RowClass::Slice => {
                contents.slices.insert((row.content_id(), row.revision));
                true
            }
            RowClass::Content => {
                self.content_head(compartment, row).map(|head| contents.heads.push(head)).is_ok()
            }
            RowClass::Upload => {
                self.upload_of(compartment, row).map(|upload| contents.uploads.push(upload)).is_ok()
            }
            RowClass::Ledger => return self.check_ledger(compartment, row, report),
            // Stories, accounts and imports are read with the entries that they tell of.
            RowClass::Link | RowClass::Story | RowClass::Accounting | RowClass::Import => true,
            // The same of documents.
            RowClass::Document | RowClass::Documents => true,
            RowClass::Tombstone => self.tombstone_in(row).is_ok(),
            RowClass::IdentityKey => self.identity_key(compartment).is_ok(),
            RowClass::VaultRecord => self.vault_record().is_ok(),
            RowClass::Directory => self.directory().is_ok(),
        };
        // A row that no commit of this history put.
        let sound = sound && (Epoch::new(1)..=self.snapshot.root.epoch).contains(&row.epoch);
        report.count_bytes(row.stored_bytes());
        match row.class {
            RowClass::Entry => report.entries += 1,
            RowClass::Superseded => report.revisions += 1,
            _ if !sound => report.findings.push(CheckFinding::DamagedPart { compartment }),
            _ => {}
        }
        if !sound && matches!(row.class, RowClass::Entry | RowClass::Superseded) {
            let (id, revision) = (row.id, row.revision);
            report.findings.push(CheckFinding::DamagedEntry { compartment, id, revision });
        }
    }

    /// Whether an entry opens and decodes.
    fn entry_is_sound(
        &self,
        compartment: Compartment,
        row: &Row,
        opened: Option<&EntryCheck>,
        contents: &mut Contents,
        report: &mut CheckReport,
    ) -> bool {
        let now = opened.is_none().then(|| {
            let content = self.core.open_row(compartment, row);
            EntryCheck::of(
                row,
                content
                    .as_ref()
                    .map(|content| content.as_slice())
                    .map_err(|_| Error::Damaged { what: "entry" }),
            )
        });
        let Some(EntryCheck { is_sound, is_listed, uses, .. }) = opened.or(now.as_ref()) else {
            return false;
        };
        if !is_listed {
            report.findings.push(CheckFinding::WrongCard { compartment, id: row.id });
        }
        for digest in uses {
            contents.users.entry(*digest).or_default().insert(row.id);
        }
        *is_sound
    }
}
