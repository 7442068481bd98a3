//! `release`: a selection leaves, after a look at what exactly.

mod preview;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::json;
use subrosa::release::{Audience, RedactedEntry, View};
use subrosa::{Actor, Error, Excerpt, Mask, Policy, ReleaseRequest, Token, Vault};

use crate::access;
use crate::arguments::{Common, Release};
use crate::entries;
use crate::failure::Failure;
use crate::list;
use crate::output::{self, NewFile, count, note, printable};
use crate::prompt;
use crate::target;

/// Names that are tried for an output that was not named.
const NAMES_TRIED: usize = 1000;

pub(crate) fn run(common: &Common, command: &Release) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let plan = Plan::of(command)?;
    if command.preview {
        let vault = access::to_read(common, &path)?;
        let view = vault.preview(&plan.policy(&vault)?)?;
        return match common.json {
            true => output::say_json(&preview::for_programs(&view, &command.mask)?),
            false => output::say(&preview::told(&vault, &view, &command.mask)?),
        };
    }
    if access::is_read_only(&path) {
        return Err(Failure::environment(
            "the vault cannot be written here, and what leaves it must be recorded in its ledger first: copy the \
             vault to where it can be written, or make the file writable",
        ));
    }
    let (recipient, purpose) = parties(command)?;
    let vault = access::to_write(common, &path)?;
    let policy = plan.policy(&vault)?;
    let view = vault.preview(&policy)?;
    let entries = view.released().len();
    if entries > 0 && !common.yes {
        let question = format!(
            "\nHand out {} to {}? What is handed out cannot be taken back.",
            count(entries, "entry", "entries"),
            printable(recipient.as_str())
        );
        if prompt::is_interactive() {
            note(&preview::told(&vault, &view, &command.mask)?);
        }
        prompt::confirm(false, &question)?;
    }
    let request = ReleaseRequest::new(recipient.as_str(), purpose.as_str(), policy).map_err(Error::from)?;
    let mut request = request.as_previewed(&view);
    if let Some(expires) = plan.expires {
        request = request.expiring(expires);
    }
    if command.clock_is_right {
        request = request.with_clock_confirmed();
    }
    let notices = preview::notices(&view, &command.mask)?;
    let name = output_name(command)?;
    // The file is created and has its room first: once the ledger says "released", it is
    // there to be filled.
    let mut file = NewFile::create(&name)?;
    file.reserve(likely_length(&view))?;
    let excerpt = match vault.release(&Actor::owner(), &request) {
        Err(error @ Error::DoubtfulClock { .. }) if prompt::is_interactive() => {
            note(&format!("CAREFUL: {error}."));
            prompt::confirm(false, "Sign with that date?")?;
            vault.release(&Actor::owner(), &request.with_clock_confirmed())?
        }
        released => released?,
    };
    write(file, &name, &excerpt).map_err(|failure| recorded_only(failure, &excerpt.id().to_string()))?;
    access::close(vault);
    if common.json {
        return output::json(&json!({
            "excerpt": excerpt.id().to_string(),
            "file": name.display().to_string(),
            "entries": entries,
            "notices": notices,
        }));
    }
    notices.iter().try_for_each(|notice| output::say(&preview::noted(notice)))?;
    output::say(&format!(
        "Released {} as {}.\nThe recipient checks it with `personal verify` and your public key (`personal \
         public-key`), which you give them another way. The ledger notes the release.",
        count(entries, "entry", "entries"),
        printable(&name.display().to_string())
    ))
}

/// Bytes that an excerpt of this takes at most, as a rule: its tokens, and the page around
/// them.
fn likely_length(view: &View) -> u64 {
    let of_entry = |entry: &RedactedEntry| 4096 + 6 * entry.disclosed_json().len();
    let all: usize = view.released().iter().map(of_entry).sum();
    32 * 1024 + u64::try_from(all).unwrap_or(u64::MAX / 2)
}

/// The release is recorded, and its file could not be written.
fn recorded_only(failure: Failure, copy: &str) -> Failure {
    failure.followed_by(&format!(
        "; no file was kept and nothing left, but the ledger records the release already, as copy {copy}: release \
         again to another place, which is recorded as a release of its own"
    ))
}

fn write(mut file: NewFile<'_>, name: &Path, excerpt: &Excerpt) -> Result<(), Failure> {
    let content = match is_page(name) {
        true => excerpt.to_html().map_err(|error| Failure::refused(error.to_string()))?,
        false => excerpt.to_json(),
    };
    file.write(content.as_bytes())?;
    file.finish()
}

fn parties(command: &Release) -> Result<(Token, Token), Failure> {
    let recipient = prompt::value(command.to.as_deref(), "Who gets it")?.unwrap_or_default();
    let purpose = prompt::value(command.purpose.as_deref(), "What for")?.unwrap_or_default();
    let token = |text: String, what| {
        Token::new(text.trim()).map_err(|error| Failure::refused(format!("{what}: {error}")))
    };
    Ok((token(recipient, "the recipient (--to)")?, token(purpose, "the purpose (--purpose)")?))
}

/// What was asked for, before the vault is open.
struct Plan<'a> {
    policy: Policy,
    entries: &'a [String],
    not_understood: &'a [String],
    without_words: &'a [String],
    expires: Option<SystemTime>,
}

impl<'a> Plan<'a> {
    fn of(command: &'a Release) -> Result<Self, Failure> {
        let mut policy = Policy::everything_of(list::kinds(&command.kind)?);
        for code in prompt::values(&command.code, "Which codes")? {
            let code = with_full_system(&code)
                .parse()
                .map_err(|error: subrosa::release::ParseCodeFilterError| Failure::usage(error.to_string()))?;
            policy = policy.with_code(code);
        }
        if let Some(since) = list::date(command.since.as_deref())? {
            policy = policy.since(since);
        }
        if let Some(until) = list::date(command.until.as_deref())? {
            policy = policy.until(until);
        }
        for mask in &command.mask {
            let (field, mask) = parse_mask(mask)?;
            policy = policy.mask(field, mask).map_err(|error| Failure::usage(error.to_string()))?;
        }
        if let Some(name) = &command.audience {
            let audience = Audience::from_name(name);
            let unknown = || Failure::usage("the audience is third-party, treatment or patient");
            policy = policy.for_audience(audience.ok_or_else(unknown)?);
        }
        if command.bars {
            policy = policy.with_bars();
        }
        if command.not_understood {
            policy = policy.with_not_understood();
        }
        if command.without_words {
            policy = policy.with_words_withheld();
        }
        for field in &command.include {
            policy = policy.include(field).map_err(|error| Failure::usage(error.to_string()))?;
        }
        Ok(Self {
            policy,
            entries: &command.entry,
            not_understood: &command.not_understood_of,
            without_words: &command.without_words_of,
            expires: expires(command.expires.as_deref())?,
        })
    }

    fn policy(&self, vault: &Vault) -> Result<Policy, Failure> {
        let mut policy = self.policy.clone();
        for entry in self.entries {
            policy = policy.and_entry(access::entry_id(vault, entry)?);
        }
        for entry in self.not_understood {
            policy = policy.with_not_understood_of(access::entry_id(vault, entry)?);
        }
        for entry in self.without_words {
            policy = policy.with_words_withheld_of(access::entry_id(vault, entry)?);
        }
        Ok(policy)
    }
}

/// The code with the URI of its system where people's name for it was given.
fn with_full_system(code: &str) -> String {
    match code.rsplit_once('|') {
        Some((system, code)) => format!("{}|{code}", entries::system_uri(system).unwrap_or(system)),
        None => code.to_owned(),
    }
}

fn parse_mask(text: &str) -> Result<(&str, Mask), Failure> {
    match text.split_once('=').map(|(field, mask)| (field, mask.trim().to_lowercase())) {
        Some((field, mask)) if mask == "year" => Ok((field, Mask::Year)),
        Some((field, mask)) if mask == "withhold" => Ok((field, Mask::Withhold)),
        _ => {
            Err(Failure::usage("write a mask as FIELD=year or FIELD=withhold; --include FIELD keeps a field"))
        }
    }
}

/// The end of a day, in UTC.
fn expires(text: Option<&str>) -> Result<Option<SystemTime>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let day: Option<jiff::civil::Date> = text.parse().ok();
    let midnight = day.and_then(|day| day.tomorrow().ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    let Some(end) = midnight else {
        return Err(Failure::usage("write the last day of validity like 2027-01-31"));
    };
    let seconds = u64::try_from(end.timestamp().as_second()).unwrap_or_default();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    if end <= SystemTime::now() {
        return Err(Failure::usage("the last day of validity is past already"));
    }
    Ok(Some(end))
}

/// Where the excerpt goes; the default name says nothing about its content.
fn output_name(command: &Release) -> Result<PathBuf, Failure> {
    if let Some(name) = &command.out {
        let known = is_page(name) || has_extension(name, &["json"]);
        let refused = || Failure::usage("an excerpt's file ends in .html (to read and print) or .json");
        return if known { Ok(name.clone()) } else { Err(refused()) };
    }
    let day = jiff::Timestamp::now().strftime("excerpt-%Y%m%d").to_string();
    let numbered = (2..NAMES_TRIED).map(|number| format!("{day}-{number}.html"));
    let names = std::iter::once(format!("{day}.html")).chain(numbered).map(PathBuf::from);
    let mut free = names.filter(|name| name.symlink_metadata().is_err());
    free.next()
        .ok_or_else(|| Failure::refused("there are too many excerpts of today here; name one with --out"))
}

fn is_page(name: &Path) -> bool {
    has_extension(name, &["html", "htm"])
}

fn has_extension(name: &Path, known: &[&str]) -> bool {
    name.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| known.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_whose_file_failed_says_that_it_is_recorded() {
        let failure = recorded_only(Failure::environment("the disk is full"), "00ff");
        let Failure::Told { message, .. } = failure else { panic!("it is told") };
        assert!(message.starts_with("the disk is full; no file was kept and nothing left"));
        assert!(message.contains("records the release already, as copy 00ff"));
    }
}
