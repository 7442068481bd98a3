//! The envelope of an excerpt: who gives what to whom and why, and the digests
//! that bind every entry token exactly as it was presented.
//!
//! It says nothing that depends on entries that do not leave.

use crate::audience::Audience;
use crate::jws::Profile;
use crate::members::{Malformed, bounded, is_text, only_members, text};
use crate::subject::SaltedSubject;
use crate::time::UnixTime;
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, JsonLimits, Object};
use subrosa_base::digest::Digest;
use subrosa_base::id::ExcerptId;

/// The sentence that every excerpt carries, whatever was withheld.
pub const STATEMENT: &str = "This is a selection; other records may or may not exist.";

/// The `typ` header of envelopes.
pub const ENVELOPE_TYPE: &str = "subrosa-excerpt+jwt";
/// The `typ` header of entry tokens.
pub const ENTRY_TYPE: &str = "subrosa-entry+sd-jwt";
/// The version of the excerpt format.
pub const VERSION: &str = "1";
/// Most entries in an excerpt.
pub const MAX_ENTRIES: usize = 20_000;
/// Most fields in an entry, shown or withheld.
pub const MAX_FIELDS: usize = 256;
/// Most sentences that an issuer adds.
pub const MAX_NOTICES: usize = 1_000;
/// Most kinds, codes or masks that a policy names.
pub const MAX_NAMED: usize = 10_000;
/// What a mask may do with a field.
const MASKS: [&str; 3] = ["keep", "withhold", "year"];

/// What a verifier demands of an envelope's token.
pub const ENVELOPE_PROFILE: Profile = Profile {
    typ: Some(ENVELOPE_TYPE),
    exact: true,
    payload: JsonLimits { bytes: 8 << 20, depth: 8, values: 250_000 },
};

/// In what role an issuer signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssuerRole {
    /// The patient signs: the excerpt is unchanged since, and no clinic vouches for it.
    Patient,
    /// A clinic or another provider signs.
    Provider,
}

impl IssuerRole {
    /// A stable name for machines: `patient` or `provider`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Provider => "provider",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Patient, Self::Provider].into_iter().find(|role| role.name() == name)
    }
}

/// The claims of an envelope.
#[derive(Clone)]
pub struct Envelope {
    pub id: ExcerptId,
    pub issued: UnixTime,
    pub expires: Option<UnixTime>,
    pub issuer: String,
    pub role: IssuerRole,
    pub recipient: String,
    pub purpose: String,
    pub subject: Option<SaltedSubject>,
    pub policy: Object,
    pub notices: Vec<String>,
    pub entries: Vec<Binding>,
}

/// What the envelope says of one entry token.
#[derive(Clone)]
pub struct Binding {
    /// SHA-256 of the whole token as presented.
    pub digest: Digest,
    /// The fields that a black bar stands for.
    pub withheld: Vec<String>,
    /// The mark that all entries bear which may be one record.
    pub perhaps_same: Option<usize>,
}

const MEMBERS: [&str; 12] = [
    "version",
    "jti",
    "iat",
    "exp",
    "issuer",
    "recipient",
    "purpose",
    "subject",
    "statement",
    "policy",
    "notices",
    "entries",
];

impl Envelope {
    /// The payload of the envelope's token.
    pub fn encode(&self) -> Object {
        let mut payload = Object::default();
        payload.push("version", Json::Number(VERSION.to_owned()));
        payload.push("jti", Json::string(base64url::encode(self.id.as_bytes())));
        payload.push("iat", self.issued.to_json());
        if let Some(expires) = self.expires {
            payload.push("exp", expires.to_json());
        }
        let issuer = [("name", Some(self.issuer.as_str())), ("role", Some(self.role.name()))];
        payload.push("issuer", texts(&issuer));
        payload.push("recipient", Json::string(self.recipient.as_str()));
        payload.push("purpose", Json::string(self.purpose.as_str()));
        if let Some(subject) = &self.subject {
            payload.push("subject", subject.encode());
        }
        payload.push("statement", Json::string(STATEMENT));
        payload.push("policy", Json::Object(self.policy.clone()));
        payload.push("notices", list(&self.notices));
        payload.push("entries", Json::Array(self.entries.iter().map(Binding::encode).collect()));
        payload
    }

    /// Reads the payload of an envelope's token that verified.
    pub fn decode(payload: &Object) -> Result<Self, Malformed> {
        only_members(payload, &MEMBERS, "an unknown member")?;
        if payload.member("version").and_then(Json::as_number) != Some(VERSION) {
            return Err(Malformed("version"));
        }
        if payload.member("statement").and_then(Json::as_str) != Some(STATEMENT) {
            return Err(Malformed("statement"));
        }
        let issuer = object(payload, "issuer")?;
        only_members(issuer, &["name", "role"], "issuer")?;
        let role = text(issuer, "role").ok().and_then(|role| IssuerRole::from_name(&role));
        Ok(Self {
            id: id(payload)?,
            issued: time(payload, "iat")?.ok_or(Malformed("iat"))?,
            expires: time(payload, "exp")?,
            issuer: text(issuer, "name").map_err(|_| Malformed("issuer"))?,
            role: role.ok_or(Malformed("issuer"))?,
            recipient: text(payload, "recipient")?,
            purpose: text(payload, "purpose")?,
            subject: Some(SaltedSubject::decode(payload.member("subject").ok_or(Malformed("subject"))?)?),
            policy: policy(object(payload, "policy")?)?,
            notices: strings(payload, "notices", MAX_NOTICES)?,
            entries: entries(payload)?,
        })
    }
}

impl Binding {
    /// Binds a token.
    pub fn of(token: &str, withheld: &[&str]) -> Self {
        let withheld = withheld.iter().map(|field| (*field).to_owned()).collect();
        Self { digest: Digest::of(&[token.as_bytes()]), withheld, perhaps_same: None }
    }

    fn encode(&self) -> Json {
        let digest = Json::string(base64url::encode(self.digest.as_bytes()));
        let mut binding = vec![("sha-256".to_owned(), digest), ("withheld".to_owned(), list(&self.withheld))];
        let mark = self.perhaps_same.map(|mark| Json::Number(mark.to_string()));
        binding.extend(mark.map(|mark| ("perhaps_same".to_owned(), mark)));
        Json::Object(Object::new(binding))
    }

    fn decode(json: &Json) -> Result<Self, Malformed> {
        let object = json.as_object().ok_or(Malformed("entries"))?;
        only_members(object, &["sha-256", "withheld", "perhaps_same"], "entries")?;
        let digest = object.member("sha-256").and_then(Json::as_str).map(base64url::decode_32);
        let Some(Ok(digest)) = digest else { return Err(Malformed("entries")) };
        let withheld = strings(object, "withheld", MAX_FIELDS).map_err(|_| Malformed("entries"))?;
        let perhaps_same =
            object.member("perhaps_same").map(|mark| mark_of(mark).ok_or(Malformed("entries")));
        Ok(Self { digest: Digest::from_bytes(digest), withheld, perhaps_same: perhaps_same.transpose()? })
    }
}

fn texts(members: &[(&str, Option<&str>)]) -> Json {
    let texts = members.iter().filter_map(|(name, text)| Some(((*name).to_owned(), Json::string((*text)?))));
    Json::Object(Object::new(texts.collect()))
}

fn list(texts: &[String]) -> Json {
    Json::Array(texts.iter().map(|text| Json::string(text.as_str())).collect())
}

fn object<'a>(payload: &'a Object, name: &'static str) -> Result<&'a Object, Malformed> {
    payload.member(name).and_then(Json::as_object).ok_or(Malformed(name))
}

fn strings(payload: &Object, name: &'static str, most: usize) -> Result<Vec<String>, Malformed> {
    let items = payload.member(name).and_then(Json::as_array).filter(|items| items.len() <= most);
    let items = items.ok_or(Malformed(name))?;
    items.iter().map(|item| bounded(Some(item)).ok_or(Malformed(name))).collect()
}

fn time(payload: &Object, name: &'static str) -> Result<Option<UnixTime>, Malformed> {
    payload.member(name).map(|time| UnixTime::from_json(time).ok_or(Malformed(name))).transpose()
}

fn id(payload: &Object) -> Result<ExcerptId, Malformed> {
    let text = payload.member("jti").and_then(Json::as_str).ok_or(Malformed("jti"))?;
    let bytes = base64url::decode(text).map_err(|_| Malformed("jti"))?;
    bytes.try_into().map(ExcerptId::from_bytes).map_err(|_| Malformed("jti"))
}

fn policy(policy: &Object) -> Result<Object, Malformed> {
    let is_text = |json: &Json| bounded(Some(json)).is_some();
    let is_mask = |(field, mask): &(String, Json)| {
        self::is_text(field) && mask.as_str().is_some_and(|mask| MASKS.contains(&mask))
    };
    let is_right = |(name, value): &(String, Json)| match name.as_str() {
        "kinds" | "codes" => {
            value.as_array().is_some_and(|items| items.len() <= MAX_NAMED && items.iter().all(is_text))
        }
        "since" | "until" => is_text(value),
        "masks" => value
            .as_object()
            .map(Object::members)
            .is_some_and(|masks| masks.len() <= MAX_NAMED && masks.iter().all(is_mask)),
        "audience" => value.as_str().and_then(Audience::from_name).is_some(),
        "single_entries" => value.as_bool().is_some(),
        _ => false,
    };
    if policy.members().iter().all(is_right) { Ok(policy.clone()) } else { Err(Malformed("policy")) }
}

fn entries(payload: &Object) -> Result<Vec<Binding>, Malformed> {
    let entries = payload.member("entries").and_then(Json::as_array).ok_or(Malformed("entries"))?;
    if entries.len() > MAX_ENTRIES {
        return Err(Malformed("entries"));
    }
    let entries: Vec<Binding> = entries.iter().map(Binding::decode).collect::<Result<_, _>>()?;
    if are_right(&entries) { Ok(entries) } else { Err(Malformed("entries")) }
}

/// A mark: a number from 1 as its only spelling has it.
fn mark_of(json: &Json) -> Option<usize> {
    let text = json.as_number()?;
    text.parse().ok().filter(|mark: &usize| *mark >= 1 && mark.to_string() == text)
}

/// Whether the marks count up from 1 in the order in which they come first, and each stands
/// at two entries or more: there is one way to write them, and none tells of what stays.
fn are_right(entries: &[Binding]) -> bool {
    let mut counts: Vec<usize> = Vec::new();
    for mark in entries.iter().filter_map(|entry| entry.perhaps_same) {
        let known = counts.len();
        match counts.get_mut(mark - 1) {
            Some(count) => *count += 1,
            None if mark == known + 1 => counts.push(1),
            None => return false,
        }
    }
    counts.iter().all(|count| *count > 1)
}

subrosa_base::redacted_debug!(Envelope, Binding);
