//! A release from a vault: verified without it, and written down first.

use super::basics::{diagnosis, key, note, options};
use crate::*;

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

#[test]
fn a_release_verifies_without_the_vault_and_is_in_the_ledger() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let asthma = vault.update(&owner, |tx| tx.add(&diagnosis("J45", "Asthma", "2019-03-04"))).unwrap().value;
    vault.update(&owner, |tx| tx.add(&note("progress", "CANARY"))).unwrap();
    let policy = Policy::everything_of([Kind::Diagnosis]).mask("onset", Mask::Year).unwrap();
    let before = vault.epoch();
    assert_eq!(vault.preview(&policy).unwrap().released().len(), 1);
    assert_eq!(vault.epoch(), before);

    let request = ReleaseRequest::new(token("An insurer"), token("a claim"), policy);
    let excerpt = vault.release(&owner, &request).unwrap();
    let line = vault.ledger().unwrap().pop().unwrap();
    let LineState::Whole { action, subjects, details, .. } = line.state else { panic!("the line is whole") };
    assert_eq!((action, subjects), (Action::Released, vec![asthma]));
    assert!(details.contains(&(Detail::Recipient, "An insurer".into())));
    assert!(details.contains(&(Detail::Excerpt, excerpt.id().to_string())));

    let trusted = TrustedKeys::none().and(vault.public_key().unwrap());
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_001);
    for file in [excerpt.to_json(), excerpt.to_html().unwrap()] {
        assert!(!file.contains("CANARY") && !file.contains("2019-03-04"));
        let unverified = UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
        let verified = unverified.verify(&trusted, now).unwrap();
        assert_eq!(verified.outcome(), Outcome::SignedByTrustedKey);
        assert_eq!(verified.entries().len(), 1);
        assert!(verified.entries()[0].fields_json().contains("2019"));
    }
    let report = vault.expunge(&owner, &[asthma], "wish").unwrap();
    assert_eq!(report.released_in, [line.epoch]);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_policy_that_lets_nothing_out_releases_nothing() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).unwrap();
    let before = vault.epoch();
    let request = ReleaseRequest::new(token("x"), token("y"), Policy::nothing());
    assert!(matches!(vault.release(&Actor::owner(), &request), Err(Error::NothingToRelease)));
    assert_eq!(vault.epoch(), before);
}
