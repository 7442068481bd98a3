//! Releasing: a preview that changes nothing, and a release whose line in the
//! ledger is durable before the excerpt is handed out.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use super::clock;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::crypto::random::Randomness;
use crate::crypto::signature::SigningKey;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::signing::signing_key;
use crate::engine::trace;
use crate::engine::vault_record::{HolderRole, holder_of};
use crate::error::{Error, ErrorKind};
use crate::excerpt::{self, EnvelopeRequest, Excerpt, IssuerRole, ProvenSigner, PublicKey, Signer};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::custody::VaultRecordV1;
use crate::payload::story::AccountingV1;
use crate::record::{Entry, Kind, TextError, Token, one_line};
use crate::release::{Candidate, Files, Policy, SubjectFault, View, ViewDigest};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

/// What to release, to whom, and why.
pub struct ReleaseRequest {
    recipient: Token,
    purpose: Token,
    policy: Policy,
    expires: Option<SystemTime>,
    previewed: Option<ViewDigest>,
    clock_is_confirmed: bool,
}

impl ReleaseRequest {
    /// A release of what `policy` allows. The excerpt shows the recipient and the purpose.
    /// Each is one line of at most [`Token::LIMIT`] bytes; white space around it is dropped.
    /// There is no field for a legal basis: put what the recipient may read of it into the
    /// purpose.
    ///
    /// # Errors
    /// [`TextError`] if one of them is empty, too long or not one line.
    pub fn new(recipient: &str, purpose: &str, policy: Policy) -> Result<Self, TextError> {
        let (recipient, purpose) = (one_line(recipient)?, one_line(purpose)?);
        Ok(Self { recipient, purpose, policy, expires: None, previewed: None, clock_is_confirmed: false })
    }

    /// The same release, valid only until then.
    #[must_use]
    pub fn expiring(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The same release, of exactly what a preview shows a recipient. If the vault has
    /// changed so that anything else would leave, nothing leaves.
    ///
    /// Pass the [`View`] itself, or its digest if another request made the preview: a web
    /// server sends [`View::digest`] with the page and reads it back.
    #[must_use]
    pub fn as_previewed(mut self, preview: impl Into<ViewDigest>) -> Self {
        self.previewed = Some(preview.into());
        self
    }

    /// The same release with a date that somebody looked at and confirmed. Without this,
    /// releasing fails with [`Error::DoubtfulClock`] if the clock is behind the vault's last
    /// commit, or years ahead of it.
    #[must_use]
    pub fn with_clock_confirmed(mut self) -> Self {
        self.clock_is_confirmed = true;
        self
    }

    /// The policy of this release.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

pub(crate) fn preview(session: &Session, policy: &Policy) -> Result<View, Error> {
    let view = session.read(|reader| reader.select(policy, &reader.vault_record()?))?.view;
    session.tell(ReadKind::Previewed, None, view.released().iter().map(|entry| entry.id()).collect());
    Ok(view)
}

pub(crate) fn release(session: &Session, actor: &Actor, request: &ReleaseRequest) -> Result<Excerpt, Error> {
    release_signed_by(session, None, actor, request)
}

pub(crate) fn release_with(
    session: &Session,
    signer: &dyn Signer,
    actor: &Actor,
    request: &ReleaseRequest,
) -> Result<Excerpt, Error> {
    release_signed_by(session, Some(&ProvenSigner::of(signer)), actor, request)
}

fn release_signed_by(
    session: &Session,
    signer: Option<&ProvenSigner<'_>>,
    actor: &Actor,
    request: &ReleaseRequest,
) -> Result<Excerpt, Error> {
    let (excerpt, released) = trace::operation("release", session.id, || {
        let (excerpt, released) = release_now(session, signer, actor, request)?;
        trace::event!("released", entries = released.len());
        Ok((excerpt, released))
    })?;
    session.tell(ReadKind::Released, Some(actor), released);
    Ok(excerpt)
}

fn release_now(
    session: &Session,
    signer: Option<&ProvenSigner<'_>>,
    actor: &Actor,
    request: &ReleaseRequest,
) -> Result<(Excerpt, Vec<EntryId>), Error> {
    let now = (session.options.clock)();
    let committed = session.update(actor, |tx| {
        // Chosen on the state that the commit starts from, under the writer's lock.
        let record = tx.reader().vault_record()?;
        let Selected { view, compartments, summaries } = tx.reader().select(&request.policy, &record)?;
        if request.previewed.as_ref().is_some_and(|previewed| *previewed != view.digest()) {
            return Err(Error::NotAsPreviewed);
        }
        if view.released().is_empty() {
            return Err(Error::NothingToRelease);
        }
        if !request.clock_is_confirmed {
            clock::expect_likely(&tx.reader(), now)?;
        }
        let own;
        let key: &dyn Signer = match signer {
            Some(signer) => signer,
            None => {
                // Of the way in as it is under the lock: it may just have been taken away.
                own = session.signing_key(&record)?;
                &own
            }
        };
        let envelope = request.envelope(&record, &view)?;
        let excerpt = excerpt::issue(&view, &envelope, key, &mut Randomness::from_system(), now)?;
        let mut account = AccountingV1 {
            epoch: tx.epoch().number(),
            actor: actor.name().to_owned(),
            recipient: request.recipient.as_str().to_owned(),
            purpose: request.purpose.as_str().to_owned(),
            policy: None,
            excerpt: excerpt.id().to_string(),
            signer: key.public_key().fingerprint().to_string(),
            entries: 0,
        };
        let released = released_by_compartment(&view, &compartments);
        for (compartment, ids) in released {
            account.policy = summaries.get(&compartment).cloned();
            account.entries = ids.len() as u64;
            tx.put_account(compartment, &account)?;
            for id in ids {
                tx.tell(compartment, id, Action::Released, 0, None)?;
            }
            tx.log(compartment, Line::of(Action::Released, actor));
        }
        tx.announce(Action::Released);
        Ok((excerpt, view.released().iter().map(|entry| entry.id()).collect()))
    })?;
    Ok(committed.value)
}

pub(crate) fn public_key(session: &Session) -> Result<PublicKey, Error> {
    let record = session.read(|reader| reader.vault_record())?;
    Ok(session.signing_key(&record)?.public_key())
}

impl Session {
    /// The key of the way in that this handle was opened by, as long as there is one.
    fn signing_key(&self, record: &VaultRecordV1) -> Result<SigningKey, Error> {
        let way_in = self.unlocked()?.way_in.ok_or(Error::AccessChanged)?;
        signing_key(way_in.signing_seed().ok_or(Error::AccessChanged)?, record)
    }
}

pub(crate) fn issuer(session: &Session) -> Result<(Token, IssuerRole), Error> {
    session.read(|reader| {
        let record = reader.vault_record()?;
        issuer_of(&record, &reader.select(&Policy::everything_of([Kind::Patient]), &record)?.view)
    })
}

/// The name and the role that a vault's excerpts are signed under.
fn issuer_of(record: &VaultRecordV1, view: &View) -> Result<(Token, IssuerRole), Error> {
    let role = match HolderRole::from_number(record.holder_role) {
        Some(HolderRole::Individual) => IssuerRole::Patient,
        _ => IssuerRole::Provider,
    };
    let issuer = match (record.holder_name.as_str(), role, view.subject()) {
        ("", IssuerRole::Patient, Some(subject)) => subject.name.as_str(),
        ("", IssuerRole::Patient, None) => "the patient",
        ("", _, _) => "the holder of this record",
        (holder, _, _) => holder,
    };
    let issuer = Token::new(issuer)
        .map_err(|_| Error::Invalid { what: "the holder's name cannot be an issuer's name" })?;
    Ok((issuer, role))
}

impl ReleaseRequest {
    fn envelope(&self, record: &VaultRecordV1, view: &View) -> Result<EnvelopeRequest, Error> {
        let (issuer, role) = issuer_of(record, view)?;
        let mut envelope = EnvelopeRequest::new(issuer, role, self.recipient.clone(), self.purpose.clone());
        envelope.expires = self.expires;
        Ok(envelope)
    }
}

/// What a policy lets out.
struct Selected {
    view: View,
    /// Where each entry of the vault is.
    compartments: BTreeMap<EntryId, Compartment>,
    /// What was asked for of each compartment that something leaves.
    summaries: BTreeMap<Compartment, String>,
}

impl StateReader<'_> {
    /// What a policy makes of all entries, and where each of them is.
    fn select(&self, policy: &Policy, record: &VaultRecordV1) -> Result<Selected, Error> {
        let entries = self.all_entries()?;
        let compartments: BTreeMap<EntryId, Compartment> =
            entries.iter().map(|(compartment, id, _)| (*id, *compartment)).collect();
        let given = entries.iter().map(|(compartment, id, entry)| Candidate::new(*id, *compartment, entry));
        let given: Vec<Candidate<'_>> = given.collect();
        let files = StoredFiles { reader: self, compartments: &compartments, failure: RefCell::default() };
        let mut view = policy.apply_for(holder_of(record), &given, &files);
        if let Some(failure) = files.failure.into_inner() {
            return Err(failure);
        }
        let imported = || entries.iter().filter(|(_, _, entry)| entry.provenance.origin.is_imported());
        let ids: HashSet<EntryId> = imported().map(|(_, id, _)| *id).collect();
        let hands_out = view.released().iter().any(|entry| ids.contains(&entry.id()));
        if hands_out && !self.imports_are_confirmed()? {
            view = view.refused(SubjectFault::Unnamed);
        }
        view = view.with_perhaps_same(&self.perhaps_same()?);
        // A name that cannot sign is refused where something is to be signed.
        if let Ok((issuer, role)) = issuer_of(record, &view) {
            view = view.signed_as(issuer.as_str(), role);
        }
        let summaries = policy.summaries(&view, &given);
        Ok(Selected { view, compartments, summaries })
    }

    /// Every current entry of the compartments that are open.
    pub(crate) fn all_entries(&self) -> Result<Vec<(Compartment, EntryId, Entry)>, Error> {
        let mut entries = Vec::new();
        self.for_each_batch(|compartment, batch| {
            entries.extend(batch.into_iter().map(|(id, entry)| (compartment, id, entry)));
            Ok(())
        })?;
        Ok(entries)
    }
}

/// The files that entries keep in the vault, read as they are asked for.
struct StoredFiles<'a> {
    reader: &'a StateReader<'a>,
    compartments: &'a BTreeMap<EntryId, Compartment>,
    /// Why one could not be read that is not damaged.
    failure: RefCell<Option<Error>>,
}

impl Files for StoredFiles<'_> {
    fn sha256(&self, entry: EntryId, digest: &ContentDigest) -> Option<Digest> {
        let compartment = *self.compartments.get(&entry)?;
        match self.reader.content_sha256(compartment, digest) {
            Ok(sha256) => Some(sha256),
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            Err(error) => {
                self.failure.replace(Some(error));
                None
            }
        }
    }
}

fn released_by_compartment(
    view: &View,
    compartments: &BTreeMap<EntryId, Compartment>,
) -> BTreeMap<Compartment, Vec<EntryId>> {
    let mut released: BTreeMap<Compartment, Vec<EntryId>> = BTreeMap::new();
    for entry in view.released() {
        if let Some(compartment) = compartments.get(&entry.id()) {
            released.entry(*compartment).or_default().push(entry.id());
        }
    }
    released
}

crate::secret::redacted_debug!(ReleaseRequest);
