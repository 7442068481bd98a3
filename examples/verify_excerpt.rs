//! What a recipient does: checks an excerpt with nothing but the file and,
//! if they have it, the issuer's public key.
//!
//! `cargo run --release --example verify_excerpt [EXCERPT.html|.json [KEY.jwk NAME]]`
//!
//! It exits with 0 only for a signature of the key that was given, under the name that
//! was given.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use subrosa::{
    IssuerRole, Outcome, PublicKey, STATEMENT, SignsAs, TrustedKeys, UnverifiedExcerpt, VerifiedExcerpt,
    VerifyError, spell,
};

/// Without arguments: an excerpt that was issued for the tests.
const SAMPLE: &[u8] = include_bytes!("../tests/golden/excerpt.html");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    let named = arguments.next();
    let file = match &named {
        Some(path) => std::fs::read(path)?,
        None => SAMPLE.to_vec(),
    };
    if named.is_none() {
        writeln!(
            out,
            "DEMONSTRATION: no file was named, so this checks an invented excerpt that comes with the program.\n\
             To check your own: verify_excerpt EXCERPT.html\n"
        )?;
    }
    let trusted = match arguments.next() {
        Some(path) => {
            let name = arguments.next().ok_or("say behind the key whose it is, as the clinic signs")?;
            TrustedKeys::none().and(PublicKey::from_jwk(&std::fs::read(path)?)?, SignsAs::provider(&name))
        }
        None => TrustedKeys::none(),
    };
    let parse = || UnverifiedExcerpt::parse(&file);
    let checked = parse().and_then(|it| it.verify(&trusted, SystemTime::now()));
    let verified = match checked {
        Ok(verified) => verified,
        Err(error @ VerifyError::PageResaved) => {
            writeln!(out, "SAVED AGAIN: {error}. What was signed is:\n")?;
            parse()?.verify_claims_only(&trusted, SystemTime::now())?
        }
        Err(error) => {
            writeln!(out, "INVALID: {error}. Do not rely on this file; ask its sender for another copy.")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    show(&mut out, &verified)?;
    let is_trusted = verified.outcome() == Outcome::SignedByTrustedKey;
    Ok(if is_trusted || named.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(out: &mut impl Write, verified: &VerifiedExcerpt) -> std::io::Result<()> {
    match verified.outcome() {
        Outcome::SignedByTrustedKey => writeln!(out, "VALID: signed with the key that you trust.")?,
        Outcome::KnownKeyOtherName => {
            writeln!(out, "DO NOT RELY ON IT: your key signed under another name.")?;
        }
        _ => {
            writeln!(out, "INTACT, but signed with a key that you were not given:")?;
            writeln!(out, "  {}", verified.fingerprint())?;
            writeln!(out, "Compare it with the issuer by telephone or on paper before you rely on this.")?;
        }
    }
    if verified.issuer_role() == IssuerRole::Patient {
        writeln!(out, "Signed by the patient, not by a clinic.")?;
    }
    // Texts of others are spelt, and none begins at the edge.
    let patient = verified.subject().map_or_else(String::new, |subject| spell(&subject.name));
    writeln!(out, "  Patient: {patient}")?;
    writeln!(out, "  From:    {}", spell(verified.issuer()))?;
    writeln!(out, "  To:      {}", spell(verified.recipient()))?;
    writeln!(out, "  For:     {}", spell(verified.purpose()))?;
    if let Some(day) = verified.valid_through() {
        writeln!(out, "  Valid through {}", spell(&day))?;
    }
    writeln!(out)?;
    for entry in verified.entries() {
        writeln!(out, "{}", entry.shown())?;
    }
    writeln!(out, "{STATEMENT}")
}
