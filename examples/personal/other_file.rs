//! What stands where a vault was expected: another file, or what is left of a vault.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use subrosa::interop::ForeignFormat;

use crate::failure::Failure;
use crate::target;

/// Bytes of a file that tell what it is.
const LOOKED_AT: u64 = 8 * 1024;
/// No vault is shorter.
const SHORTEST_VAULT: u64 = 81920;
/// Names in a folder that are looked at for vaults.
const MOST_NAMES: usize = 200;
/// Vaults that are named.
const MOST_NAMED: usize = 3;

/// Says what a file is that is no vault, and what it is for.
pub(crate) fn told(path: &Path) -> Failure {
    let name = target::quoted(path);
    let start = beginning(path);
    let is_json = matches!(start.trim_ascii_start().first(), Some(b'{' | b'['));
    let more = match ForeignFormat::of(&start) {
        Some(ForeignFormat::Excerpt) => {
            format!("it is an excerpt: `personal verify {name}` checks it")
        }
        Some(format @ (ForeignFormat::Zip | ForeignFormat::Archive)) => {
            format!("it is {format}: unpack it first")
        }
        Some(ForeignFormat::Binary) if path.metadata().is_ok_and(|file| file.len() >= SHORTEST_VAULT) => {
            format!(
                "it is {}. If it was a vault, its first bytes are damaged: with a backup, \u{2018}personal check {name} \
             --repair --from BACKUP\u{2019} mends them",
                ForeignFormat::Binary
            )
        }
        Some(format) => format!(
            "it is {format}: to keep it, name a vault first, as in \u{2018}personal attach my.vault {name}\u{2019}"
        ),
        None if is_json => format!(
            "it is JSON, perhaps records: to take them in, name a vault first, as in \u{2018}personal import my.vault \
             {name}\u{2019}"
        ),
        None => "check the name of the file, or create a vault with `personal init`".to_owned(),
    };
    Failure::refused(format!("{name}: this is not a Subrosa vault: {more}"))
}

/// Says of a file that begins with zeros what may be done: it may be a vault behind them.
pub(crate) fn begins_with_zeros(path: &Path) -> Failure {
    let name = target::quoted(path);
    Failure::damaged(format!(
        "{name}: this file begins with zeros, as after a copy or a download that did not finish, or an error of the \
         disk. Do not delete it. If you have a backup of the vault, \u{2018}personal check {name} --repair --from \
         BACKUP\u{2019} mends what it can{}",
        vaults_beside(path)
    ))
}

fn beginning(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What cannot be read says nothing of what it is.
        let _ = file.take(LOOKED_AT).read_to_end(&mut start);
    }
    start
}

/// Which vaults lie in the folder of a file that was one, to look for a backup.
pub(crate) fn vaults_beside(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(names) = std::fs::read_dir(folder) else { return String::new() };
    let is_other = |other: &PathBuf| other.file_name() != path.file_name();
    let is_vault = |other: &PathBuf| ForeignFormat::of(&beginning(other)) == Some(ForeignFormat::Vault);
    let files =
        names.take(MOST_NAMES).flatten().filter(|entry| entry.metadata().is_ok_and(|known| known.is_file()));
    let mut found: Vec<PathBuf> = files.map(|entry| entry.path()).filter(is_other).filter(is_vault).collect();
    found.sort();
    let named: Vec<String> = found
        .iter()
        .take(MOST_NAMED)
        .filter_map(|other| other.file_name())
        .map(|name| target::quoted(Path::new(name)))
        .collect();
    match named.len() {
        0 => String::new(),
        1 => format!("; beside it lies a vault: {}", named.join(", ")),
        _ => format!("; beside it lie vaults: {}", named.join(", ")),
    }
}
