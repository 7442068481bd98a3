//! Each way in which a call can fail.

use std::time::SystemTime;

use subrosa_base::date::moment;
use thiserror::Error;

use crate::crypto::kdf::KdfError;
use crate::crypto::random::RandomError;
use crate::excerpt::{IssueExcerptError, KeyError, VerifyError};
use crate::format::FormatError;
use crate::format::place::Compartment;
use crate::id::{ContentId, DocumentId, EntryId, Epoch, ParseIdError};
use crate::interop::options::ImportError;
use crate::keys::CredentialError;
use crate::record::{FieldError, ImportQuestion, ParseDateError, TextError};
use crate::release::{ParseCodeFilterError, ParseViewDigestError, PolicyError};
use crate::store::StoreError;

/// Why the vault did not do what was asked.
///
/// A message says what happened and what to do next. It holds no health value, no name
/// and no secret. Where the operating system gave a reason, that is the
/// [`source`](std::error::Error::source) and not in the message; every other reason is in
/// the message and not a source, so that a printed chain says each thing once.
///
/// What to do about it in general is its [`kind`](Error::kind); logs and programs keep its
/// [`code`](Error::code). The errors of building texts, dates, policies and imports become
/// this one with `?`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No slot opens with this credential.
    #[error("wrong password or key: nothing opens with it; check it and try again")]
    WrongCredential,
    /// A credential's text is not usable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The bytes are not a vault that this version reads.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The vault needs a newer reader.
    #[error(
        "the vault was written by a newer version (it needs reader {needed}, this is {supported}): use a newer version of the software"
    )]
    NewerReader {
        /// Reader version that the vault asks for.
        needed: u16,
        /// Reader version of this library.
        supported: u16,
    },
    /// A compartment needs a newer reader; the others are read.
    #[error(
        "the compartment {compartment} was written by a newer version (it needs reader {needed}, this is {supported}): use a newer version of the software to read it"
    )]
    NewerCompartment {
        /// The compartment.
        compartment: Compartment,
        /// Reader version that the compartment asks for.
        needed: u16,
        /// Reader version of this library.
        supported: u16,
    },
    /// A stored part is not what its parent says it is.
    #[error("the vault is damaged ({what}): make a copy of the file as it is, then repair it from a backup")]
    Damaged {
        /// What kind of part.
        what: &'static str,
    },
    /// The vault is older than the checkpoint.
    #[error(
        "this is an older state of the vault than the checkpoint, so the file was rolled back: find the newest copy, and who or what put this one in its place"
    )]
    RolledBack,
    /// The vault's history does not contain the checkpoint, or the file holds two states of
    /// one number.
    #[error(
        "the vault's history was forked: it differs from the checkpoint, or the file holds two states of one number. Keep all copies, and find out which one you wrote to"
    )]
    Forked,
    /// A key is needed that this credential does not grant.
    #[error("this access does not open the compartment {compartment}: unlock with one that does")]
    NeedsCompartment {
        /// The compartment.
        compartment: Compartment,
    },
    /// There is no entry with this id in the compartments that are open.
    #[error("there is no entry {id}: list the entries that there are")]
    NoSuchEntry {
        /// The id that was asked for.
        id: EntryId,
    },
    /// There is no revision with this number.
    #[error("entry {id} has no revision {revision}: list its history")]
    NoSuchRevision {
        /// The entry.
        id: EntryId,
        /// The revision that was asked for.
        revision: u64,
    },
    /// There is no such way in, or it was replaced meanwhile.
    #[error("there is no such way into the vault any more: list them again")]
    NoSuchAccess,
    /// No way in would be left that opens everything.
    #[error(
        "at least one way into the vault must open everything, or nobody could ever change the others: add another one first"
    )]
    LastFullAccess,
    /// All 16 slots are in use.
    #[error("all 16 ways into the vault are in use: take one away first")]
    NoFreeAccess,
    /// A legal hold blocks an expungement.
    #[error("entry {id} is under a legal hold: lift the hold first")]
    LegalHold {
        /// The entry.
        id: EntryId,
    },
    /// A compartment holds the record of an entry that was to be moved to it.
    #[error("the compartment holds the record of entry {id} already, as entry {there}: expunge one of them")]
    SameRecord {
        /// The entry that was to be moved.
        id: EntryId,
        /// The one that is there.
        there: EntryId,
    },
    /// An entry that disputes one which was to be moved would stay behind.
    #[error(
        "entry {id} is disputed by entry {by} in {compartment}, which would stay there: move both at once, or take the mark off first"
    )]
    DisputedElsewhere {
        /// The entry that was to be moved.
        id: EntryId,
        /// The one that disputes it.
        by: EntryId,
        /// Where that is.
        compartment: Compartment,
    },
    /// An import needs decisions first.
    #[error(
        "this import needs {} first: nothing was imported; answer the questions that this error lists",
        match questions.len() { 1 => "a decision", _ => "decisions" }
    )]
    ImportAsks {
        /// What has to be decided.
        questions: Vec<ImportQuestion>,
    },
    /// There is no import of this number.
    #[error("there is no import {number}: list the imports")]
    NoSuchImport {
        /// The number that was asked for.
        number: Epoch,
    },
    /// Entries were changed after the import that brought them.
    #[error(
        "{} of this import changed since: nothing was undone; undo the later imports first, or expunge single entries",
        match ids.len() { 1 => "1 entry".to_owned(), several => format!("{several} entries") }
    )]
    ChangedSinceImport {
        /// The entries.
        ids: Vec<EntryId>,
    },
    /// The policy lets nothing out.
    #[error("nothing would be released: the preview says what was withheld and why")]
    NothingToRelease,
    /// The vault was changed since the preview that a release was tied to.
    #[error("what would be released is not what was previewed: look at the preview again")]
    NotAsPreviewed,
    /// The clock is behind the vault's last commit, or years ahead of it: an excerpt would be
    /// signed with a wrong date. Nothing was released.
    /// [`crate::ReleaseRequest::with_clock_confirmed`] releases all the same.
    #[error(
        "the excerpt would be dated {}, and the vault was last written on {}: set the clock, or confirm the date",
        moment::day(*now),
        moment::day(*last)
    )]
    DoubtfulClock {
        /// What the clock says.
        now: SystemTime,
        /// When the vault was last written, as it says.
        last: SystemTime,
    },
    /// The excerpt could not be made.
    #[error(transparent)]
    Issue(#[from] IssueExcerptError),
    /// An entry names content that its compartment does not hold.
    #[error("the attachment's content is not stored in the entry's compartment: attach it first")]
    NoSuchContent,
    /// An entry has no attachment of this number.
    #[error("entry {id} has no attachment {number}: they are counted from 0")]
    NoSuchAttachment {
        /// The entry.
        id: EntryId,
        /// The number that was asked for, from 0.
        number: usize,
    },
    /// There is no unfinished upload of this name in the compartments that are open.
    #[error("there is no unfinished attachment {id}: it was finished or discarded; attach it anew")]
    NoSuchUpload {
        /// The upload that was asked for.
        id: ContentId,
    },
    /// There is no source document of this id, or not any more.
    #[error("there is no such document: it may have gone with one of its entries")]
    NoSuchDocument {
        /// The document that was asked for.
        id: DocumentId,
    },
    /// The source of an attachment could not be read.
    #[error(
        "the attachment could not be read to its end: mend what kept it from being read, then attach it again"
    )]
    Source {
        /// What reading it said.
        source: std::io::Error,
    },
    /// What an export is written to failed.
    #[error(
        "the export could not be written to its end: make room, or write it elsewhere, then export again"
    )]
    Destination {
        /// What writing it said.
        source: std::io::Error,
    },
    /// The source of an attachment is not what it was said to be.
    #[error("the attachment changed while it was read: attach it again when nothing writes to it")]
    SourceChanged,
    /// A text is not usable.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A date is not usable.
    #[error(transparent)]
    Date(#[from] ParseDateError),
    /// An identifier is not usable.
    #[error(transparent)]
    Id(#[from] ParseIdError),
    /// Fields do not make a record.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A policy cannot be built.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A code filter cannot be built.
    #[error(transparent)]
    CodeFilter(#[from] ParseCodeFilterError),
    /// What came back is not the digest of a preview.
    #[error(transparent)]
    ViewDigest(#[from] ParseViewDigestError),
    /// An input could not be read, so nothing was imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A key that verifies excerpts is not usable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An excerpt is not valid.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A value is not usable.
    #[error("{what}")]
    Invalid {
        /// What is wrong and what would be right.
        what: &'static str,
    },
    /// A value is too large for the format.
    #[error("the entry is too large for a vault: it may have 64 MiB; keep what is larger as an attachment")]
    TooLarge,
    /// Password derivation was refused or failed.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The handle was taken into another process, where its randomness could repeat.
    #[error("the vault was opened by another process: open it in this one")]
    OtherProcess,
    /// Credentials were changed by another handle since this one was unlocked.
    #[error("the vault's access was changed meanwhile: unlock it again")]
    AccessChanged,
    /// A writer withdrew parts of the state that was being read through.
    #[error("the vault was changed while it was read: start reading it again")]
    Superseded,
    /// The vault locked itself, or was locked: its keys are gone from memory.
    #[error("the vault is locked: unlock it again")]
    Locked,
}
