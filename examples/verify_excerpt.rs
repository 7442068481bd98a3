//! What a recipient does: checks an excerpt with nothing but the file and,
//! if they have it, the issuer's public key or fingerprint.
//!
//! `cargo run --release --example verify_excerpt [EXCERPT.html|.json [KEY [NAME [ROLE]]]]`
//!
//! It exits with 0 only for a signature of the key that was given, under the name and
//! in the role that the key's file or the command gives.

use std::io::{Error, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use subrosa::excerpt::{
    Fingerprint, IssuerRole, KeyFile, Outcome, STATEMENT, SignsAs, VerifiedExcerpt, VerifyError,
};
use subrosa::release::spell_block;
use subrosa::{TrustedKeys, UnverifiedExcerpt};

/// Without arguments: an excerpt that was issued for the tests.
const SAMPLE: &[u8] = include_bytes!("../tests/golden/excerpt.html");

/// Longest excerpt and longest key file that are read, in bytes. The library refuses a
/// shorter excerpt with its own words.
const LIMITS: (u64, u64) = (65 << 20, 64 << 10);

/// Columns of what is printed: no line goes on at a terminal's edge.
const COLUMNS: usize = 78;

const HELP: &str = "\
Checks an excerpt of health records: who signed it, and whether anything was changed.

Usage: verify_excerpt [EXCERPT [KEY [NAME [ROLE]]]]

  EXCERPT  the HTML or JSON file as you received it
  KEY      the signer's key file, or their fingerprint in quotes
  NAME     the name that the key signs under, only where KEY is a fingerprint or does not say it
  ROLE     provider, if you do not say it, or patient

It exits with 0 if the key that you gave signed the file under that name and role, and with
1 otherwise. Without EXCERPT it checks an invented one.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    if arguments.iter().any(|argument| ["--help", "-h"].contains(&argument.as_str())) {
        return ended(writeln!(out, "{HELP}").map(|()| true).map_err(|error| error.to_string()));
    }
    ended(run(&mut out, &arguments))
}

/// Whether the file was signed by whom it should be, or what went wrong.
fn ended(result: Result<bool, String>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            // Where stderr is closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "verify_excerpt: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &mut impl Write, arguments: &[String]) -> Result<bool, String> {
    let mut arguments = arguments.iter().map(String::as_str);
    let named = arguments.next();
    let file = match named {
        Some(path) => read(path, "the excerpt", LIMITS.0)?,
        None => SAMPLE.to_vec(),
    };
    let trusted = match arguments.next() {
        Some(key) => trusted(key, arguments.next(), arguments.next())?,
        None => TrustedKeys::none(),
    };
    let unwritten = |error: Error| format!("the result cannot be written: {error}");
    if named.is_none() {
        writeln!(
            out,
            "DEMONSTRATION: no file was named, so this checks an invented excerpt that comes with the program.\n\
             To check your own: verify_excerpt EXCERPT.html [KEY]\n"
        )
        .map_err(unwritten)?;
    }
    let is_trusted = check(out, &file, &trusted).map_err(unwritten)?;
    Ok(is_trusted || named.is_none())
}

fn read(path: &str, what: &str, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{what}: there is no such file; check the name"),
        ErrorKind::PermissionDenied => {
            format!("{what}: the system does not permit it; check the file's permissions")
        }
        ErrorKind::IsADirectory => format!("{what}: it is a folder; name the file in it"),
        _ => format!("{what}: {error}"),
    })
}

/// The key, trusted for what its file says, or for what the command says where it does not.
fn trusted(key: &str, name: Option<&str>, role: Option<&str>) -> Result<TrustedKeys, String> {
    let role = match role {
        None | Some("provider") => IssuerRole::Provider,
        Some("patient") => IssuerRole::Patient,
        Some(_) => return Err("the role is provider or patient".to_owned()),
    };
    let named = name.map(|name| SignsAs::of(role, name));
    let trusted = TrustedKeys::none();
    if let Ok(fingerprint) = key.parse::<Fingerprint>() {
        let signs_as = named.ok_or("say behind the fingerprint whose it is, as NAME and ROLE")?;
        return Ok(trusted.and_fingerprint(fingerprint, signs_as));
    }
    let file = KeyFile::parse(&read(key, "the key file", LIMITS.1)?).map_err(|error| error.to_string())?;
    let signs_as = match (file.signs_as().cloned(), named) {
        (Some(_), Some(_)) => {
            return Err("the key file says itself whose it is: leave NAME and ROLE out".to_owned());
        }
        (signs_as, named) => signs_as.or(named),
    };
    let signs_as =
        signs_as.ok_or("the key file does not say whose it is: say it behind it, as NAME and ROLE")?;
    Ok(trusted.and(*file.key(), signs_as))
}

fn check(out: &mut impl Write, file: &[u8], trusted: &TrustedKeys) -> std::io::Result<bool> {
    let claims =
        || UnverifiedExcerpt::parse(file).and_then(|it| it.verify_claims_only(trusted, SystemTime::now()));
    let checked = UnverifiedExcerpt::parse(file).and_then(|it| it.verify(trusted, SystemTime::now()));
    let verified = match checked {
        Err(error @ VerifyError::PageResaved) => {
            writeln!(out, "SAVED AGAIN: {error}. What was signed is:\n")?;
            claims()
        }
        checked => checked,
    };
    match verified {
        Ok(verified) => {
            show(out, &verified)?;
            Ok(verified.outcome() == Outcome::SignedByTrustedKey)
        }
        Err(error) => {
            writeln!(out, "INVALID: {error}. Do not rely on this file; ask its sender for another copy.")?;
            Ok(false)
        }
    }
}

fn show(out: &mut impl Write, verified: &VerifiedExcerpt) -> std::io::Result<()> {
    let is_unknown = verified.outcome() == Outcome::IntactUnknownSigner;
    match verified.outcome() {
        Outcome::SignedByTrustedKey => writeln!(out, "VALID: signed with the key that you trust.")?,
        Outcome::KnownKeyOtherName => writeln!(out, "UNCHANGED, but not signed as it should be.")?,
        _ => writeln!(out, "UNCHANGED since it was signed; who signed it is NOT KNOWN.")?,
    }
    for sentence in verified.who_signed() {
        let (first, rest) = sentence.split_once(' ').unwrap_or((&sentence, ""));
        block(out, &format!("{first} "), rest)?;
    }
    writeln!(out, "Fingerprint: {}", verified.fingerprint())?;
    if is_unknown {
        writeln!(out, "Compare it with the signer by telephone or on paper before you rely on this.")?;
    }
    // Texts of others are spelt, and none begins at the edge.
    let patient = verified.subject().map_or("", |subject| &subject.name);
    block(out, "  Patient:   ", patient)?;
    block(out, if is_unknown { "  Claims:    " } else { "  Signer:    " }, verified.issuer())?;
    block(out, "  To:        ", verified.recipient())?;
    block(out, "  For:       ", verified.purpose())?;
    if let Some(day) = verified.valid_through() {
        writeln!(out, "  Valid through {day}")?;
    }
    writeln!(out)?;
    for entry in verified.entries() {
        writeln!(out, "{}", entry.shown())?;
    }
    writeln!(out, "{STATEMENT}")
}

/// A text behind a beginning, in lines that fit a terminal, the further ones set in.
fn block(out: &mut impl Write, beginning: &str, text: &str) -> std::io::Result<()> {
    let mut lines = String::new();
    spell_block(&mut lines, beginning, text, COLUMNS).map_err(Error::other)?;
    writeln!(out, "{lines}")
}
