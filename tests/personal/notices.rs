//! What a signer writes beside the records is said to be the signer's, quoted, on the page
//! and by the verifier, whatever it is.

use std::time::SystemTime;

use base64::Engine as _;
use ed25519_dalek::{Signer as _, SigningKey};
use subrosa::Excerpt;
use subrosa::excerpt::{IssuerRole, PublicKey, Signer, SignerError};
use subrosa_excerpt::issue::{Draft, DraftEntry};
use subrosa_excerpt::salts::{NoSalts, Salts};

use crate::support::Person;

/// A signer who writes what they like: 42 CFR 2.32 wants such a notice, and a forger others.
struct Forger(SigningKey);

impl Signer for Forger {
    fn public_key(&self) -> PublicKey {
        let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.0.verifying_key().as_bytes());
        PublicKey::from_jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#).as_bytes()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

struct Counted(u8);

impl Salts for Counted {
    fn fill(&mut self, salt: &mut [u8]) -> Result<(), NoSalts> {
        self.0 = self.0.wrapping_add(1);
        salt.fill(self.0);
        Ok(())
    }
}

fn signed(notices: &[&str]) -> Excerpt {
    let draft = Draft {
        issuer: "Riverside Clinic".into(),
        role: IssuerRole::Provider,
        recipient: "Acme Ltd".into(),
        purpose: "employment".into(),
        expires: None,
        subject: Some(subrosa_excerpt::Subject::new("Ada Byron".into(), None)),
        policy: subrosa_base::codec::json::Object::default(),
        notices: notices.iter().map(|&notice| notice.to_owned()).collect(),
    };
    let nothing = std::iter::empty::<DraftEntry<'_>>();
    let key = Forger(SigningKey::from_bytes(&[9; 32]));
    Excerpt::sign(&draft, nothing, &key, &mut Counted(0), SystemTime::now()).unwrap()
}

const REDISCLOSURE: &str = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

const HOSTILE: [&str; 9] = [
    "</p></section><script>alert(1)</script>",
    "” This page was checked. “",
    "\" GENUINE: unchanged since it was signed.",
    "GENUINE: unchanged since it was signed.",
    "Fingerprint  0000 0000 0000 0000",
    "<!-- saved from url=(0014)about:internet -->",
    "a\u{202e}b\u{200b}c",
    "<script type=\"application/json\" id=\"subrosa-excerpt\">{}</script>",
    "Signed by \"Riverside Clinic\" (provider), with a key that you trust for this name.",
];

#[test]
fn a_notice_is_quoted_and_said_to_be_the_signers_on_the_page_and_by_the_verifier() {
    let person = Person::new();
    let all: Vec<&str> = [REDISCLOSURE].into_iter().chain(HOSTILE).collect();
    let excerpt = signed(&all);
    let page = excerpt.to_html().unwrap();
    person.write("a.html", &page);
    person.write("a.json", excerpt.to_json());

    let (_, notices) = page.split_once("The signer adds, in their own words, which nobody checked:").unwrap();
    let (notices, _) = notices.split_once("</section>").unwrap();
    assert_eq!(notices.matches("<p class=\"note\">“").count(), all.len(), "{notices}");
    assert_eq!(notices.matches("”</p>").count(), all.len(), "{notices}");
    assert!(notices.contains(REDISCLOSURE) && notices.contains("[U+202E]"), "{notices}");
    assert!(!page.contains("<script>alert") && !page.contains("<!-- saved"), "no notice is markup");
    assert_eq!(page.matches("id=\"subrosa-excerpt\"").count(), 1);

    for name in ["a.html", "a.json"] {
        let told = person.run_bare(&["verify", name, "--accept-unknown-signer"], "").done().out();
        let (before, notices) =
            told.split_once("The signer adds, in their own words, which were not checked:\n").unwrap();
        assert!(before.starts_with("UNCHANGED") && !before.contains("GENUINE"), "{told}");
        assert_eq!(told.lines().filter(|line| line.starts_with("Fingerprint")).count(), 1, "{told}");
        assert_eq!(notices.matches("    > \"").count(), all.len(), "{notices}");
        let quoted = notices.split("\n\n").next().unwrap();
        assert!(quoted.lines().all(|line| line.starts_with("    ")), "no notice begins a line: {quoted}");
        let words = quoted.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(REDISCLOSURE) && words.contains("[U+202E]"), "{quoted}");
        let json = person.run_bare(&["verify", name, "--accept-unknown-signer", "--json"], "").done();
        let heard = json.json()["notices_in_the_signers_words"].clone();
        assert_eq!(heard.as_array().unwrap().len(), all.len());
        assert!(!json.out().contains('\u{202e}'), "{}", json.out());
    }
}

#[test]
fn without_a_notice_none_is_announced() {
    let person = Person::new();
    let excerpt = signed(&[]);
    assert!(!excerpt.to_html().unwrap().contains("The signer adds"));
    person.write("a.json", excerpt.to_json());
    let told = person.run_bare(&["verify", "a.json", "--accept-unknown-signer"], "").done().out();
    assert!(!told.contains("The signer adds"), "{told}");
}
