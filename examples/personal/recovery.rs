//! The recovery key: shown once, written on paper, one word asked back.

use std::path::Path;

use subrosa::RecoveryKey;

use crate::arguments::Init;
use crate::failure::Failure;
use crate::output::{NewFile, note};
use crate::prompt;

/// How often the word may be mistyped.
const ATTEMPTS: usize = 3;

/// A recovery key, if there is to be one and somebody has it.
pub(crate) fn offer(command: &Init) -> Result<Option<RecoveryKey>, Failure> {
    if command.no_recovery_key {
        return Ok(None);
    }
    if command.recovery_key_out.is_some() {
        return generate().map(Some);
    }
    if !prompt::is_interactive() {
        note(
            "There will be no recovery key: without a terminal nobody could write it down. If the password is \
             lost, so is the vault. (--recovery-key-out FILE writes one.)",
        );
        return Ok(None);
    }
    note("");
    note("A recovery key opens the vault if you ever forget the password. Nobody else can help you then.");
    if prompt::agrees_by_default("Take pen and paper. Ready to write down your recovery key?")? {
        return written_down("no vault was created").map(Some);
    }
    match goes_without()? {
        true => Ok(None),
        false => written_down("no vault was created").map(Some),
    }
}

/// Whether somebody wants no recovery key, and says so in as many words.
fn goes_without() -> Result<bool, Failure> {
    note(
        "Then a forgotten password loses everything, for ever. To go on without a recovery key, type: no key",
    );
    loop {
        let answer = prompt::line("no key, or Enter to write one down: ")?;
        match answer.map(|answer| answer.trim().to_lowercase()).as_deref() {
            Some("no key") => return Ok(true),
            Some("") => return Ok(false),
            Some(_) => note("Type the two words: no key"),
            None => return Err(Failure::refused("no vault was created; begin again when you are ready")),
        }
    }
}

/// A recovery key in place of one that was used, if somebody has it.
pub(crate) fn offer_another(to_file: bool) -> Result<Option<RecoveryKey>, Failure> {
    if to_file {
        return generate().map(Some);
    }
    if !prompt::is_interactive() {
        note(
            "The recovery key stays the same: without a terminal nobody could write another down. \
             (--new-recovery-key-out FILE writes one.)",
        );
        return Ok(None);
    }
    if !prompt::agrees(
        "A new recovery key makes the old paper worthless. Do you have pen and paper for one?",
    )? {
        note("The recovery key stays the same.");
        return Ok(None);
    }
    written_down("nothing was changed").map(Some)
}

/// A new recovery key that is on paper.
fn written_down(otherwise: &str) -> Result<RecoveryKey, Failure> {
    let key = generate()?;
    show(&key);
    if asked_back(&key)? {
        note("Good. The words are still in this window: clear it, or close it when you are done.");
        return Ok(key);
    }
    Err(Failure::refused(format!("the recovery key was not written down: {otherwise}; begin again")))
}

/// A new recovery key.
pub(crate) fn generate() -> Result<RecoveryKey, Failure> {
    RecoveryKey::generate().map_err(|error| Failure::from(subrosa::Error::from(error)))
}

fn show(key: &RecoveryKey) {
    let words = key.to_words();
    let words: Vec<&str> = words.expose_secret().split(' ').collect();
    note("\nWrite these 24 words down, in this order, and keep the paper where you keep your passport:\n");
    for (row, line) in words.chunks(4).enumerate() {
        let numbered =
            line.iter().enumerate().map(|(at, word)| format!("{:>2} {word:<10}", row * 4 + at + 1));
        note(&format!("  {}", numbered.collect::<String>().trim_end()));
    }
    note("\nOr these eight groups, which are the same key:\n");
    note(&format!("  {}\n", key.to_groups().expose_secret()));
}

/// Asks for one word, so that the paper is known to exist.
fn asked_back(key: &RecoveryKey) -> Result<bool, Failure> {
    // Which word is asked for is no secret.
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let position = usize::try_from(clock.subsec_micros() % 24).unwrap_or_default() + 1;
    for _ in 0..ATTEMPTS {
        let Some(answer) = prompt::line(&format!("To be sure, what is word number {position}? "))? else {
            break;
        };
        if key.word(position).is_some_and(|word| word == answer.trim().to_lowercase()) {
            return Ok(true);
        }
        note("That is another word. Look again at what you wrote.");
    }
    Ok(false)
}

/// Writes a recovery key to a new file that only its owner may read.
pub(crate) fn write<'a>(path: &'a Path, key: &RecoveryKey) -> Result<NewFile<'a>, Failure> {
    let mut file = NewFile::create(path)?;
    file.write(key.to_words().expose_secret().as_bytes())?;
    file.write(b"\n")?;
    Ok(file)
}
