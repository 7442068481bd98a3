//! Releasing: a preview that changes nothing, and a release whose line in the
//! ledger is durable before the excerpt is handed out.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::Vault;
use super::core::View as Snapshot;
use super::ledger::{Action, Detail, Line};
use super::options::{Actor, HolderRole};
use crate::crypto::random::Randomness;
use crate::crypto::signature::Es256SigningKey;
use crate::error::Error;
use crate::excerpt::{EnvelopeRequest, Excerpt, IssuerRole, PublicKey};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::custody::VaultRecordV1;
use crate::payload::secret::SecretV1;
use crate::record::{Entry, Token};
use crate::release::{Policy, View};

/// What is to be released to whom and why.
pub struct ReleaseRequest {
    recipient: Token,
    purpose: Token,
    policy: Policy,
    expires: Option<SystemTime>,
}

impl ReleaseRequest {
    /// A release of what `policy` allows.
    #[must_use]
    pub fn new(recipient: Token, purpose: Token, policy: Policy) -> Self {
        Self { recipient, purpose, policy, expires: None }
    }

    /// The same release, no longer valid from then on.
    #[must_use]
    pub fn expiring(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
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
        Ok(self.read(|view| view.select(policy))?.0)
    }

    /// Releases what a policy allows as a signed excerpt. When this returns, the
    /// ledger says so durably.
    ///
    /// # Errors
    /// [`Error::NothingToRelease`] when the policy lets nothing out,
    /// [`Error::Issue`] when the excerpt cannot be made, and as [`Vault::update`].
    pub fn release(&self, actor: &Actor, request: &ReleaseRequest) -> Result<Excerpt, Error> {
        let now = (self.options.clock)();
        let committed = self.update(actor, |tx| {
            // Chosen on the state that the commit starts from, under the writer's lock.
            let (view, compartments) = tx.view().select(&request.policy)?;
            if view.released().is_empty() {
                return Err(Error::NothingToRelease);
            }
            let record = tx.view().vault_record()?;
            let key = signing_key(&record.signing_key)?;
            let envelope = request.envelope(&record, &view)?;
            let excerpt = Excerpt::issue(&view, &envelope, &key, &mut Randomness::from_system(), now)?;
            let policy = view.summary_text();
            for (compartment, ids) in released_by_compartment(&view, &compartments) {
                let line = Line::about(Action::Released, actor, None, ids)
                    .with(Detail::Recipient, request.recipient.as_str())
                    .with(Detail::Purpose, request.purpose.as_str())
                    .with(Detail::Policy, &policy)
                    .with(Detail::Excerpt, &excerpt.id().to_string());
                tx.log(compartment, line);
            }
            Ok(excerpt)
        })?;
        Ok(committed.value)
    }

    /// The key that this vault's excerpts are verified with.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        let record = self.read(|view| view.vault_record())?;
        Ok(PublicKey::of(&signing_key(&record.signing_key)?))
    }
}

impl ReleaseRequest {
    fn envelope(&self, record: &VaultRecordV1, view: &View) -> Result<EnvelopeRequest, Error> {
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
        let mut envelope = EnvelopeRequest::new(issuer, role, self.recipient.clone(), self.purpose.clone());
        envelope.expires = self.expires;
        Ok(envelope)
    }
}

impl Snapshot<'_> {
    /// What a policy makes of all entries, and where each of them is.
    fn select(&self, policy: &Policy) -> Result<(View, BTreeMap<EntryId, Compartment>), Error> {
        let entries = self.all_entries()?;
        let compartments = entries.iter().map(|(compartment, id, _)| (*id, *compartment)).collect();
        let given: Vec<(EntryId, &Entry)> = entries.iter().map(|(_, id, entry)| (*id, entry)).collect();
        Ok((policy.apply(&given), compartments))
    }

    /// Every current entry of the compartments that are open.
    pub(super) fn all_entries(&self) -> Result<Vec<(Compartment, EntryId, Entry)>, Error> {
        let mut entries = Vec::new();
        self.for_each_entry(|compartment, id, entry| {
            entries.push((compartment, id, entry));
            Ok(())
        })?;
        Ok(entries)
    }
}

fn signing_key(scalar: &SecretV1) -> Result<Es256SigningKey, Error> {
    Es256SigningKey::from_secret(&scalar.to_secret()).map_err(|_| Error::Damaged { what: "signing key" })
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
