//! Verifies SD-JWTs, every MUST of RFC 9901 section 7.1.
//!
//! The signature is checked before anything behind the header is decoded; the
//! claims come out only when every step passed; depth, counts and size are bounded.

use std::collections::{HashMap, HashSet};

use super::{
    ALGORITHM, DIGEST_ALGORITHM, DIGESTS, Disclosure, ELLIPSIS, MAX_DEPTH, MAX_PAYLOAD_BYTES,
    MAX_TEXT_VALUES, MAX_TOKEN_BYTES, MAX_TOKEN_VALUES, SdJwt, SdJwtError, Step, is_reserved,
};
use crate::envelope::ENTRY_TYPE;
use crate::jws::{self, Profile};
use crate::key::PublicKey;
use crate::time::UnixTime;
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, JsonLimits, Object};
use subrosa_base::digest::Digest;

/// Length of a SHA-256 digest in base64url.
const DIGEST_CHARACTERS: usize = 43;

/// What the tokens of one document may cost together.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Disclosures that may still come.
    pub disclosures: usize,
    /// Digests that may still come.
    pub digests: usize,
    /// JSON values in claims, disclosures put in, that may still come. They are held as long
    /// as the document is.
    pub values: usize,
    /// Bytes of the names that lead to disclosures, which are kept for each.
    pub paths: usize,
}

impl Budget {
    /// The budget of one document.
    pub const fn document() -> Self {
        Self { disclosures: 250_000, digests: 500_000, values: 500_000, paths: 64 << 20 }
    }

    fn spend_path(&mut self, path: &[Step]) -> Result<(), SdJwtError> {
        let length = |step: &Step| match step {
            Step::Member(name) => name.len().saturating_add(size_of::<Step>()),
            Step::Item(_) => size_of::<Step>(),
        };
        let too_many = SdJwtError::TooMany { what: "bytes of claim names" };
        let spent = path.iter().map(length).sum();
        self.paths = self.paths.checked_sub(spent).ok_or(too_many)?;
        Ok(())
    }

    fn spend_value(&mut self) -> Result<(), SdJwtError> {
        let too_many = SdJwtError::TooMany { what: "values" };
        self.values = self.values.checked_sub(1).ok_or(too_many)?;
        Ok(())
    }
}

/// What a verifier expects of a token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The key that must have signed.
    pub key: &'a PublicKey,
    /// The exact `typ`, if it must be a certain one.
    pub typ: Option<&'static str>,
    /// Whether the token must be as excerpts are: no header beside {alg, typ, kid}, `kid`
    /// the thumbprint of the key, the signature in its only spelling.
    pub exact: bool,
    /// The time to hold against `exp` and `nbf`.
    pub now: UnixTime,
}

impl<'a> Expected<'a> {
    /// An entry token of an excerpt that this key signed.
    pub fn entry(key: &'a PublicKey, now: UnixTime) -> Self {
        Self { key, typ: Some(ENTRY_TYPE), exact: true, now }
    }
}

/// Verifies a token in compact form and takes it apart, so that its holder may present
/// less of it. The place of each disclosure costs more memory than the token.
pub fn verify_and_take_apart(
    token: &str,
    expected: Expected<'_>,
    budget: &mut Budget,
) -> Result<(Object, SdJwt), SdJwtError> {
    let (jwt, claims, places) = process(token, expected, budget, Some(Vec::new()))?;
    Ok((claims, SdJwt { jwt: jwt.to_owned(), disclosures: places.unwrap_or_default() }))
}

/// Verifies a token in compact form for the sake of its claims.
pub fn verify_claims(token: &str, expected: Expected<'_>, budget: &mut Budget) -> Result<Object, SdJwtError> {
    process(token, expected, budget, None).map(|(_, claims, _)| claims)
}

type Processed<'a> = (&'a str, Object, Option<Vec<Disclosure>>);

fn process<'a>(
    token: &'a str,
    expected: Expected<'_>,
    budget: &mut Budget,
    places: Option<Vec<Disclosure>>,
) -> Result<Processed<'a>, SdJwtError> {
    let (jwt, disclosures) = split(token, budget)?;
    let payload = limits(MAX_PAYLOAD_BYTES);
    let profile = Profile { typ: expected.typ, exact: expected.exact, payload };
    let payload = Json::Object(jws::verify(jwt, expected.key, profile)?);
    check_algorithm(&payload)?;
    let mut processor = Processor::new(&disclosures, budget, places)?;
    let claims = processor.payload(payload)?;
    let places = processor.into_places()?;
    check_time(&claims, expected.now)?;
    Ok((jwt, claims, places))
}

fn split<'a>(token: &'a str, budget: &mut Budget) -> Result<(&'a str, Vec<&'a str>), SdJwtError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(SdJwtError::TooLong { limit: MAX_TOKEN_BYTES });
    }
    let (jwt, rest) = token.split_once('~').ok_or(SdJwtError::NotAnSdJwt)?;
    if rest.is_empty() {
        return Ok((jwt, Vec::new()));
    }
    let disclosures = rest.strip_suffix('~').ok_or(SdJwtError::KeyBindingNotExpected)?;
    let count = 1 + disclosures.bytes().filter(|byte| *byte == b'~').count();
    let too_many = SdJwtError::TooMany { what: "disclosures" };
    budget.disclosures = budget.disclosures.checked_sub(count).ok_or(too_many)?;
    Ok((jwt, disclosures.split('~').collect()))
}

fn check_algorithm(payload: &Json) -> Result<(), SdJwtError> {
    match payload.member(ALGORITHM) {
        None => Ok(()),
        Some(name) if name.as_str() == Some(DIGEST_ALGORITHM) => Ok(()),
        Some(_) => Err(SdJwtError::UnknownDigestAlgorithm),
    }
}

fn check_time(claims: &Object, now: UnixTime) -> Result<(), SdJwtError> {
    // NumericDate may have a fraction (RFC 7519 section 2); whole seconds decide.
    let time = |name: &str| claims.member(name).map(seconds).transpose();
    let now = i128::from(now.as_seconds());
    if time("exp")?.is_some_and(|exp| now >= exp) {
        return Err(SdJwtError::Expired);
    }
    if time("nbf")?.is_some_and(|nbf| now < nbf) {
        return Err(SdJwtError::NotYetValid);
    }
    Ok(())
}

fn seconds(claim: &Json) -> Result<i128, SdJwtError> {
    let text = claim.as_number().ok_or(SdJwtError::MalformedTime)?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if text.contains(['e', 'E']) {
        return Err(SdJwtError::MalformedTime);
    }
    whole.parse().map_err(|_| SdJwtError::MalformedTime)
}

/// What one text of a token may cost before it is refused.
fn limits(bytes: usize) -> JsonLimits {
    JsonLimits { bytes, depth: MAX_DEPTH, values: MAX_TEXT_VALUES }
}

/// What a disclosure holds: a member's name and value, or an item's value.
struct Content {
    name: Option<String>,
    value: Json,
}

impl Content {
    fn parse(encoded: &str) -> Result<Self, SdJwtError> {
        let json = Json::parse(&base64url::decode(encoded)?, limits(MAX_TOKEN_BYTES))?;
        let Json::Array(parts) = json else { return Err(SdJwtError::DisclosureForm) };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Json::String(_)), Some(Json::String(name)), Some(value), None) => {
                Ok(Self { name: Some(name), value })
            }
            (Some(Json::String(_)), Some(value), None, None) => Ok(Self { name: None, value }),
            _ => Err(SdJwtError::DisclosureForm),
        }
    }
}

/// Whether the digest of a disclosure was met.
type IsMet = bool;

/// Puts disclosures in the place of their digests. A disclosure is read when its digest
/// is met, so that nothing is held twice.
struct Processor<'a> {
    encoded: &'a [&'a str],
    by_digest: HashMap<[u8; 32], (usize, IsMet)>,
    /// The digests that were met and that no disclosure has.
    others: HashSet<[u8; 32]>,
    path: Vec<Step>,
    placed: usize,
    /// JSON values that the claims of this token may still hold.
    values: usize,
    /// Where each disclosure belongs, if somebody wants to know.
    places: Option<Vec<Disclosure>>,
    budget: &'a mut Budget,
}

impl<'a> Processor<'a> {
    fn new(
        encoded: &'a [&'a str],
        budget: &'a mut Budget,
        places: Option<Vec<Disclosure>>,
    ) -> Result<Self, SdJwtError> {
        let mut by_digest = HashMap::with_capacity(encoded.len());
        for (index, encoded) in encoded.iter().enumerate() {
            if by_digest.insert(*Digest::of(&[encoded.as_bytes()]).as_bytes(), (index, false)).is_some() {
                return Err(SdJwtError::RepeatedDisclosure);
            }
        }
        let (others, path, values) = (HashSet::new(), Vec::new(), MAX_TOKEN_VALUES);
        Ok(Self { encoded, by_digest, others, path, placed: 0, values, places, budget })
    }

    fn payload(&mut self, payload: Json) -> Result<Object, SdJwtError> {
        let Json::Object(object) = payload else { return Err(SdJwtError::DisclosureForm) };
        let members = object.into_members().into_iter().filter(|(name, _)| name != ALGORITHM).collect();
        self.object(Object::new(members), None)
    }

    fn value(&mut self, value: Json, parent: Option<usize>) -> Result<Json, SdJwtError> {
        if self.path.len() >= MAX_DEPTH {
            return Err(SdJwtError::TooDeep { limit: MAX_DEPTH });
        }
        self.spend_value()?;
        match value {
            Json::Object(object) => self.object(object, parent).map(Json::Object),
            Json::Array(items) => self.array(items, parent),
            scalar => Ok(scalar),
        }
    }

    fn spend_value(&mut self) -> Result<(), SdJwtError> {
        let too_many = SdJwtError::TooMany { what: "values" };
        self.values = self.values.checked_sub(1).ok_or(too_many)?;
        self.budget.spend_value()
    }

    fn step(&mut self, step: Step, value: Json, parent: Option<usize>) -> Result<Json, SdJwtError> {
        self.path.push(step);
        let value = self.value(value, parent)?;
        self.path.pop();
        Ok(value)
    }

    fn object(&mut self, object: Object, parent: Option<usize>) -> Result<Object, SdJwtError> {
        let mut result = Vec::new();
        let mut names = HashSet::new();
        let mut digests = Vec::new();
        for (name, value) in object.into_members() {
            match name.as_str() {
                DIGESTS => digests = digest_texts(value)?,
                ELLIPSIS => return Err(SdJwtError::MalformedEllipsis),
                ALGORITHM => return Err(SdJwtError::MisplacedAlgorithm),
                _ => {
                    names.insert(name.clone());
                    let value = self.step(Step::Member(name.clone()), value, parent)?;
                    result.push((name, value));
                }
            }
        }
        for digest in digests {
            let Some((index, content)) = self.take(digest)? else { continue };
            let name = content.name.ok_or(SdJwtError::DisclosureForm)?;
            if is_reserved(&name) {
                return Err(SdJwtError::ReservedName);
            }
            if !names.insert(name.clone()) {
                return Err(SdJwtError::NameCollision);
            }
            let value = self.disclosed(index, Step::Member(name.clone()), content.value, parent)?;
            result.push((name, value));
        }
        result.shrink_to_fit();
        Ok(Object::new(result))
    }

    fn array(&mut self, items: Vec<Json>, parent: Option<usize>) -> Result<Json, SdJwtError> {
        let mut result = Vec::new();
        for item in items {
            let step = Step::Item(result.len());
            if item.member(ELLIPSIS).is_none() {
                result.push(self.step(step, item, parent)?);
            } else if let Some((index, content)) = self.take(ellipsis_digest(item)?)? {
                if content.name.is_some() {
                    return Err(SdJwtError::DisclosureForm);
                }
                result.push(self.disclosed(index, step, content.value, parent)?);
            }
        }
        result.shrink_to_fit();
        Ok(Json::Array(result))
    }

    /// The disclosure of a digest, if it was sent. Every digest counts, sent or not.
    fn take(&mut self, digest: [u8; 32]) -> Result<Option<(usize, Content)>, SdJwtError> {
        let too_many = SdJwtError::TooMany { what: "digests" };
        self.budget.digests = self.budget.digests.checked_sub(1).ok_or(too_many)?;
        let Some((index, is_met)) = self.by_digest.get_mut(&digest) else {
            let is_new = self.others.insert(digest);
            return if is_new { Ok(None) } else { Err(SdJwtError::RepeatedDigest) };
        };
        if std::mem::replace(is_met, true) {
            return Err(SdJwtError::RepeatedDigest);
        }
        let index = *index;
        let encoded = self.encoded.get(index).copied().unwrap_or_default();
        Ok(Some((index, Content::parse(encoded)?)))
    }

    fn disclosed(
        &mut self,
        index: usize,
        step: Step,
        value: Json,
        parent: Option<usize>,
    ) -> Result<Json, SdJwtError> {
        self.budget.spend_path(&self.path)?;
        let place = self.placed;
        self.placed += 1;
        if let Some(places) = &mut self.places {
            let path = self.path.iter().cloned().chain([step.clone()]).collect();
            let encoded = self.encoded.get(index).copied().unwrap_or_default().to_owned();
            places.push(Disclosure { encoded, path, parent });
        }
        self.step(step, value, Some(place))
    }

    fn into_places(self) -> Result<Option<Vec<Disclosure>>, SdJwtError> {
        if self.placed != self.encoded.len() {
            return Err(SdJwtError::UnreferencedDisclosure);
        }
        Ok(self.places)
    }
}

fn digest_texts(value: Json) -> Result<Vec<[u8; 32]>, SdJwtError> {
    let Json::Array(items) = value else { return Err(SdJwtError::MalformedDigests) };
    items.into_iter().map(|item| digest_text(item).ok_or(SdJwtError::MalformedDigests)).collect()
}

fn ellipsis_digest(item: Json) -> Result<[u8; 32], SdJwtError> {
    let Json::Object(object) = item else { return Err(SdJwtError::MalformedEllipsis) };
    let mut members = object.into_members().into_iter();
    match (members.next(), members.next()) {
        (Some((_, digest)), None) => digest_text(digest).ok_or(SdJwtError::MalformedEllipsis),
        _ => Err(SdJwtError::MalformedEllipsis),
    }
}

fn digest_text(json: Json) -> Option<[u8; 32]> {
    match json {
        Json::String(text) if text.len() == DIGEST_CHARACTERS => base64url::decode_32(&text).ok(),
        _ => None,
    }
}
