//! `verify` and `public-key`: checking an excerpt, and what others check yours with.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};
use subrosa::{
    Compared, IssuerRole, Outcome, PublicKey, STATEMENT, SignsAs, TrustedKeys, UnverifiedExcerpt,
    VerifiedEntry, VerifiedExcerpt,
};

use crate::access;
use crate::arguments::{self, Common, Verify};
use crate::failure::{Exit, Failure};
use crate::output::{self, NewFile, Stream, count, moment, moment_for_programs, note, printable};
use crate::target;

/// Longest file in bytes; the library refuses a shorter one with its own words.
const FILE_LIMIT: u64 = 65 << 20;
/// Longest key in bytes.
const KEY_LIMIT: u64 = 64 * 1024;

/// The members of a key file that say what its key may sign as.
const SIGNS_AS: (&str, &str) = ("subrosa_name", "subrosa_role");

pub(crate) fn run(common: &Common, command: &Verify) -> Result<(), Failure> {
    let trusted = trusted(command)?;
    let file = read(&command.file, FILE_LIMIT, "the excerpt")?;
    let verified = UnverifiedExcerpt::parse(&file)
        .and_then(|excerpt| excerpt.verify_claims_only(&trusted, SystemTime::now()));
    drop(file);
    match verified {
        Ok(excerpt) => accept(common, command, &excerpt),
        Err(error) => {
            if common.json {
                let reason = error.to_string();
                output::json(
                    &json!({ "outcome": "invalid", "reason": reason, "issuer": null, "entries": [] }),
                )?;
            }
            Err(Failure::refused(format!("INVALID, do not rely on it: {error}")))
        }
    }
}

fn trusted(command: &Verify) -> Result<TrustedKeys, Failure> {
    let mut trusted = TrustedKeys::none();
    for path in &command.key {
        let text = read(path, KEY_LIMIT, "the key file")?;
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
        let key = PublicKey::from_jwk(text).map_err(|error| Failure::refused(error.to_string()))?;
        trusted = trusted.and(key, signs_as(command, text)?);
    }
    Ok(trusted)
}

/// What a key is trusted to sign as: what the command says, or else the key's file.
fn signs_as(command: &Verify, key_file: &[u8]) -> Result<SignsAs, Failure> {
    if command.any_name {
        return Ok(SignsAs::any_name_and_role());
    }
    let file: Json = serde_json::from_slice(key_file).unwrap_or_default();
    let text = |name: &str| file.get(name).and_then(Json::as_str);
    let named: Vec<&str> = match command.name.as_slice() {
        [] => text(SIGNS_AS.0).into_iter().collect(),
        names => names.iter().map(String::as_str).collect(),
    };
    let role = if command.name.is_empty() { text(SIGNS_AS.1) } else { command.role.as_deref() };
    let role = if role == Some("patient") { IssuerRole::Patient } else { IssuerRole::Provider };
    match named.split_first() {
        Some((first, others)) => {
            Ok(others.iter().fold(SignsAs::of(role, first), |signs_as, name| signs_as.or_name(name)))
        }
        None => Err(Failure::usage(
            "the key file does not say whose key it is: give the name that the excerpt must be signed under with \
             --name NAME, or --any-name to trust the key under every name",
        )),
    }
}

fn accept(common: &Common, command: &Verify, excerpt: &VerifiedExcerpt) -> Result<(), Failure> {
    let mut out = Stream::new();
    match common.json {
        true => for_programs(&mut out, excerpt)?,
        false => told(&mut out, excerpt)?,
    }
    out.finish()?;
    let refused = |why: &str| {
        note(&format!("personal: {why}"));
        Err(Failure::Reported(Exit::Refused))
    };
    match (excerpt.compared(), excerpt.outcome()) {
        (Compared::DifferentPage, _) => refused(
            "the page shows something else than what was signed: do not read it; ask for the file again",
        ),
        (Compared::UnknownPage, _) => refused(
            "this program does not know the page's layout: read what is listed above, not the page, or use a newer \
             program",
        ),
        (_, Outcome::SignedByTrustedKey) => Ok(()),
        (_, Outcome::KnownKeyOtherName) => refused(
            "the key is one that you trust, and it signed under another name or role than you trust it for: ask its \
             owner why, and do not rely on this",
        ),
        _ if command.accept_unknown_signer => Ok(()),
        _ => refused(
            "the signer is unknown: ask them for their fingerprint or key another way than this file \
             came, compare, and give it with --key; --accept-unknown-signer does without",
        ),
    }
}

fn read(path: &Path, limit: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        _ => std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::file(what, &error))?;
    Ok(bytes)
}

/// The worst of what is known, so that a script which reads nothing else is right.
fn outcome(excerpt: &VerifiedExcerpt) -> &'static str {
    match (excerpt.compared(), excerpt.outcome()) {
        (Compared::DifferentPage, _) => "page-differs",
        (Compared::UnknownPage, _) => "page-unknown",
        (_, Outcome::KnownKeyOtherName) => "known-key-other-name",
        (Compared::ResavedPage, Outcome::SignedByTrustedKey) => "page-resaved",
        (_, Outcome::SignedByTrustedKey) => "trusted",
        _ => "unknown-signer",
    }
}

/// What was verified, before anything of the content.
fn verdict(excerpt: &VerifiedExcerpt) -> Vec<&'static str> {
    let signer = match excerpt.outcome() {
        Outcome::SignedByTrustedKey => "by a key that you trust under this name",
        Outcome::KnownKeyOtherName => {
            "by a key that you know, under a NAME OR ROLE THAT YOU DO NOT TRUST IT FOR: do not rely on it"
        }
        _ => "but by whom is not known here",
    };
    let (first, page) = match (excerpt.compared(), excerpt.outcome()) {
        (Compared::DifferentPage, _) => {
            ("THE PAGE DIFFERS from what was signed: do not read the page. What was signed is below,", "")
        }
        (Compared::UnknownPage, _) => {
            ("THE PAGE IS NOT CHECKED: this program does not know its layout. What was signed is below,", "")
        }
        (Compared::ResavedPage, _) => (
            "SAVED AGAIN: a program changed the file without changing what the page says. What was signed is below,",
            "Keep the file as it was issued if you have to show it to others.",
        ),
        (compared, Outcome::SignedByTrustedKey) => {
            ("GENUINE: unchanged since it was signed,", page_words(compared))
        }
        (compared, _) => ("UNCHANGED since it was signed,", page_words(compared)),
    };
    [first, signer, page].into_iter().filter(|line| !line.is_empty()).collect()
}

fn page_words(compared: Compared) -> &'static str {
    match compared {
        Compared::Page => "The page was compared, byte for byte: it shows what was signed and nothing else.",
        _ => "Only the signed tokens were checked: this file has no page to compare.",
    }
}

fn role_name(role: IssuerRole) -> &'static str {
    match role {
        IssuerRole::Patient => "patient",
        _ => "provider",
    }
}

/// Entry by entry: the words of one are gone before those of the next are made.
fn told(out: &mut Stream, excerpt: &VerifiedExcerpt) -> Result<(), Failure> {
    out.say(&output::printable_lines(&envelope_told(excerpt).join("\n")))?;
    excerpt.entries().iter().try_for_each(|entry| {
        let told = format!("\n{}", output::entry(&entry.shown()));
        out.say(&output::printable_lines(&told))
    })
}

fn envelope_told(excerpt: &VerifiedExcerpt) -> Vec<String> {
    let mut lines: Vec<String> = verdict(excerpt).into_iter().map(str::to_owned).collect();
    lines.push(match excerpt.issuer_role() {
        IssuerRole::Patient => {
            "Signed by the patient, not by a clinic: nobody else vouches for what it says.".to_owned()
        }
        _ => "Signed by somebody who says to be a clinic or another provider.".to_owned(),
    });
    lines.push(String::new());
    lines.push(output::indented("Signed by    ", excerpt.issuer()));
    lines.push(format!("Fingerprint  {}", excerpt.fingerprint()));
    lines.push(output::indented("For          ", excerpt.recipient()));
    lines.push(output::indented("Purpose      ", excerpt.purpose()));
    if let Some(subject) = excerpt.subject() {
        let born = subject.born.as_ref().map(|born| format!(", born {born}")).unwrap_or_default();
        lines.push(output::indented("Patient      ", &format!("{}{born}", subject.name)));
    }
    lines.push(format!("Issued       {}", moment(excerpt.issued())));
    lines.extend(excerpt.valid_through().map(|last| format!("Valid through {last}")));
    lines.push(String::new());
    lines.push(STATEMENT.to_owned());
    lines.extend(notices_told(excerpt));
    lines.push(format!("\n{}:", count(excerpt.entries().len(), "entry", "entries")));
    lines
}

/// What the signer wrote beside the entries: said to be theirs, quoted, and never at
/// the beginning of a line, which is the program's place.
fn notices_told(excerpt: &VerifiedExcerpt) -> Vec<String> {
    let mut lines = Vec::new();
    if !excerpt.notices().is_empty() {
        lines.push("\nThe signer adds, in their own words, which were not checked:".to_owned());
    }
    let quoted = |notice: &String| output::indented("    > ", &format!("\"{notice}\""));
    lines.extend(excerpt.notices().iter().map(quoted));
    lines
}

/// One JSON object whose entries come last, each written before the next is made.
fn for_programs(out: &mut Stream, excerpt: &VerifiedExcerpt) -> Result<(), Failure> {
    let envelope = format!("{:#}", envelope_for_programs(excerpt));
    let envelope = envelope.trim_end_matches('}').trim_end();
    out.json(&format!("{envelope},\n  \"entries\": ["))?;
    let mut before = "\n    ";
    for entry in excerpt.entries() {
        let entry = format!("{:#}", entry_for_programs(entry)).replace('\n', "\n    ");
        out.json(before)?;
        out.json(&entry)?;
        before = ",\n    ";
    }
    out.json(if excerpt.entries().is_empty() { "]\n}\n" } else { "\n  ]\n}\n" })
}

fn entry_for_programs(entry: &VerifiedEntry) -> Json {
    let parsed = |text: String| serde_json::from_str::<Json>(&text).unwrap_or_default();
    json!({
        "kind": entry.kind(),
        "heading": entry.shown().heading,
        "negation": entry.negation(),
        "not_understood": entry.not_understood(),
        "changed": entry.is_changed(),
        "fields": parsed(entry.fields_json()),
        "provenance": parsed(entry.provenance_json()),
        "withheld": entry.withheld(),
    })
}

fn envelope_for_programs(excerpt: &VerifiedExcerpt) -> Json {
    json!({
        "outcome": outcome(excerpt),
        "compared": excerpt.compared().name(),
        "signer": excerpt.outcome().name(),
        "issuer": {
            "name": excerpt.issuer(),
            "role": role_name(excerpt.issuer_role()),
            "fingerprint": excerpt.fingerprint().to_string(),
        },
        "recipient": excerpt.recipient(),
        "purpose": excerpt.purpose(),
        "subject": excerpt.subject().map(|subject| json!({ "name": subject.name, "born": subject.born })),
        "issued": moment_for_programs(excerpt.issued()),
        "expires": excerpt.expires().map(moment_for_programs),
        "id": excerpt.id().to_string(),
        "statement": STATEMENT,
        "notices_in_the_signers_words": excerpt.notices(),
    })
}

/// `public-key`: the key that others verify this vault's excerpts with.
pub(crate) fn public_key(common: &Common, command: &arguments::PublicKey) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let vault = access::to_read(common, &path)?;
    let key = vault.public_key()?;
    let (name, role) = vault.issuer()?;
    note(&format!("Fingerprint, to compare by telephone: {}", key.fingerprint()));
    note(&format!("Others trust it for excerpts signed under this name: {}", printable(name.as_str())));
    let file = key_file(&key, name.as_str(), role);
    match &command.out {
        None => output::say(&file),
        Some(name) => {
            let mut out = NewFile::create(name)?;
            out.write(format!("{file}\n").as_bytes())?;
            out.finish()
        }
    }
}

/// The JWK with what it signs as beside it: members of other names do no harm in a JWK
/// (RFC 7517 section 4).
fn key_file(key: &PublicKey, name: &str, role: IssuerRole) -> String {
    let mut file: Json = serde_json::from_str(&key.to_jwk()).unwrap_or_default();
    if let Some(members) = file.as_object_mut() {
        members.insert(SIGNS_AS.0.to_owned(), name.into());
        members.insert(SIGNS_AS.1.to_owned(), role_name(role).into());
    }
    file.to_string()
}
