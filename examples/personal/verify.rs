//! `verify` and `public-key`: checking an excerpt, and what others check yours with.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};
use subrosa::excerpt::{
    Compared, Fingerprint, IssuerRole, KeyFile, Outcome, STATEMENT, SignsAs, VerifiedEntry, VerifiedExcerpt,
};
use subrosa::{TrustedKeys, UnverifiedExcerpt};

use crate::access;
use crate::arguments::{self, Common, Verify};
use crate::failure::{Exit, Failure};
use crate::output::{self, NewFile, Stream, count, moment, moment_for_programs, note, printable};
use crate::target;

/// Longest file in bytes; the library refuses a shorter one with its own words.
const FILE_LIMIT: u64 = 65 << 20;
/// Longest key in bytes.
const KEY_LIMIT: u64 = 64 * 1024;

pub(crate) fn run(common: &Common, command: &Verify) -> Result<(), Failure> {
    let trusted = trusted(command)?;
    let file = read(&command.file, FILE_LIMIT, "the excerpt")?;
    let parsed = UnverifiedExcerpt::parse(&file);
    drop(file);
    match parsed.and_then(|excerpt| excerpt.verify_claims_only(&trusted, SystemTime::now())) {
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

/// Each key for what its file says that it signs as; `--name` is for keys that nothing says
/// it of. Else one name would be believed of every key that is given.
fn trusted(command: &Verify) -> Result<TrustedKeys, Failure> {
    let (mut trusted, mut is_named) = (TrustedKeys::none(), command.name.is_empty());
    for key in &command.key {
        if let Some(fingerprint) = fingerprint(key)? {
            (trusted, is_named) = (trusted.and_fingerprint(fingerprint, named(command)?), true);
            continue;
        }
        let file = KeyFile::parse(&read(key, KEY_LIMIT, "the key file")?);
        let file = file.map_err(|error| Failure::refused(error.to_string()))?;
        let signs_as = match file.signs_as().filter(|_| !command.any_name) {
            Some(signs_as) => signs_as.clone(),
            None => {
                is_named = true;
                named(command)?
            }
        };
        trusted = trusted.and(*file.key(), signs_as);
    }
    match is_named {
        true => Ok(trusted),
        false => Err(Failure::usage(
            "the key file says itself under which name its key signs: leave --name and --role out; to trust the key \
             under another name, give its fingerprint instead of the file",
        )),
    }
}

/// The fingerprint, if it is one and no file's name; what looks like a part of one is
/// refused.
fn fingerprint(key: &Path) -> Result<Option<Fingerprint>, Failure> {
    let text = key.to_str().unwrap_or_default();
    let is_like_one = text.len() > 16
        && text.chars().all(|character| character.is_ascii_hexdigit() || " :-".contains(character));
    match text.parse() {
        Ok(fingerprint) => Ok(Some(fingerprint)),
        Err(error) if is_like_one && !key.exists() => Err(Failure::usage(error.to_string())),
        Err(_) => Ok(None),
    }
}

/// What the command says that a key is trusted to sign as.
fn named(command: &Verify) -> Result<SignsAs, Failure> {
    if command.any_name {
        return Ok(SignsAs::any_name_and_role());
    }
    let role =
        if command.role.as_deref() == Some("patient") { IssuerRole::Patient } else { IssuerRole::Provider };
    let named = command.name.split_first().map(|(first, others)| {
        others.iter().fold(SignsAs::of(role, first), |signs_as, name| signs_as.or_name(name))
    });
    named.ok_or_else(|| {
        Failure::usage(
            "say whose key it is, since that is not in a key file: --name NAME for the name that it must sign \
             under, with --role patient if it is a patient's; or --any-name to trust it under every name",
        )
    })
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
            "the key is one that you trust, and it signed under another name or role than you trust it for, as said \
             above: ask its owner why, and do not rely on this",
        ),
        _ if command.accept_unknown_signer => Ok(()),
        _ => refused(
            "the signer is unknown: ask them for their key file, or their fingerprint, another way than this file \
             came, and give it with --key FILE.jwk, or --key \"FINGERPRINT\" --name NAME; --accept-unknown-signer \
             does without",
        ),
    }
}

fn read(path: &Path, limit: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        _ => std::fs::File::open(path).and_then(|file| {
            // Growing would take the room of two.
            let length = file.metadata().map_or(0, |known| known.len()).min(limit);
            bytes.reserve_exact(usize::try_from(length).unwrap_or_default().saturating_add(1));
            file.take(limit).read_to_end(&mut bytes)
        }),
    };
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::reading(path, &error),
        _ => Failure::file(what, &error),
    })?;
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
fn verdict(excerpt: &VerifiedExcerpt) -> Vec<String> {
    let (first, page) = match (excerpt.compared(), excerpt.outcome()) {
        (Compared::DifferentPage, _) => {
            ("THE PAGE DIFFERS from what was signed: do not read the page. What was signed is below.", "")
        }
        (Compared::UnknownPage, _) => {
            ("THE PAGE IS NOT CHECKED: this program does not know its layout. What was signed is below.", "")
        }
        (Compared::ResavedPage, _) => (
            "SAVED AGAIN: a program changed the file without changing what the page says. What was signed is below.",
            "Keep the file as it was issued if you have to show it to others.",
        ),
        (compared, Outcome::SignedByTrustedKey) => {
            ("GENUINE: unchanged since it was signed.", page_words(compared))
        }
        (compared, _) => ("UNCHANGED since it was signed.", page_words(compared)),
    };
    let mut lines = vec![first.to_owned()];
    lines.extend(excerpt.who_signed().iter().map(|sentence| hanging(sentence)));
    lines.push(page.to_owned());
    lines.retain(|line| !line.is_empty());
    lines
}

/// A sentence whose further lines are set in: names in it cannot begin a line.
fn hanging(sentence: &str) -> String {
    match sentence.split_once(' ') {
        Some((first, rest)) => output::indented(&format!("{first} "), rest),
        None => printable(sentence),
    }
}

fn page_words(compared: Compared) -> &'static str {
    match compared {
        Compared::Page => "The page was compared, byte for byte: it shows what was signed and nothing else.",
        _ => "Only the signed tokens were checked: this file has no page to compare.",
    }
}

/// Entry by entry: the words of one are gone before those of the next are made.
fn told(out: &mut Stream, excerpt: &VerifiedExcerpt) -> Result<(), Failure> {
    out.say(&envelope_told(excerpt).join("\n"))?;
    excerpt.entries().iter().try_for_each(|entry| {
        out.say("")?;
        out.entry(&entry.shown())
    })
}

fn envelope_told(excerpt: &VerifiedExcerpt) -> Vec<String> {
    let mut lines = verdict(excerpt);
    lines.push(String::new());
    lines.push(match excerpt.outcome() {
        Outcome::SignedByTrustedKey => output::indented("Signed by    ", excerpt.issuer()),
        Outcome::KnownKeyOtherName => output::indented("Signed as    ", excerpt.issuer()),
        _ => output::indented("Claimed signer  ", excerpt.issuer()),
    });
    lines.push(format!("Fingerprint  {}", excerpt.fingerprint()));
    lines.push(output::indented("For          ", excerpt.recipient()));
    lines.push(output::indented("Purpose      ", excerpt.purpose()));
    if let Some(subject) = excerpt.subject() {
        let born = subject.born_in_words().map(|born| format!(", born {born}")).unwrap_or_default();
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
        out.json(before)?;
        entry_for_programs(out, entry)?;
        before = ",\n    ";
    }
    out.json(if excerpt.entries().is_empty() { "]\n}\n" } else { "\n  ]\n}\n" })
}

/// What was signed, number by number as it was written, and the warnings that every
/// rendering says.
fn entry_for_programs(out: &mut Stream, entry: &VerifiedEntry) -> Result<(), Failure> {
    let shown = entry.shown();
    let said = json!({
        "kind": entry.kind(),
        "heading": shown.heading,
        "warnings": shown.warnings,
        "negation": entry.negation(),
        "not_understood": entry.not_understood(),
        "changed": entry.is_changed(),
        "words_withheld": entry.words_withheld(),
        "perhaps_same": entry.perhaps_same(),
        "withheld": entry.withheld_fields(),
    });
    drop(shown);
    let said = format!("{said:#}").replace('\n', "\n    ");
    out.json(said.trim_end_matches('}').trim_end())?;
    out.json(",\n      \"fields\": ")?;
    out.json(&entry.fields_json())?;
    out.json(",\n      \"provenance\": ")?;
    out.json(&entry.provenance_json())?;
    out.json("\n    }")
}

fn envelope_for_programs(excerpt: &VerifiedExcerpt) -> Json {
    json!({
        "outcome": outcome(excerpt),
        "compared": excerpt.compared().name(),
        "signer": excerpt.outcome().name(),
        "issuer": {
            "name": excerpt.issuer(),
            "role": excerpt.issuer_role().name(),
            "fingerprint": excerpt.fingerprint().to_string(),
            "is_checked": excerpt.outcome() == Outcome::SignedByTrustedKey,
        },
        "who_signed": excerpt.who_signed(),
        "names_differ": excerpt.names_differ(),
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

/// `public-key`: the key that others verify excerpts with that this way in releases.
pub(crate) fn public_key(common: &Common, command: &arguments::PublicKey) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let vault = access::to_read(common, &path)?;
    let key = vault.public_key()?;
    let (name, role) = vault.issuer()?;
    note(&format!("Fingerprint, to compare by telephone: {}", key.fingerprint()));
    note(&format!("Others trust it for excerpts signed under this name: {}", printable(name.as_str())));
    note(
        "It verifies what you release when you open the vault as you did now: each password and each recovery key \
         signs with a key of its own. A changed password keeps it.",
    );
    let file = KeyFile::write(&key, role, name.as_str());
    match &command.out {
        None => output::say_json(&file),
        Some(name) => {
            let mut out = NewFile::create(name)?;
            out.write(format!("{file}\n").as_bytes())?;
            out.finish()
        }
    }
}
