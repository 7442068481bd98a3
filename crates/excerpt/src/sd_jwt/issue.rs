//! Issues SD-JWTs: a salted digest for each claim that can be withheld, and
//! decoys, so that the number of digests and their order tell nothing.
//!
//! Every salt is fresh: two tokens of the same claims share no salt and no digest.

use thiserror::Error;

use super::{ALGORITHM, DIGEST_ALGORITHM, DIGESTS, Disclosure, ELLIPSIS, SdJwt, Step, is_reserved};
use crate::claims::{Claim, ClaimValue, Visibility};
use crate::jws;
use crate::salts::{NoSalts, Salts, drawn};
use crate::signer::{Signer, SignerError};
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::digest::Digest;

/// Fewest digests in an object or array that can hide anything.
const MIN_DIGESTS: usize = 4;

/// Why a token was not issued.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// No salt could be drawn.
    #[error(transparent)]
    Salts(#[from] NoSalts),
    /// The signer gave no signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A claim has a name that SD-JWT keeps for itself.
    #[error("a claim has a name that is reserved")]
    ReservedName,
}

/// A token, and which of its disclosures the claims ask to release.
pub struct Issued {
    token: SdJwt,
    released: Vec<bool>,
}

impl Issued {
    /// The compact form with exactly the claims that are released. A claim
    /// inside a withheld one stays withheld.
    pub fn present_released(&self) -> String {
        let mut open: Vec<bool> = Vec::new();
        for (disclosure, released) in self.token.disclosures.iter().zip(&self.released) {
            let reached = disclosure.parent.is_none_or(|parent| open.get(parent) == Some(&true));
            open.push(*released && reached);
        }
        self.token.compact(open)
    }
}

/// Signs `claims` with the header {alg, typ, kid}.
pub fn issue(
    typ: &str,
    claims: &[(String, Claim)],
    signer: &dyn Signer,
    salts: &mut dyn Salts,
) -> Result<Issued, IssueError> {
    let mut issuer = Issuer { salts, disclosures: Vec::new(), released: Vec::new() };
    let mut payload = issuer.object(claims, &[], None)?;
    payload.push(ALGORITHM, Json::string(DIGEST_ALGORITHM));
    let Issuer { disclosures, released, .. } = issuer;
    let jwt = jws::sign(typ, &payload, signer)?;
    Ok(Issued { token: SdJwt { jwt, disclosures }, released })
}

struct Issuer<'a> {
    salts: &'a mut dyn Salts,
    disclosures: Vec<Disclosure>,
    released: Vec<bool>,
}

impl Issuer<'_> {
    fn value(
        &mut self,
        value: &ClaimValue,
        path: &[Step],
        parent: Option<usize>,
    ) -> Result<Json, IssueError> {
        match value {
            ClaimValue::Whole(json) if has_reserved_name(json) => Err(IssueError::ReservedName),
            ClaimValue::Whole(json) => Ok(json.clone()),
            ClaimValue::Object(members) => self.object(members, path, parent).map(Json::Object),
            ClaimValue::Array(items) => self.array(items, path, parent),
        }
    }

    fn object(
        &mut self,
        members: &[(String, Claim)],
        path: &[Step],
        parent: Option<usize>,
    ) -> Result<Object, IssueError> {
        let mut object = Object::default();
        let mut digests = Vec::new();
        for (name, claim) in members {
            if is_reserved(name) {
                return Err(IssueError::ReservedName);
            }
            let path = extended(path, Step::Member(name.clone()));
            match claim.visibility {
                Visibility::Always => object.push(name.clone(), self.value(&claim.value, &path, parent)?),
                _ => digests.push(self.disclosable(Some(name), claim, path, parent)?),
            }
        }
        if !digests.is_empty() || members.is_empty() {
            self.pad(&mut digests)?;
            // Sorted, as section 4.2.4.1 advises: digests are random, so their order is.
            digests.sort_unstable();
            object.push(DIGESTS, Json::Array(digests.into_iter().map(Json::String).collect()));
        }
        Ok(object)
    }

    fn array(&mut self, items: &[Claim], path: &[Step], parent: Option<usize>) -> Result<Json, IssueError> {
        let mut array = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = extended(path, Step::Item(index));
            array.push(match item.visibility {
                Visibility::Always => self.value(&item.value, &path, parent)?,
                _ => ellipsis(self.disclosable(None, item, path, parent)?),
            });
        }
        let hides = items.is_empty() || items.iter().any(|item| item.visibility != Visibility::Always);
        let array = if hides { self.mixed_with_decoys(array)? } else { array };
        Ok(Json::Array(array))
    }

    /// The items in their order with decoys between them, so that a gap may be a decoy
    /// too: every choice of places is as likely as any other.
    fn mixed_with_decoys(&mut self, items: Vec<Json>) -> Result<Vec<Json>, NoSalts> {
        let places = padded(items.len());
        let mut items = items.into_iter();
        let mut mixed = Vec::with_capacity(places);
        for left in (1..=places).rev() {
            let item = if self.below(left)? < items.len() { items.next() } else { None };
            mixed.push(item.map_or_else(|| self.decoy().map(ellipsis), Ok)?);
        }
        Ok(mixed)
    }

    /// Makes the disclosure of a claim and yields its digest.
    fn disclosable(
        &mut self,
        name: Option<&str>,
        claim: &Claim,
        path: Vec<Step>,
        parent: Option<usize>,
    ) -> Result<String, IssueError> {
        let index = self.disclosures.len();
        let salt = base64url::encode(&drawn::<16>(self.salts)?);
        self.disclosures.push(Disclosure { encoded: String::new(), path: path.clone(), parent });
        self.released.push(claim.visibility == Visibility::Disclosed);
        let value = self.value(&claim.value, &path, Some(index))?;
        let parts = [Some(Json::String(salt)), name.map(Json::string), Some(value)];
        let text = Json::Array(parts.into_iter().flatten().collect()).to_text();
        let encoded = base64url::encode(text.as_bytes());
        let digest = digest(&encoded);
        if let Some(disclosure) = self.disclosures.get_mut(index) {
            disclosure.encoded = encoded;
        }
        Ok(digest)
    }

    fn pad(&mut self, digests: &mut Vec<String>) -> Result<(), IssueError> {
        let padded = padded(digests.len());
        while digests.len() < padded {
            digests.push(self.decoy()?);
        }
        Ok(())
    }

    /// A digest of nothing (RFC 9901 section 4.2.5).
    fn decoy(&mut self) -> Result<String, NoSalts> {
        let random = drawn::<32>(self.salts)?;
        Ok(base64url::encode(Digest::of(&[&random]).as_bytes()))
    }

    /// A random number below `bound`, without a bias that could be noticed.
    fn below(&mut self, bound: usize) -> Result<usize, NoSalts> {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        let drawn = u64::from_le_bytes(drawn(self.salts)?);
        Ok(usize::try_from(drawn % bound).unwrap_or(0))
    }
}

/// The digest of a disclosure, as tokens hold it (RFC 9901 section 4.2.3).
pub(super) fn digest(encoded: &str) -> String {
    base64url::encode(Digest::of(&[encoded.as_bytes()]).as_bytes())
}

fn padded(count: usize) -> usize {
    count.next_power_of_two().max(MIN_DIGESTS)
}

fn ellipsis(digest: String) -> Json {
    Json::Object(Object::new(vec![(ELLIPSIS.to_owned(), Json::String(digest))]))
}

fn extended(path: &[Step], step: Step) -> Vec<Step> {
    path.iter().cloned().chain([step]).collect()
}

fn has_reserved_name(json: &Json) -> bool {
    match json {
        Json::Object(object) => {
            object.members().iter().any(|(name, value)| is_reserved(name) || has_reserved_name(value))
        }
        Json::Array(items) => items.iter().any(has_reserved_name),
        _ => false,
    }
}

subrosa_base::redacted_debug!(Issued);
