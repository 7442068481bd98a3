//! Releasing: a preview that changes nothing, and a release whose line in the
//! ledger is durable before the excerpt is handed out.

use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use super::audit::ReadKind;
use super::core::View as Snapshot;
use super::ledger::{Action, Detail, Line};
use super::options::{Actor, HolderRole};
use super::{Vault, trace};
use crate::crypto::digest::Digest;
use crate::crypto::random::Randomness;
use crate::crypto::signature::{SignatureAlgorithm, SigningKey};
use crate::error::Error;
use crate::excerpt::{EnvelopeRequest, Excerpt, IssuerRole, ProvenSigner, PublicKey, Signer};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::custody::VaultRecordV1;
use crate::record::{Entry, Kind, Origin, Token};
use crate::release::{Policy, SubjectFault, View};

/// What is to be released to whom and why.
pub struct ReleaseRequest {
    recipient: Token,
    purpose: Token,
    policy: Policy,
    expires: Option<SystemTime>,
    previewed: Option<Digest>,
}

impl ReleaseRequest {
    /// A release of what `policy` allows.
    #[must_use]
    pub fn new(recipient: Token, purpose: Token, policy: Policy) -> Self {
        Self { recipient, purpose, policy, expires: None, previewed: None }
    }

    /// The same release, no longer valid from then on.
    #[must_use]
    pub fn expiring(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The same release of exactly what this preview shows a recipient: if the vault
    /// was changed since so that anything else would leave, nothing does.
    #[must_use]
    pub fn as_previewed(mut self, view: &View) -> Self {
        self.previewed = Some(view.digest());
        self
    }

    /// What is allowed.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Vault {
    /// What a policy would release, and what it would withhold and why. For the
    /// owner's eyes; nothing is written.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn preview(&self, policy: &Policy) -> Result<View, Error> {
        let (view, _) = self.read(|view| view.select(policy, &view.vault_record()?))?;
        self.tell(ReadKind::Previewed, None, view.released().iter().map(|entry| entry.id()).collect());
        Ok(view)
    }

    /// Releases what a policy allows as a signed excerpt. When this returns, the
    /// ledger says so durably.
    ///
    /// # Errors
    /// [`Error::NothingToRelease`] when the policy lets nothing out,
    /// [`Error::NotAsPreviewed`] when something else would leave than was previewed,
    /// [`Error::Issue`] when the excerpt cannot be made, and as [`Vault::update`].
    pub fn release(&self, actor: &Actor, request: &ReleaseRequest) -> Result<Excerpt, Error> {
        self.release_signed_by(None, actor, request)
    }

    /// Releases what a policy allows, signed with a key that is kept elsewhere. The
    /// vault's own key has no part in it, and [`Vault::public_key`] does not name it;
    /// the ledger does.
    ///
    /// Each signature is verified before anything is written; a signer that fails
    /// or signs wrongly leaves no trace. Other writers wait while it signs, and it
    /// signs again if the vault has changed before the commit.
    ///
    /// # Errors
    /// [`Error::Issue`] with [`IssueExcerptError::Signer`](crate::IssueExcerptError::Signer)
    /// when the signer fails or its signature does not verify, and as [`Vault::release`].
    pub fn release_with(
        &self,
        signer: &dyn Signer,
        actor: &Actor,
        request: &ReleaseRequest,
    ) -> Result<Excerpt, Error> {
        self.release_signed_by(Some(&ProvenSigner::of(signer)), actor, request)
    }

    fn release_signed_by(
        &self,
        signer: Option<&ProvenSigner<'_>>,
        actor: &Actor,
        request: &ReleaseRequest,
    ) -> Result<Excerpt, Error> {
        let (excerpt, released) = trace::operation("release", self.id, || {
            let (excerpt, released) = self.release_now(signer, actor, request)?;
            trace::event!("released", entries = released.len());
            Ok((excerpt, released))
        })?;
        self.tell(ReadKind::Released, Some(actor), released);
        Ok(excerpt)
    }

    fn release_now(
        &self,
        signer: Option<&ProvenSigner<'_>>,
        actor: &Actor,
        request: &ReleaseRequest,
    ) -> Result<(Excerpt, Vec<EntryId>), Error> {
        let now = (self.options.clock)();
        let committed = self.update(actor, |tx| {
            // Chosen on the state that the commit starts from, under the writer's lock.
            let record = tx.view().vault_record()?;
            let (view, compartments) = tx.view().select(&request.policy, &record)?;
            if request.previewed.as_ref().is_some_and(|previewed| *previewed != view.digest()) {
                return Err(Error::NotAsPreviewed);
            }
            if view.released().is_empty() {
                return Err(Error::NothingToRelease);
            }
            let own;
            let key: &dyn Signer = match signer {
                Some(signer) => signer,
                None => {
                    own = signing_key(&record)?;
                    &own
                }
            };
            let envelope = request.envelope(&record, &view)?;
            let excerpt = Excerpt::issue(&view, &envelope, key, &mut Randomness::from_system(), now)?;
            let policy = view.summary_text();
            for (compartment, ids) in released_by_compartment(&view, &compartments) {
                let mut line = Line::about(Action::Released, actor, None, ids)
                    .with(Detail::Recipient, request.recipient.as_str())
                    .with(Detail::Purpose, request.purpose.as_str())
                    .with(Detail::Policy, &policy)
                    .with(Detail::Excerpt, &excerpt.id().to_string());
                if let Some(signer) = signer {
                    line = line.with(Detail::Signer, &signer.public_key().fingerprint().to_string());
                }
                tx.log(compartment, line);
            }
            Ok((excerpt, view.released().iter().map(|entry| entry.id()).collect()))
        })?;
        Ok(committed.value)
    }

    /// The key that this vault's excerpts are verified with, but for those that
    /// [`Vault::release_with`] made.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        let record = self.read(|view| view.vault_record())?;
        Ok(PublicKey::of(&signing_key(&record)?))
    }

    /// The name and the role that this vault's excerpts are signed under: what those who
    /// trust its key have to trust it for.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`], [`Error::Invalid`] when the holder's name
    /// is not one line.
    pub fn issuer(&self) -> Result<(Token, IssuerRole), Error> {
        self.read(|view| {
            let record = view.vault_record()?;
            issuer(&record, &view.select(&Policy::everything_of([Kind::Patient]), &record)?.0)
        })
    }
}

/// The name and the role that a vault's excerpts are signed under.
fn issuer(record: &VaultRecordV1, view: &View) -> Result<(Token, IssuerRole), Error> {
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
        let (issuer, role) = issuer(record, view)?;
        let mut envelope = EnvelopeRequest::new(issuer, role, self.recipient.clone(), self.purpose.clone());
        envelope.expires = self.expires;
        Ok(envelope)
    }
}

/// Whom a vault is named after, if it is an individual's.
pub(super) fn holder_of(record: &VaultRecordV1) -> Option<&str> {
    let is_individual = HolderRole::from_number(record.holder_role) == Some(HolderRole::Individual);
    Some(record.holder_name.as_str()).filter(|name| is_individual && !name.is_empty())
}

impl Snapshot<'_> {
    /// What a policy makes of all entries, and where each of them is.
    fn select(
        &self,
        policy: &Policy,
        record: &VaultRecordV1,
    ) -> Result<(View, BTreeMap<EntryId, Compartment>), Error> {
        let entries = self.all_entries()?;
        let compartments = entries.iter().map(|(compartment, id, _)| (*id, *compartment)).collect();
        let given: Vec<(EntryId, &Entry)> = entries.iter().map(|(_, id, entry)| (*id, entry)).collect();
        let mut view = policy.apply_for(holder_of(record), &given);
        let imported = || entries.iter().filter(|(_, _, entry)| entry.provenance.origin == Origin::Imported);
        let ids: HashSet<EntryId> = imported().map(|(_, id, _)| *id).collect();
        let is_described = imported().any(|(_, _, entry)| entry.kind() == Kind::Patient);
        let hands_out = view.released().iter().any(|entry| ids.contains(&entry.id()));
        if hands_out && !self.imports_are_of_one(is_described)? {
            view = view.refused(SubjectFault::Unnamed);
        }
        Ok((view, compartments))
    }

    /// Every current entry of the compartments that are open.
    pub(super) fn all_entries(&self) -> Result<Vec<(Compartment, EntryId, Entry)>, Error> {
        let mut entries = Vec::new();
        self.for_each_batch(|compartment, batch| {
            entries.extend(batch.into_iter().map(|(id, entry)| (compartment, id, entry)));
            Ok(())
        })?;
        Ok(entries)
    }
}

/// The algorithms; an algorithm's number in the format is its position, from 1.
const ALGORITHMS: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519];

/// An algorithm's number in the vault record.
pub(super) fn algorithm_number(algorithm: SignatureAlgorithm) -> u16 {
    (1..).zip(ALGORITHMS).find(|(_, known)| *known == algorithm).map_or(0, |(number, _)| number)
}

fn signing_key(record: &VaultRecordV1) -> Result<SigningKey, Error> {
    let damaged = Error::Damaged { what: "signing key" };
    let number = usize::from(record.signing_algorithm);
    let Some(algorithm) = number.checked_sub(1).and_then(|index| ALGORITHMS.get(index)) else {
        return Err(damaged);
    };
    SigningKey::from_secret(*algorithm, &record.signing_key.to_secret()).map_err(|_| damaged)
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
