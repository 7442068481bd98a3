//! A release from a vault: verified without it, and written down first.

use super::basics::{diagnosis, individual, key, note, options};
use super::disk::SimDisk;
use super::workload::{self, new_image};
use crate::crypto::random::Randomness;
use crate::crypto::signature::SigningKey;
use crate::vault::{Accounting, Expungement};
use crate::*;

#[test]
fn a_release_verifies_without_the_vault_and_is_in_the_ledger() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let asthma = vault.update(&owner, |tx| tx.add(&diagnosis("J45", "Asthma", "2019-03-04"))).unwrap().value;
    vault.update(&owner, |tx| tx.add(&note("progress", "CANARY"))).unwrap();
    let policy = Policy::everything_of([Kind::Diagnosis]).mask("onset", Mask::Year).unwrap();
    let before = vault.epoch();
    assert_eq!(vault.preview(&policy).unwrap().released().len(), 1);
    assert_eq!(vault.epoch(), before);

    let request = ReleaseRequest::new("An insurer", "a claim", policy).unwrap();
    let excerpt = vault.release(&owner, &request).unwrap();
    let line = vault.ledger().unwrap().pop().unwrap();
    assert_eq!((line.action, &line.entries), (Action::Released, &vec![asthma].into()));
    assert!(line.details.contains(&(Detail::Recipient, "An insurer".into())));
    assert!(line.details.contains(&(Detail::Excerpt, excerpt.id().to_string())));

    let trusted = TrustedKeys::none().and(vault.public_key().unwrap(), crate::SignsAs::any_name_and_role());
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
fn every_erasure_report_names_the_releases_and_exports_of_its_own_entries() {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&workload::owner()).unwrap();
    let owner = Actor::owner();
    let entries: Vec<Entry> = (0..6).map(|n| diagnosis(&format!("F{n}"), "Asthma", "2019")).collect();
    // One line that tells of all, and one of each.
    let all = vault.update(&owner, |tx| tx.add_all(&entries[..4])).unwrap().value;
    let each = vault.update(&owner, |tx| Ok([tx.add(&entries[4])?, tx.add(&entries[5])?])).unwrap().value;
    let release = |vault: &Vault, id: EntryId| {
        let policy = Policy::only([id]);
        vault.release(&owner, &ReleaseRequest::new("x", "y", policy).unwrap()).unwrap();
        vault.epoch()
    };
    let first = release(&vault, all[0]);
    assert_eq!(vault.expunge(&owner, &[all[1]], "wish").unwrap().released_in, []);
    // By another handle, after this one read the ledger.
    let second = release(&disk.unlock(&workload::owner()).unwrap(), all[0]);
    vault.export(&owner).unwrap();
    let third = vault.epoch();
    let reports = [
        (vault.expunge(&owner, &[all[2]], "wish").unwrap(), vec![third]),
        (vault.expunge(&owner, &[all[0]], "wish").unwrap(), vec![first, second, third]),
        (vault.expunge(&owner, &[all[3]], "wish").unwrap(), vec![third]),
    ];
    for (report, expected) in reports {
        assert_eq!(report.released_in, expected);
    }
    // A commit that failed leaves nothing behind of what it destroyed.
    let failed = vault.update(&owner, |tx| {
        tx.expunge(each[0], "wish")?;
        tx.expunge(each[1], "wish")?;
        Err::<(), _>(Error::Invalid { what: "given up" })
    });
    assert!(failed.is_err());
    let lines_about = |id: EntryId| {
        let of = |line: &LedgerLine| line.action == Action::Added && line.entries.contains(&id);
        vault.ledger().unwrap().iter().filter(|line| of(line)).count()
    };
    for id in each {
        assert_eq!(lines_about(id), 1);
        vault.expunge(&owner, &[id], "wish").unwrap();
        assert_eq!(lines_about(id), 0, "a line tells of an expunged entry");
    }
    assert!(vault.check().unwrap().is_clean());
}

/// A row of `general` that lacked what was asked for, or named it, told of entries elsewhere.
#[test]
fn the_accounting_in_one_compartment_tells_nothing_of_what_left_from_others() {
    let opioids = diagnosis("F11.2", "Opioid dependence", "2019");
    let owner = Actor::owner();
    let released = |with_others: bool| {
        let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
        let add =
            |to: Compartment, entry: &Entry| vault.update(&owner, |tx| tx.add_in(to, entry)).unwrap().value;
        let mut ids = vec![add(Compartment::General, &diagnosis("J45", "Asthma", "2019"))];
        if with_others {
            ids.push(add(Compartment::SubstanceUse, &opioids));
        }
        let code = |text: &str| text.parse::<CodeFilter>().unwrap();
        let policy = Policy::everything_of([Kind::Diagnosis, Kind::Note]).with_code(code("J45"));
        let policy = policy.with_code(code("F11*")).mask("onset", Mask::Year).unwrap();
        let request = ReleaseRequest::new("An insurer", "a claim", policy).unwrap();
        vault.release(&owner, &request).unwrap();
        (vault, ids)
    };
    let policies = |vault: &Vault, place: Compartment| -> Vec<String> {
        let lines = vault.ledger().unwrap().into_iter();
        let lines = lines.filter(|line| line.compartment == place && line.action == Action::Released);
        lines.filter_map(|line| line.detail(Detail::Policy).map(str::to_owned)).collect()
    };
    let [(alone, _), (vault, ids)] = [false, true].map(released);
    let general = policies(&vault, Compartment::General);
    assert_eq!(general, policies(&alone, Compartment::General));
    assert!(general[0].contains("J45") && general[0].contains("onset") && !general[0].contains("F11"));
    let others = policies(&vault, Compartment::SubstanceUse);
    assert!(others[0].contains("F11") && !others[0].contains("J45"), "{others:?}");
    // Whoever has to account for it keeps what was asked for of each.
    let how = Expungement::new().with_accounting(Accounting::Keep);
    vault.expunge(&owner, &ids, how).unwrap();
    let kept = policies(&vault, Compartment::Custody);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].lines().collect::<Vec<_>>(), [general[0].as_str(), others[0].as_str()]);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_policy_that_lets_nothing_out_releases_nothing() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).unwrap();
    let before = vault.epoch();
    let request = ReleaseRequest::new("x", "y", Policy::nothing()).unwrap();
    assert!(matches!(vault.release(&Actor::owner(), &request), Err(Error::NothingToRelease)));
    assert_eq!(vault.epoch(), before);
}

#[test]
fn an_excerpt_that_has_expired_already_is_not_released() {
    let vault = vault_with_an_entry(SignatureAlgorithm::Es256);
    let (before, lines) = (vault.epoch(), vault.ledger().unwrap().len());
    let now = (options().clock)();
    for expires in [std::time::SystemTime::UNIX_EPOCH, now] {
        let refused = vault.release(&Actor::owner(), &request().expiring(expires));
        assert!(matches!(refused, Err(Error::Issue(IssueExcerptError::Expired))));
    }
    assert_eq!((vault.epoch(), vault.ledger().unwrap().len()), (before, lines));
    let soon = now + std::time::Duration::from_secs(1);
    vault.release(&Actor::owner(), &request().expiring(soon)).unwrap().to_html().unwrap();
}

#[test]
fn a_preview_of_one_request_is_released_in_another_one_by_its_digest() {
    let (folder, owner) = (tempfile::tempdir().unwrap(), Actor::owner());
    let path = folder.path().join("record.vault");
    let key = Credential::from(RawKey::from_bytes(&[4; 32]));
    let open = || LockedVault::open(&path, options()).unwrap().unlock(&key).unwrap();
    let vault = Vault::create(&path, &NewVault::individual(&key).named("Ada"), options()).unwrap();
    let id = vault.update(&owner, |tx| tx.add(&note("progress", "one"))).unwrap().value;
    drop(vault);
    let policy = || Policy::everything_of([Kind::Note]).include("text").unwrap();
    let request = || ReleaseRequest::new("A school", "admission", policy()).unwrap();
    let sent = open().preview(request().policy()).unwrap().digest().to_string();
    let returned: ViewDigest = sent.parse().unwrap();
    open().release(&owner, &request().as_previewed(returned)).unwrap();
    let vault = open();
    vault.update(&owner, |tx| tx.amend(id, &note("progress", "two"), "a slip")).unwrap();
    let refused = vault.release(&owner, &request().as_previewed(returned)).err();
    assert!(matches!(refused, Some(Error::NotAsPreviewed)), "{refused:?}");
}

#[test]
fn whoever_creates_a_vault_is_in_its_first_line_and_its_holder_has_one_line() {
    let key = Credential::from(RawKey::from_bytes(&[4; 32]));
    let new = || NewVault::individual(&key);
    let clerk = Actor::new("intake: J. Moreno").unwrap();
    let vault = Vault::create_in_memory(&new().created_by(clerk.clone()), options()).unwrap();
    let lines = vault.ledger().unwrap();
    assert_eq!((lines[0].actor.as_str(), lines[0].action), (clerk.name(), Action::Created));
    for name in ["Ada\nByron", "Ada\u{2028}Byron", " "] {
        let refused = Vault::create_in_memory(&new().named(name), options());
        assert_eq!(refused.err().map(|error| error.code()), Some("unusable-text"), "{name:?}");
    }
}

#[test]
fn a_request_of_more_than_one_line_cannot_be_made() {
    let request = |recipient: &str, purpose: &str| ReleaseRequest::new(recipient, purpose, Policy::nothing());
    assert_eq!(request("Dr. Lee\nDr. No", "a visit").err(), Some(TextError::NotOneLine));
    assert_eq!(request("Dr. Lee", "a\u{85}visit").err(), Some(TextError::NotOneLine));
    assert_eq!(request(" ", "a visit").err(), Some(TextError::Empty));
    assert_eq!(request("Dr. Lee", &"a".repeat(1025)).err(), Some(TextError::TooLong { limit: 1024 }));
    assert!(request(" Dr. Lee ", "a visit").is_ok());
}

#[test]
fn what_was_previewed_is_released_or_nothing() {
    let disk = SimDisk::without_trace(new_image("password"));
    let (vault, other) = (disk.unlock(&workload::owner()).unwrap(), disk.unlock(&workload::owner()).unwrap());
    let owner = Actor::owner();
    let add = |vault: &Vault, date| {
        vault.update(&owner, |tx| tx.add(&diagnosis("J45", "Asthma", date))).unwrap().value
    };
    let first = add(&vault, "1998");
    let as_previewed = |view: &View| request().as_previewed(view);
    let view = vault.preview(request().policy()).unwrap();
    let changes: [&dyn Fn(); 3] = [
        &|| {
            add(&other, "2001");
        },
        &|| {
            let amended = diagnosis("J45", "Asthma", "1999");
            other.update(&owner, |tx| tx.amend(first, &amended, "wrong year")).unwrap();
        },
        &|| drop(other.expunge(&owner, &[first], "wish").unwrap()),
    ];
    for change in changes {
        let seen = vault.preview(request().policy()).unwrap();
        change();
        let (before, lines) = (other.epoch(), other.ledger().unwrap().len());
        for view in [&seen, &view] {
            let refused = vault.release(&owner, &as_previewed(view));
            assert!(matches!(refused, Err(Error::NotAsPreviewed)));
        }
        assert_eq!((other.epoch(), other.ledger().unwrap().len()), (before, lines));
    }
    let narrow = request().policy().clone().mask("onset", Mask::Year).unwrap();
    let other_policy = vault.preview(&narrow).unwrap();
    assert!(matches!(vault.release(&owner, &as_previewed(&other_policy)), Err(Error::NotAsPreviewed)));
    // What does not leave may change meanwhile.
    let seen = vault.preview(request().policy()).unwrap();
    other.update(&owner, |tx| tx.add(&note("progress", "slept badly"))).unwrap();
    vault.release(&owner, &as_previewed(&seen)).unwrap();
}

type Answer = dyn Fn(&[u8]) -> Result<Vec<u8>, SignerError>;

/// A signer outside the vault, with whatever key and answer a test wants.
struct Outside {
    key: PublicKey,
    answer: Box<Answer>,
}

impl Signer for Outside {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        (self.answer)(message)
    }
}

/// A signer of this kind whose answers are as they should be.
fn outside(algorithm: SignatureAlgorithm) -> Outside {
    let key = SigningKey::generate(algorithm, &mut Randomness::from_system()).unwrap();
    let public = Signer::public_key(&key);
    Outside { key: public, answer: Box::new(move |message| Signer::sign(&key, message)) }
}

const BOTH: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519];

fn vault_with_an_entry(signature: SignatureAlgorithm) -> Vault {
    let key = key(1);
    let new = NewVault { signature, ..individual(&key) };
    let vault = Vault::create_in_memory(&new, options()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "1998"))).unwrap();
    vault
}

pub(super) fn request() -> ReleaseRequest {
    ReleaseRequest::new("A school", "admission", Policy::everything_of([Kind::Diagnosis])).unwrap()
}

pub(super) fn verified(excerpt: &Excerpt, trusted: PublicKey) -> Outcome {
    let now = (options().clock)();
    let trusted = TrustedKeys::none().and(trusted, crate::SignsAs::any_name_and_role());
    let page = UnverifiedExcerpt::parse(excerpt.to_html().unwrap().as_bytes()).unwrap();
    assert_eq!(page.verify(&trusted, now).unwrap().entries().len(), 1);
    UnverifiedExcerpt::parse(excerpt.to_json().as_bytes()).unwrap().verify(&trusted, now).unwrap().outcome()
}

#[test]
fn a_vault_signs_with_the_algorithm_that_it_was_created_with() {
    for algorithm in BOTH {
        let vault = vault_with_an_entry(algorithm);
        let key = vault.public_key().unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(PublicKey::from_jwk(key.to_jwk().as_bytes()), Ok(key));
        let excerpt = vault.release(&Actor::owner(), &request()).unwrap();
        assert_eq!(verified(&excerpt, key), Outcome::SignedByTrustedKey);
        let other = vault_with_an_entry(algorithm).public_key().unwrap();
        assert_eq!(verified(&excerpt, other), Outcome::IntactUnknownSigner);
    }
}

#[test]
fn a_key_kept_elsewhere_signs_and_the_ledger_names_it() {
    for (own, algorithm) in BOTH.into_iter().zip(BOTH.into_iter().rev()) {
        let (vault, signer) = (vault_with_an_entry(own), outside(algorithm));
        let excerpt = vault.release_with(&signer, &Actor::owner(), &request()).unwrap();
        assert_eq!(verified(&excerpt, signer.key), Outcome::SignedByTrustedKey);
        assert_eq!(verified(&excerpt, vault.public_key().unwrap()), Outcome::IntactUnknownSigner);
        let line = vault.ledger().unwrap().pop().unwrap();
        assert_eq!(line.action, Action::Released);
        assert!(line.details.contains(&(Detail::Signer, signer.key.fingerprint().to_string())));
    }
}

#[test]
fn a_signer_that_fails_or_signs_wrongly_leaves_no_trace() {
    let vault = vault_with_an_entry(SignatureAlgorithm::Es256);
    let (before, lines) = (vault.epoch(), vault.ledger().unwrap().len());
    for algorithm in BOTH {
        let another = outside(algorithm);
        let foreign = outside(match algorithm {
            SignatureAlgorithm::Es256 => SignatureAlgorithm::Ed25519,
            _ => SignatureAlgorithm::Es256,
        });
        let once = std::cell::Cell::new(true);
        let good = outside(algorithm);
        let wrong: [Outside; 6] = [
            Outside { answer: another.answer, ..outside(algorithm) },
            Outside { answer: foreign.answer, ..outside(algorithm) },
            Outside { answer: Box::new(|_| Ok(Vec::new())), ..outside(algorithm) },
            Outside { answer: Box::new(|_| Ok(vec![0; 64])), ..outside(algorithm) },
            Outside { answer: Box::new(|_| Ok(vec![0xff; 1 << 16])), ..outside(algorithm) },
            // The first signature is right, the second is of something else.
            Outside {
                key: good.key,
                answer: Box::new(move |message| {
                    (good.answer)(if once.replace(false) { message } else { b"something else" })
                }),
            },
        ];
        for signer in wrong {
            let refused = vault.release_with(&signer, &Actor::owner(), &request());
            let told =
                matches!(refused, Err(Error::Issue(IssueExcerptError::Signer(SignerError::WrongSignature))));
            assert!(told, "{algorithm:?}");
        }
        let reason = "the card was pulled out".to_owned();
        let failed = SignerError::Failed { reason: reason.clone() };
        let pulled = Outside {
            answer: Box::new(move |_| Err(SignerError::Failed { reason: reason.clone() })),
            ..outside(algorithm)
        };
        match vault.release_with(&pulled, &Actor::owner(), &request()) {
            Err(Error::Issue(IssueExcerptError::Signer(error))) => assert_eq!(error, failed),
            _ => panic!("the signer's reason is told"),
        }
    }
    assert_eq!((vault.epoch(), vault.ledger().unwrap().len()), (before, lines));
}

#[test]
fn an_excerpt_is_not_dated_by_a_clock_that_cannot_be_right() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, SystemTime};
    let start = 1_800_000_000;
    let seconds = Arc::new(AtomicU64::new(start));
    let clock = Arc::clone(&seconds);
    let options = options()
        .with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst)));
    let vault = Vault::create_in_memory(&individual(&key(1)), options).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).unwrap();
    let at = |now: u64, request: &ReleaseRequest| {
        seconds.store(now, Ordering::SeqCst);
        vault.release(&Actor::owner(), request).map(|_| ())
    };
    let (before, lines) = (vault.epoch(), vault.ledger().unwrap().len());
    for now in [0, 946_684_800, start - 3600, start + 10 * 366 * 86_400] {
        let refused = at(now, &request());
        let Err(Error::DoubtfulClock { now: said, last }) = &refused else { panic!("{now}: {refused:?}") };
        assert_eq!(*said, SystemTime::UNIX_EPOCH + Duration::from_secs(now));
        assert_eq!(*last, SystemTime::UNIX_EPOCH + Duration::from_secs(start));
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, "doubtful-clock"));
        assert!(error.to_string().contains("last written on 2027-01-15"), "{error}");
    }
    assert_eq!((vault.epoch(), vault.ledger().unwrap().len()), (before, lines), "nothing was released");
    at(start - 60, &request()).unwrap();
    at(start + 366 * 86_400, &request()).unwrap();
    at(start - 3600, &request().with_clock_confirmed()).unwrap();
}
