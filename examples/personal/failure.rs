//! Why the program stops: an exit code, and one line that says what to do.
//!
//! No message holds a secret or a health value. It names a file only as it was typed.

use std::io::ErrorKind as IoKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use subrosa::vault::FormatError;
use subrosa::{Error, ErrorKind};

use crate::output::{note, printable};
use crate::target::{self, hinted};

/// The exit codes, as `--help` lists them.
#[derive(Clone, Copy)]
pub(crate) enum Exit {
    Refused = 1,
    Usage = 2,
    WrongCredential = 3,
    Damaged = 4,
    Environment = 5,
}

/// Why the program stops before it has done what was asked.
pub(crate) enum Failure {
    /// To be told.
    Told { exit: Exit, message: String },
    /// Everything was said already.
    Reported(Exit),
    /// Nobody reads the output any more, as with `| head`.
    ClosedPipe,
}

impl Failure {
    fn told(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told { exit, message: message.into() }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::told(Exit::Refused, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::told(Exit::Usage, message)
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self::told(Exit::Damaged, message)
    }

    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self::told(Exit::Environment, message)
    }

    /// Whether it is that the vault, or another file, is damaged.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Told { exit: Exit::Damaged, .. })
    }

    /// The same, with the name of the file that it is about in front.
    pub(crate) fn about(self, path: &std::path::Path) -> Self {
        match self {
            Self::Told { exit, message } => Self::told(exit, format!("{}: {message}", target::quoted(path))),
            other => other,
        }
    }

    /// The same, with more said in front of it.
    pub(crate) fn after(self, before: &str) -> Self {
        match self {
            Self::Told { exit, message } => Self::told(exit, format!("{before} {message}")),
            other => other,
        }
    }

    /// The same, with more said behind it.
    pub(crate) fn followed_by(self, more: &str) -> Self {
        match self {
            Self::Told { exit, message } => Self::told(exit, format!("{message}{more}")),
            other => other,
        }
    }

    /// A file that cannot be read or written; `what` says which.
    pub(crate) fn file(what: &str, error: &std::io::Error) -> Self {
        Self::environment(format!("{what}: {}", reason(error)))
    }

    /// A file that cannot be read: the folder is named where that is what is closed.
    pub(crate) fn reading(path: &Path, error: &std::io::Error) -> Self {
        let name = target::quoted(path);
        if error.kind() != IoKind::PermissionDenied {
            return Self::file(&name, error);
        }
        Self::environment(match path.symlink_metadata() {
            Ok(_) => {
                format!("{name}: you may not read this file: ask whoever owns it, or copy it as its owner")
            }
            Err(_) => format!(
                "{name}: you may not look into the folder {}: ask whoever owns it, or have the file copied to a \
                 folder of yours",
                folder(path)
            ),
        })
    }

    /// A file that cannot be made: the folder is named that it was to be in.
    pub(crate) fn creating(path: &Path, error: &std::io::Error) -> Self {
        let folder = folder(path);
        match error.kind() {
            IoKind::PermissionDenied => Self::environment(format!(
                "you may not write in the folder {folder}: name a folder of yours, or ask whoever owns it; nothing was \
                 written"
            )),
            IoKind::ReadOnlyFilesystem => Self::environment(format!(
                "the disk of the folder {folder} is read-only: name another folder; nothing was written"
            )),
            IoKind::NotFound => Self::environment(format!(
                "there is no folder {folder}: create it first, or name another one"
            )),
            _ => Self::file("the output file cannot be created", error),
        }
    }

    /// What the library says, or which file or folder is closed if that is why.
    pub(crate) fn opening(path: &Path, error: Error) -> Self {
        let denied = denied(&error).is_some();
        if denied { Self::reading(path, &IoKind::PermissionDenied.into()) } else { error.into() }
    }

    /// Says it and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let exit = match self {
            Self::ClosedPipe => return ExitCode::SUCCESS,
            Self::Reported(exit) => exit,
            Self::Told { exit, message } => {
                note(&format!("personal: {}", printable(&hinted(&message))));
                exit
            }
        };
        ExitCode::from(exit as u8)
    }
}

/// How closing failed, after a command that did its work.
static REMEMBERED: OnceLock<Exit> = OnceLock::new();

/// Says a failure that does not keep a command from telling what it did.
pub(crate) fn remember(failure: Failure) {
    if let Failure::Told { exit, message } = failure {
        note(&printable(&hinted(&message)));
        REMEMBERED.get_or_init(|| exit);
    }
}

/// The exit code of a command that told what it did.
pub(crate) fn exit() -> ExitCode {
    REMEMBERED.get().map_or(ExitCode::SUCCESS, |exit| ExitCode::from(*exit as u8))
}

/// The folder that a file is in, as it can be typed.
fn folder(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    target::quoted(folder.unwrap_or(Path::new(".")))
}

/// Whether the system did not permit it, however deep that is said.
fn denied(error: &(dyn std::error::Error + 'static)) -> Option<()> {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == IoKind::PermissionDenied) {
            return Some(());
        }
        next = error.source();
    }
    None
}

/// What the system said, in words for people.
fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{AlreadyExists, IsADirectory, NotFound, PermissionDenied, StorageFull};
    match error.kind() {
        NotFound => "there is no such file; check the name".to_owned(),
        PermissionDenied => "the system does not permit it; check the file's permissions".to_owned(),
        IsADirectory => "it is a folder; name the files in it".to_owned(),
        AlreadyExists => "there is such a file already; choose another name".to_owned(),
        StorageFull => "the disk is full; free some space and try again".to_owned(),
        _ => error.to_string(),
    }
}

/// What an error says and, in brackets, what the system said.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error} ({source})"),
        None => error.to_string(),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::WrongCredential | ErrorKind::Locked => Exit::WrongCredential,
            ErrorKind::Damaged => Exit::Damaged,
            // The vault or its folder, which is a matter of the disk.
            ErrorKind::NotFound if matches!(error, Error::Store(_)) => Exit::Environment,
            ErrorKind::Busy | ErrorKind::Environment => Exit::Environment,
            ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::Exists | ErrorKind::NewerVersion => {
                Exit::Refused
            }
        };
        // What is no vault, or not one that can be looked into, says by itself what to do.
        let advice = match error {
            Error::Format(FormatError::NotAVault) => advice(error.code()),
            Error::Format(FormatError::DamagedHeader) => " (`personal check --repair --from BACKUP`)",
            Error::Format(_) => "",
            _ => advice(error.code()),
        };
        let is_absent = error.code() == "not-found";
        let error = whole(&error);
        if let Some(unquoted) = target::unquoted().filter(|_| is_absent) {
            return Self::told(exit, format!("{error}: {unquoted}"));
        }
        Self::told(exit, format!("{error}{advice}"))
    }
}

/// What to do next, where the library's sentence does not say it.
fn advice(code: &str) -> &'static str {
    match code {
        "wrong-credential" => {
            " (Caps Lock? the keyboard layout?); if a password is forgotten, `personal recover` sets a new one with the recovery key"
        }
        "damaged" => {
            " (`personal check --repair --from BACKUP`), which keeps what is newer than the backup; `personal check \
             --explain` says what is lost"
        }
        "not-a-vault" => ": check the name of the file, or create a vault with `personal init`",
        "not-found" => " with `personal init`",
        "weak-kdf" => "; --accept-weak opens it",
        "costly-kdf" => "; no vault made by this program asks for so much: restore a backup",
        "needs-compartment" => ", such as the owner's password or the recovery key (--recovery-key)",
        "doubtful-clock" => "; --clock-is-right releases with that date",
        "no-such-revision" => " with `personal show --history`",
        "no-such-entry" => " with `personal list`",
        "second-name" => "; `find -samefile` finds it",
        _ => "",
    }
}
