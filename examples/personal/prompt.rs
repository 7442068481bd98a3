//! Questions to the person at the keyboard, on standard error, and their answers.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use subrosa::Password;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output::{note, printable_lines, width_of_notes, wrapped};

/// Longest answer in bytes.
const ANSWER_LIMIT: u64 = 1 << 20;
/// Longest file with a password or recovery key in bytes.
const SECRET_FILE_LIMIT: u64 = 64 * 1024;

/// Whether somebody can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a line; `None` at the end of the input. A script that pipes its
/// answers in is not shown the questions.
pub(crate) fn line(question: &str) -> Result<Option<String>, Failure> {
    if is_interactive() {
        let _ = write!(io::stderr(), "{}", wrapped(&printable_lines(question), width_of_notes()))
            .and_then(|()| io::stderr().flush());
    }
    let mut answer = String::new();
    let read = io::stdin().lock().take(ANSWER_LIMIT).read_line(&mut answer);
    match read {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(answer.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::refused("the answer is not UTF-8 text"))
        }
        Err(error) => Err(Failure::file("the answer cannot be read", &error)),
    }
}

/// The value, or what is answered when it is `-`.
pub(crate) fn value(given: Option<&str>, question: &str) -> Result<Option<String>, Failure> {
    match given {
        Some("-") => Ok(line(&format!("{question}: "))?.filter(|answer| !answer.trim().is_empty())),
        other => Ok(other.map(str::to_owned)),
    }
}

/// The values; `-` among them asks for several, separated by commas.
pub(crate) fn values(given: &[String], question: &str) -> Result<Vec<String>, Failure> {
    let mut values = Vec::new();
    for one in given {
        match one.as_str() {
            "-" => {
                let answer = line(&format!("{question}, separated by commas: "))?.unwrap_or_default();
                values.extend(answer.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned));
            }
            _ => values.push(one.clone()),
        }
    }
    Ok(values)
}

/// Asks for a yes; anything else is a no.
pub(crate) fn agrees(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [y/N] "))?.unwrap_or_default();
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Asks for a no; Enter is a yes, and so is nothing else but the word.
pub(crate) fn agrees_by_default(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [Y/n] "))?;
    Ok(answer.is_some_and(|answer| ["", "y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
}

/// Goes on only after a yes.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    if yes || agrees(question)? {
        return Ok(());
    }
    Err(Failure::refused("not confirmed: nothing was done (--yes says yes in scripts)"))
}

/// A secret that is typed and not shown.
pub(crate) fn hidden(question: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|_| {
        Failure::usage("there is no terminal to ask for the password on: use --password-file FILE")
    })
}

/// A secret in a file, without a byte order mark and without the one end of its line.
pub(crate) fn secret_file(path: &Path, what: &str) -> Result<Zeroizing<String>, Failure> {
    let unreadable = |error: &io::Error| Failure::file(&format!("the {what} file cannot be read"), error);
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(SECRET_FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > SECRET_FILE_LIMIT {
        return Err(Failure::refused(format!("the {what} file is too long; is it the right file?")));
    }
    if is_utf16(&bytes) {
        return Err(Failure::refused(format!(
            "the {what} file is in UTF-16: save it as UTF-8 and try again"
        )));
    }
    let text = std::str::from_utf8(without_mark(&bytes))
        .map_err(|_| Failure::refused(format!("the {what} file is not UTF-8 text; is it the right file?")))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// Text without the byte order mark that some editors put before it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Whether it is text in UTF-16, which has a mark of its own or every other byte zero.
fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || matches!(text, [0, letter, ..] | [letter, 0, ..] if *letter != 0)
}

/// A password of this text.
pub(crate) fn password(text: &str) -> Result<Password, Failure> {
    Password::new(text.to_owned()).map_err(|error| Failure::refused(error.to_string()))
}

/// A new password: from a file, or typed twice. Weak ones are advised against.
pub(crate) fn new_password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = secret_file(path, "password")?;
        if let Some(advice) = weakness(&text) {
            note(&advice);
        }
        return Ok(text);
    }
    loop {
        let text = hidden("New password: ")?;
        if text.is_empty() {
            return Err(Failure::refused("no password was given: nothing was done"));
        }
        if let Some(advice) = weakness(&text) {
            note(&advice);
            if !is_interactive() || !agrees("Use it all the same?")? {
                continue;
            }
        }
        if hidden("The same password again: ")? == text {
            return Ok(text);
        }
        note("The two are not the same. Once more:");
    }
}

/// Why a password is weak and what to do, if it is.
fn weakness(text: &str) -> Option<String> {
    let entropy = zxcvbn::zxcvbn(text, &["subrosa", "vault", "health"]);
    if entropy.score() >= zxcvbn::Score::Three {
        return None;
    }
    let mut advice = "This password is easy to guess, and whoever has the file can try many.".to_owned();
    if let Some(feedback) = entropy.feedback() {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        warning.into_iter().chain(suggestions).for_each(|sentence| advice.push_str(&format!(" {sentence}")));
    }
    advice.push_str(" Five or six words that have nothing to do with each other are good and easy to keep.");
    Some(advice)
}
