//! What a recipient does: checks an excerpt with nothing but the file and,
//! if they have it, the issuer's public key.
//!
//! `cargo run --release --example verify_excerpt [EXCERPT.html|.json [KEY.jwk NAME]]`

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use subrosa::{IssuerRole, Outcome, PublicKey, SignsAs, TrustedKeys, UnverifiedExcerpt, VerifiedExcerpt};

/// Without arguments: an excerpt that was issued for the tests.
const SAMPLE: &[u8] = include_bytes!("../tests/golden/excerpt.html");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = match arguments.next() {
        Some(path) => std::fs::read(path)?,
        None => {
            println!(
                "DEMONSTRATION: no file was named, so this checks an invented excerpt that comes with the program.\n\
                 To check your own: verify_excerpt EXCERPT.html\n"
            );
            SAMPLE.to_vec()
        }
    };
    let trusted = match arguments.next() {
        Some(path) => {
            let name = arguments.next().ok_or("say behind the key whose it is, as the clinic signs")?;
            TrustedKeys::none().and(PublicKey::from_jwk(&std::fs::read(path)?)?, SignsAs::provider(&name))
        }
        None => TrustedKeys::none(),
    };
    let checked = UnverifiedExcerpt::parse(&file).and_then(|it| it.verify(&trusted, SystemTime::now()));
    match checked {
        Ok(verified) => show(&verified),
        Err(error) => {
            println!("INVALID: {error}. Do not rely on this file; ask its sender for another copy.");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(verified: &VerifiedExcerpt) {
    match verified.outcome() {
        Outcome::SignedByTrustedKey => println!("VALID: signed with the key that you trust."),
        Outcome::KnownKeyOtherName => println!("DO NOT RELY ON IT: your key signed under another name."),
        _ => {
            println!("INTACT, but signed with a key that you were not given:");
            println!("  {}", verified.fingerprint());
            println!("Compare it with the issuer by telephone or on paper before you rely on this.");
        }
    }
    if verified.issuer_role() == IssuerRole::Patient {
        println!("Signed by the patient, not by a clinic.");
    }
    println!("From {} to {}, for: {}", verified.issuer(), verified.recipient(), verified.purpose());
    for entry in verified.entries() {
        println!("- {}: {}", entry.kind(), entry.fields_json());
        if !entry.withheld().is_empty() {
            println!("  withheld: {}", entry.withheld().join(", "));
        }
    }
    println!("{}", subrosa::STATEMENT);
}
