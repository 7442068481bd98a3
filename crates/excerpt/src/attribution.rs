//! Who signed, in sentences: every program that verifies says the same.
//!
//! An unknown signer only claims a name, so no sentence states it as a fact. Names
//! are spelt and quoted, so none reads as a verdict.

use crate::envelope::{Envelope, IssuerRole};
use crate::subject::Subject;
use crate::trust::{Trust, comparable};
use crate::verified::VerifiedExcerpt;
use subrosa_base::codec::spell::spell;

/// What people are addressed by; it is no part of a name that differs.
const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir"];

impl VerifiedExcerpt {
    /// Who signed, as far as it is known, in whole sentences: what the signature is
    /// worth, whether a clinic vouches for it, and whether the patient who signed has
    /// another name than the patient of the records.
    #[must_use]
    pub fn who_signed(&self) -> Vec<String> {
        let envelope = &self.contents.envelope;
        let signer = named(&envelope.issuer, envelope.role);
        let is_known = self.trust != Trust::Unknown && self.trust != Trust::NoneOfTheGiven;
        let mut sentences = by_trust(self.trust, &signer);
        sentences.push(of_role(envelope.role, is_known).to_owned());
        sentences.extend(differing_names(envelope));
        sentences
    }

    /// Whether it is signed in the role of the patient, under another name than that of
    /// the patient whom the records are about. Titles such as `Dr.` do not count.
    #[must_use]
    pub fn names_differ(&self) -> bool {
        differing_names(&self.contents.envelope).is_some()
    }
}

/// The same before anything is signed, for whoever is about to sign.
#[must_use]
pub fn who_will_sign(issuer: &str, role: IssuerRole, subject: Option<&Subject>) -> Vec<String> {
    let mut sentences = vec![format!("Signed by {}.", named(issuer, role)), of_role(role, true).to_owned()];
    sentences.extend(subject.and_then(|subject| differing(issuer, role, &subject.name)));
    sentences
}

fn named(issuer: &str, role: IssuerRole) -> String {
    format!("{} ({})", quoted(issuer), role.name())
}

fn by_trust(trust: Trust, signer: &str) -> Vec<String> {
    let claimed = format!("CLAIMS to be signed by {signer}.");
    let unchecked = "That is not checked: anybody can write any name.".to_owned();
    match trust {
        Trust::Trusted => vec![format!("Signed by {signer}, with a key that you trust under this name.")],
        Trust::AnyName => vec![
            format!("Signed as {signer}, with a key that you trust under every name."),
            "Its owner chose that name; nobody checked it.".to_owned(),
        ],
        Trust::Differs { name, role } => vec![
            format!("DO NOT RELY ON IT: signed as {signer}, with a key that you know."),
            match (name, role) {
                (true, false) => "You trust that key under another NAME, in the same role.",
                (false, true) => "You trust that key under the same name, in another ROLE.",
                _ => "You trust that key under another NAME and in another ROLE.",
            }
            .to_owned(),
        ],
        Trust::Unknown => vec![claimed, unchecked],
        Trust::NoneOfTheGiven => vec![
            claimed,
            unchecked,
            "None of the keys that you gave signed this file. If it claims to come from one of their owners, \
             treat it as forged."
                .to_owned(),
        ],
    }
}

fn of_role(role: IssuerRole, is_known: bool) -> &'static str {
    match (role, is_known) {
        (IssuerRole::Patient, true) => {
            "Signed as the patient, not as a clinic: nobody else vouches for what it says."
        }
        (IssuerRole::Patient, false) => {
            "It does not even claim to come from a clinic: nobody else vouches for what it says."
        }
        (IssuerRole::Provider, true) => "Signed as a clinic or another provider.",
        (IssuerRole::Provider, false) => "It claims to come from a clinic or another provider.",
    }
}

/// The sentence that says so where a patient signs and the records' patient has another
/// name.
pub(super) fn differing_names(envelope: &Envelope) -> Option<String> {
    let subject = &envelope.subject.as_ref()?.subject;
    differing(&envelope.issuer, envelope.role, &subject.name)
}

fn differing(issuer: &str, role: IssuerRole, subject: &str) -> Option<String> {
    (role == IssuerRole::Patient && !is_one_name(issuer, subject)).then(|| {
        format!(
            "Signed under the name {}, as the patient; the records are about {}: the names differ.",
            quoted(issuer),
            quoted(subject)
        )
    })
}

/// Whether both are one name; case and titles do not count.
#[must_use]
pub fn is_one_name(one: &str, other: &str) -> bool {
    untitled(one) == untitled(other)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", spell(name).replace('"', "'"))
}

fn untitled(name: &str) -> String {
    let name = comparable(name);
    let mut words = name.split(' ').peekable();
    while words.next_if(|word| TITLES.contains(&word.trim_end_matches('.'))).is_some() {}
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_case_make_no_other_name() {
        for (one, other) in [("Omar Abernathy", "Mr. Omar  ABERNATHY"), ("Dr. Ada Byron", "ms ada byron")] {
            assert_eq!(untitled(one), untitled(other));
        }
        for (one, other) in [("Maria Keller", "Mr. Omar Abernathy"), ("Omar Abernathy", "Omar Abernathy Jr.")]
        {
            assert_ne!(untitled(one), untitled(other));
        }
    }

    #[test]
    fn a_name_cannot_end_its_quotes_nor_act() {
        assert_eq!(quoted("A\" (provider). \u{202e}"), "\"A' (provider). [U+202E]\"");
    }

    #[test]
    fn no_sentence_states_an_unknown_signer_as_a_fact() {
        for trust in [Trust::Unknown, Trust::NoneOfTheGiven] {
            let told = by_trust(trust, "S").join(" ");
            assert!(told.starts_with("CLAIMS to be signed by S.") && !told.contains("Signed"), "{told}");
        }
        assert!(!of_role(IssuerRole::Patient, false).contains("igned"));
        assert!(!of_role(IssuerRole::Provider, false).contains("igned"));
    }
}
