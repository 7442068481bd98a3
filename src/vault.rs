//! The façade: a locked vault, an unlocked one, and what can be done with it.
//!
//! Reads take a snapshot and never wait; every change is one commit that is
//! durable, with its line in the ledger, before the call returns.
//!
//! Every line here hands on to a room: `session` opens, reads and commits, `doors` is
//! where records come in and go out, `custody` is the ways in, `upkeep` looks after the
//! file, `acts` undoes.

mod acts;
mod custody;
mod doors;
mod session;
mod upkeep;

#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in tests and fuzz targets only")]
#[cfg_attr(not(test), allow(dead_code, reason = "the tests' part of it"))]
pub(crate) mod disk;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, reason = "the tests' part of it"))]
mod hooks;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

pub use crate::crypto::kdf::KdfCost;
pub use crate::error::Error;
use crate::excerpt::{Excerpt, IssuerRole, PublicKey, Signer};
#[doc(inline)]
pub use crate::id::{AccessId, ContentId, DocumentId, EntryId, Epoch, VaultId};
use crate::interop::export::ExportForm;
use crate::interop::imported::Imported;
pub use crate::keys::{Credential, Grant, Password};
use crate::record::{Entry, Token};
use crate::release::{Policy, View};
#[cfg(doc)]
use crate::store::StoreError;
use crate::store::{MemoryStore, Store};

pub use crate::crypto::content_digest::{ContentDigest, RunningContentDigest};
#[doc(inline)]
pub use crate::crypto::digest::Digest;
pub use crate::crypto::kdf::{KdfError, KdfLimits};
pub use crate::crypto::random::RandomError;
#[doc(inline)]
pub use crate::crypto::signature::SignatureAlgorithm;
pub use crate::engine::accounting::{Accounting, HandedOut, SettledAccount};
pub use crate::engine::actor::Actor;
pub use crate::engine::backups::Backup;
pub use crate::engine::concerned::LedgerEntries;
pub use crate::engine::destruction::Expungement;
pub use crate::engine::directory::{Access, AccessKind};
pub use crate::engine::erasure::{Coverage, ErasedSource, ErasureReport, Remains};
pub use crate::engine::facts::{Action, Detail};
pub use crate::engine::history::{Checkpoint, ParseCheckpointError};
pub use crate::engine::ledger::LedgerLine;
pub use crate::engine::list::{Filter, Listed, Revision};
pub use crate::engine::moving::{MoveReport, MovedEntry};
pub use crate::engine::opening::Recovery;
pub use crate::engine::readable::Readable;
pub use crate::engine::related::{Related, Shared};
pub use crate::engine::transaction::{Committed, Transaction};
pub use crate::engine::vault_record::HolderRole;
pub use crate::error::ErrorKind;
pub use crate::format::FormatError;
pub use crate::format::place::Compartment;
#[doc(inline)]
pub use crate::id::{CommitId, ExcerptId, ParseIdError};
pub use crate::keys::{CredentialError, RawKey, RecoveryKey};
pub use crate::secret::SecretText;
pub use acts::undo::{PastImport, UndoPreview, UndoReport};
pub use custody::ListedAccess;
pub use custody::change::AccessChange;
pub use doors::attach::{NewAttachment, Upload};
pub use doors::attachment::AttachmentReader;
pub use doors::document::SourceDocument;
pub use doors::export::Exported;
pub use doors::import::{ChangedSource, Expunged, ImportDecisions, ImportReport};
pub use doors::release::ReleaseRequest;
pub use session::audit::{AuditEvent, ReadKind};
pub use session::create::NewVault;
#[cfg(any(test, fuzzing))]
pub(crate) use session::create::file_image;
pub use session::options::VaultOptions;
pub use upkeep::backup::BackupReport;
pub use upkeep::check::segments::SegmentsReport;
pub use upkeep::check::{CheckFinding, CheckReport, HeadPart};
pub use upkeep::compact::{Closed, CompactReport, Progress};
pub use upkeep::explain::Explanation;
pub use upkeep::repair::RepairReport;
pub use upkeep::space::SpaceReport;

use session::handle::Session;
use session::open::Locked;

/// An unlocked vault.
///
/// [`Vault::create`] makes one and [`LockedVault::unlock`] opens one. Threads can share it:
/// every read works on a snapshot, and changes happen one at a time. Dropping it wipes its
/// keys.
pub struct Vault {
    pub(crate) session: Session,
}

/// A vault that is still locked: only its header has been read.
///
/// ```no_run
/// use subrosa::{Credential, Filter, LockedVault, VaultOptions};
///
/// let password = Credential::password("a long sentence that nobody else says")?;
/// let vault = LockedVault::open("my.vault", VaultOptions::default())?.unlock(&password)?;
/// println!("{} entries", vault.list(&Filter::all())?.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LockedVault {
    pub(crate) locked: Locked,
}

impl LockedVault {
    fn of_locked(locked: Locked) -> Self {
        Self { locked }
    }

    /// Opens a vault file.
    ///
    /// # Errors
    /// [`Error::Format`] if the file is not a vault that this version reads,
    /// [`Error::Store`] if it cannot be read.
    pub fn open(path: impl AsRef<Path>, options: VaultOptions) -> Result<Self, Error> {
        session::open::Locked::open(path.as_ref(), options).map(Self::of_locked)
    }

    /// Opens a vault file whose header is damaged, with the header of a backup, which has the
    /// same. Unlocking shows whether both are one vault; [`Vault::repair_from`] puts the header
    /// back. A file whose header is whole is opened as it is.
    ///
    /// # Errors
    /// As [`LockedVault::open`]; [`Error::Format`] if the backup is not a vault.
    pub fn with_header_of(
        path: impl AsRef<Path>,
        backup: impl AsRef<Path>,
        options: VaultOptions,
    ) -> Result<Self, Error> {
        session::open::Locked::with_header_of(path.as_ref(), backup.as_ref(), options).map(Self::of_locked)
    }

    /// Opens a vault in any store.
    ///
    /// # Errors
    /// As [`LockedVault::open`].
    pub fn of(store: Arc<dyn Store>, options: VaultOptions) -> Result<Self, Error> {
        session::open::Locked::of(store, options).map(Self::of_locked)
    }

    /// Requires the vault's history to contain this checkpoint; otherwise unlocking fails.
    #[must_use]
    pub fn expecting(self, checkpoint: Checkpoint) -> Self {
        Self::of_locked(self.locked.expecting(checkpoint))
    }

    /// Unlocks for reading and writing. If a writer was interrupted, this repairs what it
    /// left, and [`Vault::recovery`] says so.
    ///
    /// # Errors
    /// [`Error::WrongCredential`], [`Error::Kdf`], [`Error::Damaged`] (then nothing
    /// was written), [`Error::NewerReader`], [`Error::RolledBack`],
    /// [`Error::Forked`], [`Error::Store`].
    pub fn unlock(self, credential: &Credential) -> Result<Vault, Error> {
        self.locked.unlock(credential).map(Vault::of)
    }

    /// Unlocks for reading only; nothing is written.
    ///
    /// # Errors
    /// As [`LockedVault::unlock`].
    pub fn unlock_read_only(self, credential: &Credential) -> Result<Vault, Error> {
        self.locked.unlock_read_only(credential).map(Vault::of)
    }

    /// Unlocks a damaged vault, to find out what is left of it. [`Vault::check_deep`]
    /// says what is damaged. [`Vault::repair_from`] is the only call that writes. You can
    /// read what is still readable, but lists and searches may be incomplete.
    ///
    /// Use it when [`LockedVault::unlock`] fails with [`Error::Damaged`] because a
    /// compartment's place or the first page of its catalogue is damaged. The credential
    /// areas, the roots and the end of the file must be whole, as for any opening.
    ///
    /// # Errors
    /// As [`LockedVault::unlock`].
    pub fn unlock_for_diagnosis(self, credential: &Credential) -> Result<Vault, Error> {
        self.locked.unlock_for_diagnosis(credential).map(Vault::of)
    }

    /// Restores this backup to a new file. The copy is read back and authenticated
    /// whole, and has the same checkpoint. The backup stays as it is.
    ///
    /// # Errors
    /// As [`LockedVault::unlock_read_only`] and [`Vault::backup`].
    pub fn restore(self, credential: &Credential, to: impl AsRef<Path>) -> Result<BackupReport, Error> {
        self.restore_with(credential, to, |_| {})
    }

    /// The same; `progress` is called with the bytes done and all of them.
    ///
    /// # Errors
    /// As [`LockedVault::restore`].
    pub fn restore_with(
        self,
        credential: &Credential,
        to: impl AsRef<Path>,
        progress: impl FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        upkeep::backup::restore(self.locked, credential, to.as_ref(), progress)
    }
}

impl Vault {
    fn of(session: Session) -> Self {
        Self { session }
    }

    /// Creates a vault file. It never overwrites a file.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken,
    /// [`Error::Kdf`], [`Error::Random`], [`Error::Invalid`], [`Error::Store`].
    pub fn create(path: impl AsRef<Path>, new: &NewVault<'_>, options: VaultOptions) -> Result<Self, Error> {
        session::create::in_file(path.as_ref(), new, options).map(Self::of)
    }

    /// Creates a vault in the memory of this process.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn create_in_memory(new: &NewVault<'_>, options: VaultOptions) -> Result<Self, Error> {
        Self::create_in(Arc::new(MemoryStore::new()), new, options)
    }

    /// Creates a vault in a store of the embedder's, which must not hold one yet. It puts
    /// the objects of the first commit, then header, area and root by one
    /// [`StoreWriter::create`](crate::store::StoreWriter::create). When this returns, the store
    /// holds all of it or nothing. [`LockedVault::of`] opens it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is a vault in the
    /// store, and as [`Vault::create`].
    pub fn create_in(
        store: Arc<dyn Store>,
        new: &NewVault<'_>,
        options: VaultOptions,
    ) -> Result<Self, Error> {
        session::create::in_store(store, new, options).map(Self::of)
    }

    /// The vault's identifier.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.session.id
    }

    /// The compartments that this access opens.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.session.grant()
    }

    /// What the opening found and repaired.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.session.recovery
    }

    /// The number of the last commit that this handle has seen.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.session.epoch()
    }

    /// The current revision of an entry.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::Damaged`], [`Error::Store`].
    pub fn entry(&self, id: EntryId) -> Result<Entry, Error> {
        session::reads::entry(&self.session, id)
    }

    /// The entries that match, the newest first, undated ones last.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>, Error> {
        session::reads::list(&self.session, filter)
    }

    /// The entries that may be one record, in groups of at least two. The entries of a group
    /// have one kind and code, begin at the same time, and came from different imports or
    /// documents, or were entered one by one. The vault keeps them all: retract or expunge
    /// those that are superseded. An excerpt with several entries of a group says so.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn perhaps_same(&self) -> Result<Vec<Vec<EntryId>>, Error> {
        session::reads::perhaps_same(&self.session)
    }

    /// Passes every current entry of the open compartments to `visit`, retracted ones
    /// included, in no particular order. All cores read, authenticate and decode; `visit`
    /// runs on this thread only, and at most a few hundred entries per core wait for it. It
    /// sees entries of one state. If a writer withdraws part of that state, the call ends
    /// with [`Error::Superseded`].
    ///
    /// # Errors
    /// The error of `visit`, [`Error::Superseded`], [`Error::Damaged`], [`Error::Store`].
    pub fn for_each_entry(
        &self,
        visit: impl FnMut(EntryId, Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        session::reads::for_each_entry(&self.session, visit)
    }

    /// [`Vault::for_each_entry`] for closures with an error of their own.
    ///
    /// # Errors
    /// The error of `visit` as it is, and what [`Vault::for_each_entry`] says as that error.
    pub fn try_for_each_entry<E: From<Error>>(
        &self,
        visit: impl FnMut(EntryId, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        session::reads::try_for_each_entry(&self.session, visit)
    }

    /// The revisions of an entry, oldest first.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::Damaged`], [`Error::Store`].
    pub fn history(&self, id: EntryId) -> Result<Vec<Revision>, Error> {
        session::reads::history(&self.session, id)
    }

    /// An entry as it was in one revision.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::NoSuchRevision`], [`Error::Damaged`], [`Error::Store`].
    pub fn entry_revision(&self, id: EntryId, revision: u64) -> Result<Entry, Error> {
        session::reads::entry_revision(&self.session, id, revision)
    }

    /// Makes changes as one commit: all of them or none. They are durable when this returns.
    ///
    /// The closure may run again if another writer was faster. If it returns an error,
    /// nothing is written. Nothing is written either if it ignores an operation that failed
    /// half-way.
    ///
    /// # Errors
    /// The closure's error; [`Error::Store`] if the store is busy, full or
    /// fails; [`Error::OtherProcess`] after a fork.
    pub fn update<T>(
        &self,
        actor: &Actor,
        change: impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<Committed<T>, Error> {
        self.session.update(actor, change)
    }

    /// [`Vault::update`] for closures with an error type of their own, into which `?` turns
    /// the vault's. It is a separate call because most closures end in `Ok(…)`, and the
    /// compiler could not infer their error type.
    ///
    /// ```
    /// use subrosa::record::Diagnosis;
    /// use subrosa::{Actor, Credential, Entry, Error, NewVault, Provenance, RawKey, Vault, VaultOptions};
    ///
    /// #[derive(Debug)]
    /// enum IntakeError { Vault(Error), NoConsent }
    ///
    /// impl From<Error> for IntakeError {
    ///     fn from(error: Error) -> Self {
    ///         Self::Vault(error)
    ///     }
    /// }
    ///
    /// fn consent() -> Result<(), IntakeError> {
    ///     Err(IntakeError::NoConsent)
    /// }
    ///
    /// let key = Credential::from(RawKey::generate()?);
    /// let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default())?;
    /// let entry = Entry::new(Diagnosis::default(), Provenance::default());
    /// let refused = vault.try_update(&Actor::owner(), |tx| {
    ///     tx.add(&entry)?; // an Error
    ///     consent()?; // an IntakeError
    ///     Ok(())
    /// });
    /// assert!(matches!(refused, Err(IntakeError::NoConsent)));
    /// assert!(vault.list(&Default::default())?.is_empty(), "nothing was written");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// The closure's error as it is, and what [`Vault::update`] says as that error.
    pub fn try_update<T, E: From<Error>>(
        &self,
        actor: &Actor,
        change: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<Committed<T>, E> {
        self.session.try_update(actor, change)
    }

    /// Expunges entries: all their revisions, and all that tells of them. The report says what
    /// that reached and what is left.
    ///
    /// A text says why, as [`Expungement::because`] does.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::LegalHold`], and as [`Vault::update`];
    /// [`Error::NeedsCompartment`] where [`Accounting::Keep`] needs `custody`.
    pub fn expunge(
        &self,
        actor: &Actor,
        ids: &[EntryId],
        how: impl Into<Expungement>,
    ) -> Result<ErasureReport, Error> {
        self.session.expunge(actor, ids, &how.into())
    }

    /// Moves entries to another compartment, as one commit: with their earlier revisions, their
    /// attachments, and all that is told of them. They get other ids. Nothing of them is left
    /// where they were; the report says what that reached.
    ///
    /// Who opens the compartment that they leave and not the one that they go to cannot tell
    /// this from an expungement. The reason is kept where they go.
    ///
    /// ```
    /// use subrosa::record::{Concept, Diagnosis};
    /// use subrosa::vault::Compartment;
    /// use subrosa::{Actor, Credential, Entry, NewVault, Provenance, RawKey, Token, Vault, VaultOptions};
    ///
    /// # let key: Credential = RawKey::generate()?.into();
    /// # let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default())?;
    /// let owner = Actor::owner();
    /// let mut asthma = Diagnosis::default();
    /// asthma.code = Some(Concept::from_text(Token::new("Asthma")?));
    /// let entry = Entry::new(asthma, Provenance::default());
    /// let id = vault.update(&owner, |tx| tx.add(&entry))?.value;
    /// let report = vault.move_entries(&owner, &[id], Compartment::Sealed, Some("my wish"))?;
    /// let there = report.moved[0].to;
    /// assert!(vault.entry(id).is_err() && vault.entry(there).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Transaction::move_all`] and [`Vault::update`]; [`Error::Invalid`] when none is named.
    /// Then nothing is moved, except with
    /// [`StoreError::NotErased`]: the entries are moved, and bytes may be left where they were.
    pub fn move_entries(
        &self,
        actor: &Actor,
        ids: &[EntryId],
        to: Compartment,
        reason: Option<&str>,
    ) -> Result<MoveReport, Error> {
        self.session.move_entries(actor, ids, to, reason)
    }

    /// The other entries that tell of the same as this one: that refer to it or to which it
    /// refers, then those that have its code, the words for it or the name of its drug, in their
    /// fields or in their originals. An expungement does not
    /// reach them: look at them before you destroy it. What is in `sealed` is not looked at, and
    /// other words for the same are not known.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::Damaged`], [`Error::Store`].
    pub fn related(&self, id: EntryId) -> Result<Vec<Related>, Error> {
        self.session.read(|reader| reader.related(id))
    }

    /// The entries that were expunged to stay away ([`Expungement::staying_away`]) and are there
    /// again: somebody brought them back who does not open `sealed`, and could not know. Expunge
    /// them again, or import their source with [`Expunged::TakeAgain`] to keep them.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] where `sealed` is not open; [`Error::Damaged`], [`Error::Store`].
    pub fn returned(&self) -> Result<Vec<EntryId>, Error> {
        self.session.read(|reader| reader.returned())
    }

    /// Writes an import into the vault, as one commit, if nothing about it is in doubt.
    ///
    /// # Errors
    /// [`Error::ImportAsks`] and as [`Vault::update`].
    pub fn import(&self, actor: &Actor, imported: &Imported) -> Result<ImportReport, Error> {
        doors::import::import(&self.session, actor, imported)
    }

    /// Writes an import into the vault, as one commit, with these decisions.
    ///
    /// `progress` is called with the number of entries done and of all.
    ///
    /// # Errors
    /// [`Error::ImportAsks`] if a decision is missing, and as [`Vault::update`]. Then
    /// nothing is written.
    pub fn import_with(
        &self,
        actor: &Actor,
        imported: &Imported,
        decisions: &ImportDecisions,
        progress: impl FnMut(usize, usize),
    ) -> Result<ImportReport, Error> {
        doors::import::import_with(&self.session, actor, imported, decisions, progress)
    }

    /// Takes back the answers to one import, by its number, or to all. What was confirmed is
    /// asked again, and patient entries no longer count as confirmed to be of the same
    /// person. Returns the number of answers.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn forget_import_answers(&self, actor: &Actor, number: Option<Epoch>) -> Result<usize, Error> {
        doors::import::answers::forget_import_answers(&self.session, actor, number)
    }

    /// The imports in the ledger, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn imports(&self) -> Result<Vec<PastImport>, Error> {
        acts::undo::imports(&self.session)
    }

    /// What [`Vault::undo_import`] would do.
    ///
    /// # Errors
    /// [`Error::NoSuchImport`], [`Error::Damaged`], [`Error::Store`].
    pub fn preview_undo(&self, number: Epoch) -> Result<UndoPreview, Error> {
        acts::undo::preview_undo(&self.session, number)
    }

    /// Undoes an import: destroys what it added and brings back what it amended, as one
    /// commit. When this returns, the vault's file no longer yields any of it under any
    /// credential. A later import may bring it again.
    ///
    /// # Errors
    /// [`Error::NoSuchImport`]; [`Error::ChangedSinceImport`] and [`Error::LegalHold`]
    /// (then nothing is undone); as [`Vault::update`].
    pub fn undo_import(&self, actor: &Actor, number: Epoch) -> Result<UndoReport, Error> {
        acts::undo::undo_import(&self.session, actor, number)
    }

    /// What a policy would release, and what it would withhold and why. This is for the
    /// owner's eyes. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn preview(&self, policy: &Policy) -> Result<View, Error> {
        doors::release::preview(&self.session, policy)
    }

    /// Releases what a policy allows, as a signed excerpt. The release is durably in the
    /// ledger when this returns.
    ///
    /// # Errors
    /// [`Error::NothingToRelease`] if the policy lets nothing out,
    /// [`Error::NotAsPreviewed`] if anything else would leave than was previewed,
    /// [`Error::DoubtfulClock`] if the clock cannot be right,
    /// [`Error::AccessChanged`] once the way in that opened this handle is taken away,
    /// [`Error::Issue`] if the excerpt cannot be made, and as [`Vault::update`].
    pub fn release(&self, actor: &Actor, request: &ReleaseRequest) -> Result<Excerpt, Error> {
        doors::release::release(&self.session, actor, request)
    }

    /// Releases what a policy allows, signed with a key that is kept elsewhere. No key of
    /// the vault has a part in it. [`Vault::public_key`] does not return the other
    /// key; the ledger names it.
    ///
    /// Each signature is verified before anything is written, so a signer that fails or
    /// signs wrongly leaves no trace. Other writers wait while it signs. It signs again
    /// if the vault has changed before the commit.
    ///
    /// # Errors
    /// [`Error::Issue`] with [`IssueExcerptError::Signer`](crate::excerpt::IssueExcerptError::Signer)
    /// when the signer fails or its signature does not verify, and as [`Vault::release`].
    pub fn release_with(
        &self,
        signer: &dyn Signer,
        actor: &Actor,
        request: &ReleaseRequest,
    ) -> Result<Excerpt, Error> {
        doors::release::release_with(&self.session, signer, actor, request)
    }

    /// The key that verifies the excerpts which this handle releases, except those of
    /// [`Vault::release_with`].
    ///
    /// Each way into the vault signs with a key of its own. A changed password keeps it; a
    /// way in that replaces another has another. [`Vault::access`] lists the keys of all.
    ///
    /// # Errors
    /// [`Error::AccessChanged`] once the way in that opened this handle is taken away,
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        doors::release::public_key(&self.session)
    }

    /// The name and the role under which this vault signs excerpts. Those who trust its key
    /// must trust it for these.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`], [`Error::Invalid`] when the holder's name
    /// is not one line.
    pub fn issuer(&self) -> Result<(Token, IssuerRole), Error> {
        doors::release::issuer(&self.session)
    }

    /// Every current entry of the open compartments, retracted ones included, to be
    /// written to a readable file. The export is durably in the ledger when this returns.
    ///
    /// What is damaged is named, and all else is there: look whether
    /// [`Readable::is_whole`]. [`Vault::history`] and [`Vault::entry_revision`] read earlier
    /// revisions. A later erasure report names exports as it names releases.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn export(&self, actor: &Actor) -> Result<Readable, Error> {
        doors::export::export(&self.session, actor)
    }

    /// The same without a line in the ledger: for the owner's own copy out of a vault that cannot
    /// be written.
    ///
    /// # Errors
    /// [`Error::Damaged`] where nothing can be read at all, [`Error::Store`].
    pub fn readable(&self) -> Result<Readable, Error> {
        doors::export::readable(&self.session)
    }

    /// Writes the entries that a filter chooses as FHIR R4, in a form that
    /// [`Import`](crate::Import) reads back. What is written is readable by whoever gets it.
    ///
    /// The file holds each entry as it is now, with its original, its attachments of up to
    /// 32 MiB, where it came from and what was decided about it. It does not hold earlier
    /// revisions, the ledger, the ways in, nor what is sealed, and says so itself. Whoever
    /// imports it decides whether to believe what it says beside the resources:
    /// [`ImportOptions::own_export`](crate::ImportOptions::own_export).
    ///
    /// The export is durably in the ledger before the first byte is written, as an export of
    /// each compartment of which something is chosen. One entry is in memory at a time. A
    /// damaged entry is left out, and [`Exported`] names it.
    ///
    /// # Errors
    /// As [`Vault::update`]; [`Error::Destination`] when `out` fails, and
    /// [`Error::Superseded`] when a writer withdraws part of the state that is written: what
    /// was written then is not whole.
    pub fn export_fhir(
        &self,
        actor: &Actor,
        filter: &Filter,
        form: ExportForm,
        mut out: impl Write,
    ) -> Result<Exported, Error> {
        doors::export::export_fhir(&self.session, actor, filter, form, &mut out)
    }

    /// The same without a line in the ledger, for a vault that cannot be written: whoever
    /// rescues their records has the right to them.
    ///
    /// # Errors
    /// As [`Vault::export_fhir`], but none of writing to the vault.
    pub fn export_fhir_unrecorded(
        &self,
        filter: &Filter,
        form: ExportForm,
        mut out: impl Write,
    ) -> Result<Exported, Error> {
        doors::export::write_fhir(&self.session, None, filter, form, &mut out)
    }

    /// Stores the bytes of an attachment, with an entry that names them.
    ///
    /// It takes the same memory for any size. Up to 64 MiB are one commit, all or
    /// nothing. More take several commits of 64 MiB, and others can write in between; if
    /// this is cut short, it leaves an [`Upload`]. The writer's lock is held while the
    /// source is read. A compartment stores the same bytes once.
    ///
    /// # Errors
    /// [`Error::Source`], [`Error::SourceChanged`], [`Error::NoSuchEntry`],
    /// [`Error::NewerCompartment`], [`Error::Invalid`] if the entry's kind holds
    /// no attachments; and as [`Vault::update`], except that a conflict is not tried again.
    pub fn attach(
        &self,
        actor: &Actor,
        new: &NewAttachment,
        source: &mut dyn Read,
    ) -> Result<Committed<EntryId>, Error> {
        self.attach_with(actor, new, source, |_| {})
    }

    /// The same; `progress` is called with the number of bytes read so far.
    ///
    /// # Errors
    /// As [`Vault::attach`].
    pub fn attach_with(
        &self,
        actor: &Actor,
        new: &NewAttachment,
        source: &mut dyn Read,
        progress: impl FnMut(u64),
    ) -> Result<Committed<EntryId>, Error> {
        doors::attach::attach(&self.session, actor, new, source, progress)
    }

    /// The attachments that are stored in part, with the rest still to come.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn uploads(&self) -> Result<Vec<Upload>, Error> {
        doors::attach::uploads(&self.session)
    }

    /// Resumes an upload. It reads the source from the beginning, keeps what is already
    /// stored where the bytes are the same, and writes the rest.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`], [`Error::Invalid`] when the entry to attach to is
    /// in another compartment or belongs to one, and as [`Vault::attach`].
    pub fn resume_upload(
        &self,
        actor: &Actor,
        id: ContentId,
        new: &NewAttachment,
        source: &mut dyn Read,
    ) -> Result<Committed<EntryId>, Error> {
        self.resume_upload_with(actor, id, new, source, |_| {})
    }

    /// The same; `progress` is called with the number of bytes read so far.
    ///
    /// # Errors
    /// As [`Vault::resume_upload`].
    pub fn resume_upload_with(
        &self,
        actor: &Actor,
        id: ContentId,
        new: &NewAttachment,
        source: &mut dyn Read,
        progress: impl FnMut(u64),
    ) -> Result<Committed<EntryId>, Error> {
        doors::attach::resume_upload(&self.session, actor, id, new, source, progress)
    }

    /// Discards an upload. What was stored of it is erased when this returns.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`], and as [`Vault::update`].
    pub fn discard_upload(&self, actor: &Actor, id: ContentId) -> Result<(), Error> {
        doors::attach::discard_upload(&self.session, actor, id)
    }

    /// The documents of which entries were made, where the vault keeps them as they came; not
    /// those whose entries are in `sealed`.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn source_documents(&self) -> Result<Vec<SourceDocument>, Error> {
        doors::document::source_documents(&self.session)
    }

    /// A document as it came, byte for byte. It is put together from the originals of its
    /// entries and from what is beside them.
    ///
    /// # Errors
    /// [`Error::NoSuchDocument`], [`Error::Damaged`], [`Error::Store`].
    pub fn source_document(&self, id: DocumentId) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
        doors::document::source_document(&self.session, id)
    }

    /// Opens an attachment of an entry's current revision, by its number among
    /// [`Entry::attachments`](crate::Entry::attachments), from 0. It does not read the
    /// stored bytes yet.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::NoSuchAttachment`], [`Error::Invalid`] when
    /// its bytes are in the entry's original or not in the vault,
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn attachment(&self, id: EntryId, number: usize) -> Result<AttachmentReader<'_>, Error> {
        doors::attachment::attachment(&self.session, id, number)
    }

    /// The same of an earlier revision.
    ///
    /// # Errors
    /// As [`Vault::attachment`]; [`Error::NoSuchRevision`].
    pub fn attachment_revision(
        &self,
        id: EntryId,
        revision: u64,
        number: usize,
    ) -> Result<AttachmentReader<'_>, Error> {
        doors::attachment::attachment_revision(&self.session, id, revision, number)
    }

    /// Every line of the ledger in the open compartments, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn ledger(&self) -> Result<Vec<LedgerLine>, Error> {
        session::reads::ledger(&self.session)
    }

    /// The ways into this vault.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] without the custody compartment,
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn access(&self) -> Result<Vec<ListedAccess>, Error> {
        custody::access(&self.session)
    }

    /// Adds and revokes ways in, as one commit: all or nothing. Returns the ids of the added
    /// ones, in their order.
    ///
    /// The vault gets a new root key. The compartments that a revoked way in opened get new
    /// keys, and the ways in that stay are granted them without their passwords. So a
    /// revoked credential no longer opens the file, and what is written afterwards is under
    /// keys that nobody had before. Entries are not encrypted anew. Somebody who kept their
    /// keys or decrypted pages, and not just the credential, still reads what was not
    /// rewritten since; so does somebody with an older copy of the file. This handle stays
    /// open. All others fail with [`Error::AccessChanged`] and must be unlocked again.
    ///
    /// To change access you must hold the keys of everything that any way in opens: in
    /// effect, a way in to everything. The directory in `custody` says what each change
    /// grants to whom, so the holder of its key has everything from the next change on. A
    /// grant with `custody` is therefore a grant of everything, or refused.
    ///
    /// # Errors
    /// [`Error::NoSuchAccess`] if one to revoke is gone or was replaced;
    /// [`Error::LastFullAccess`], [`Error::NoFreeAccess`];
    /// [`Error::NeedsCompartment`]; [`Error::Invalid`] if there is nothing to
    /// do, if a grant holds `custody` and not everything, if another way in has
    /// the same password or key, or if the cost of a new password is not possible; [`Error::Kdf`], [`Error::Store`].
    /// Then nothing is written, except with [`StoreError::NotErased`]: the change is
    /// made, and [`Vault::access`] lists what was added.
    pub fn change_access(&self, actor: &Actor, change: &AccessChange<'_>) -> Result<Vec<AccessId>, Error> {
        custody::change::change_access(&self.session, actor, change)
    }

    /// Changes the password of one way in. The options set the cost of the new one; the file
    /// never does.
    ///
    /// At most two costs are in use at a time. If the cost changes and this handle opens
    /// everything, the vault gets new keys, as in [`Vault::change_access`], and drops a cost
    /// that nobody uses any more. Other handles then fail with [`Error::AccessChanged`].
    /// Otherwise only this one slot is rewritten, and the vault does not learn that an
    /// older cost is out of use.
    ///
    /// Somebody with an older copy of the file can still open that copy with the old
    /// password, and what they find there still opens this slot. To shut somebody out,
    /// revoke the way in and add another ([`Vault::change_access`]).
    ///
    /// # Errors
    /// [`Error::WrongCredential`] when `old` opens nothing, [`Error::Kdf`],
    /// [`Error::Invalid`] when another way in has the new password, when its cost
    /// would be the third in use, or when the old and the new cost together
    /// exceed the limits of one opening; [`Error::Store`]. Nothing is written then,
    /// unless it is [`StoreError::NotErased`]: the new password opens and the old one
    /// does not.
    pub fn change_password(&self, actor: &Actor, old: Password, new: Password) -> Result<(), Error> {
        custody::password::change_password(&self.session, actor, old, new)
    }

    /// Protects the same password at the cost that the options set. Use it after
    /// [`Vault::outdated_password_cost`] has returned a lower cost. Opening never does this
    /// by itself.
    ///
    /// # Errors
    /// As [`Vault::change_password`].
    pub fn upgrade_password(&self, actor: &Actor, password: Password) -> Result<(), Error> {
        custody::password::upgrade_password(&self.session, actor, password)
    }

    /// The cost of the password that opened this handle, if a guess costs less than with
    /// the cost that the options set.
    #[must_use]
    pub fn outdated_password_cost(&self) -> Option<KdfCost> {
        custody::password::outdated_password_cost(&self.session)
    }

    /// Reads and authenticates everything that this handle can reach, and compares all bytes
    /// of the file that commits appended with the digests that the history has of them.
    ///
    /// # Errors
    /// [`Error::Store`] when the store itself cannot be read; damage is in the report.
    pub fn check(&self) -> Result<CheckReport, Error> {
        upkeep::check::check(&self.session)
    }

    /// Reads every byte of the vault. Besides what [`Vault::check`] does, it checks each copy
    /// of what opens the vault, the bytes that are always zero, and whether two objects
    /// claim the same place. It also reads the bytes that nothing reaches, because a failing
    /// disk may be unable to.
    ///
    /// Nothing is written. [`CheckFinding::explain`] says what can be repaired, and how.
    ///
    /// # Errors
    /// As [`Vault::check`].
    pub fn check_deep(&self) -> Result<CheckReport, Error> {
        self.check_deep_with(|_| {})
    }

    /// The same; `progress` is called with the bytes done and all of them.
    ///
    /// # Errors
    /// As [`Vault::check`].
    pub fn check_deep_with(&self, progress: impl FnMut(Progress)) -> Result<CheckReport, Error> {
        upkeep::inspect::check_deep(&self.session, progress)
    }

    /// Restores damaged pages, entries and attachments from a backup of this vault, or from
    /// any other copy of its file.
    ///
    /// The copy may be of another state. What both have in common can be restored, and each
    /// part is compared with the digest that this vault holds. A copy from before the last
    /// compaction gives entries and attachments, but pages only of compartments that have
    /// not changed since.
    ///
    /// If the damage keeps the vault from opening, unlock it with
    /// [`LockedVault::unlock_for_diagnosis`](crate::LockedVault::unlock_for_diagnosis).
    ///
    /// # Errors
    /// [`Error::Invalid`] when the file is of another vault, [`Error::Format`] when
    /// it is none; [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`Error::Store`].
    pub fn repair_from(&self, backup: impl AsRef<Path>) -> Result<RepairReport, Error> {
        upkeep::repair::repair_from(&self.session, backup)
    }

    /// Writes anew what lists show of entries, where that is not what the entries say
    /// ([`CheckFinding::WrongCard`]), and gives these entries. Nothing is written if there is
    /// none. No version of this library writes such a card, but whoever has the keys can.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a page cannot be read, and as [`Vault::update`].
    pub fn mend_cards(&self, actor: &Actor) -> Result<Vec<EntryId>, Error> {
        upkeep::repair::mend_cards(&self.session, actor)
    }

    /// How much of the vault file is in use, as this handle last saw it.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`Error::Store`], [`Error::Locked`].
    pub fn space(&self) -> Result<SpaceReport, Error> {
        upkeep::space::space(&self.session)
    }

    /// Rewrites the vault file without the bytes that nothing reaches: page images of
    /// earlier commits, what an interrupted writer left, what was erased. Everything in
    /// the vault stays, and the ledger gets one more line.
    ///
    /// The new file takes the old one's name only when it is whole, checked and durable.
    /// Other handles and processes then follow it. A failure before that leaves the vault as it was. It
    /// needs space for the new file beside the old one, and two names: the vault's with
    /// `.compact` and with `.old` added.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] when a compartment is not open;
    /// [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`StoreError::InTheWay`], [`StoreError::SecondName`],
    /// [`StoreError::NoSpace`], [`StoreError::Busy`]; [`Error::Damaged`] when
    /// something in the vault cannot be read, [`Error::Store`].
    pub fn compact(&self, actor: &Actor) -> Result<CompactReport, Error> {
        self.compact_with(actor, |_| {})
    }

    /// The same; `progress` is called with the bytes done and all of them.
    ///
    /// # Errors
    /// As [`Vault::compact`].
    pub fn compact_with(
        &self,
        actor: &Actor,
        progress: impl FnMut(Progress),
    ) -> Result<CompactReport, Error> {
        upkeep::compact::compact(&self.session, actor, progress)
    }

    /// Copies the vault to a new file, which every current credential opens. Others may
    /// read, write and compact in the meantime.
    ///
    /// The copy is read back and authenticated whole, then recorded in the ledger under
    /// `name`, and only then given its own name. If the system fails between the last two
    /// steps, the ledger lists a backup that does not exist. If it fails earlier, a file whose
    /// name starts with `.subrosa-` may be left in the backup's folder. You can delete it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is such a file, the vault itself
    /// included; [`StoreError::ReservedName`] for the names that compaction uses
    /// beside a file; [`StoreError::NoFolder`], [`StoreError::NoSpace`],
    /// [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`Error::Damaged`] when something in the vault cannot be read;
    /// [`Error::Invalid`] for a name that is empty or too long; and as
    /// [`Vault::update`]. Nothing is left behind then.
    pub fn backup(&self, actor: &Actor, to: impl AsRef<Path>, name: &str) -> Result<BackupReport, Error> {
        self.backup_with(actor, to, name, |_| {})
    }

    /// The same; `progress` is called with the bytes done and all of them.
    ///
    /// # Errors
    /// As [`Vault::backup`].
    pub fn backup_with(
        &self,
        actor: &Actor,
        to: impl AsRef<Path>,
        name: &str,
        progress: impl FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        upkeep::backup::backup(&self.session, actor, to, name, progress)
    }

    /// The backups that were made of this vault, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn backups(&self) -> Result<Vec<Backup>, Error> {
        upkeep::backup::backups(&self.session)
    }

    /// The newest state that this handle knows to be durable: the current one. A handle that
    /// only reads gives the state before it, unless the last writer closed the vault: what
    /// it reads may not be durable yet.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be made durable.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        session::reads::checkpoint(&self.session)
    }

    /// Whether this vault's history contains a checkpoint.
    ///
    /// # Errors
    /// [`Error::RolledBack`] when the vault is older, [`Error::Forked`] when its
    /// history differs, [`Error::Damaged`], [`Error::Store`].
    pub fn expect(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        session::reads::expect(&self.session, checkpoint)
    }

    /// Moves this handle's snapshot to the newest state, which another handle or process may
    /// have written. Changes do this by themselves. Reads stay on the snapshot until it is
    /// refreshed, or until parts of it are withdrawn.
    ///
    /// # Errors
    /// [`Error::RolledBack`] and [`Error::Forked`] when the file's state does not
    /// follow from the one that this handle knows, [`Error::AccessChanged`],
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn refresh(&self) -> Result<(), Error> {
        self.session.refresh()
    }

    /// Writes the second copy of the root, by which a damaged one can be replaced, and returns
    /// the vault locked. What was committed is durable without that. It compacts like
    /// [`Vault::close`].
    ///
    /// # Errors
    /// [`Error::Store`] when the last write cannot be made durable.
    pub fn lock(self) -> Result<LockedVault, Error> {
        upkeep::compact::settle_down(&self.session, &mut |_| {})?;
        LockedVault::of(Arc::clone(&self.session.store), self.session.options)
    }

    /// Wipes the keys of this handle, which other threads may share: every later
    /// call answers [`Error::Locked`]. Calls under way in other threads finish;
    /// the last of them takes the keys with it. Another writer is not waited for before.
    ///
    /// # Errors
    /// [`Error::Store`] when the second copy of the last write cannot be made
    /// durable, or when [`VaultOptions::with_renewal_at_close`] asks for a commit and another
    /// writer is at work; what that commit otherwise fails with. The keys are gone all the same,
    /// also where the clock panics.
    pub fn forget_keys(&self) -> Result<(), Error> {
        self.session.forget_keys()
    }

    /// Whether the keys of this handle were wiped, by [`Vault::forget_keys`] or by
    /// themselves.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.session.is_locked()
    }

    /// Writes the second copy of the root, by which a damaged one can be replaced, and ends,
    /// after a commit that changes nothing where
    /// [`VaultOptions::with_renewal_at_close`] asks for one:
    /// the keys of this handle are wiped. What was committed is durable without that. If
    /// compaction gives back more than half of the file, and more than 16 MiB, it is compacted
    /// first, unless the options say otherwise or a compartment is not open.
    ///
    /// # Errors
    /// [`Error::Store`] when the last write cannot be made durable. A compaction
    /// that was due and could not be made is in the report instead.
    pub fn close(self) -> Result<Closed, Error> {
        self.close_with(|_| {})
    }

    /// The same; `progress` is called with the bytes done and all of them where
    /// the file is compacted.
    ///
    /// # Errors
    /// As [`Vault::close`].
    pub fn close_with(self, progress: impl FnMut(Progress)) -> Result<Closed, Error> {
        upkeep::compact::close(&self.session, progress)
    }
}

crate::secret::redacted_debug!(Vault, LockedVault);
