//! Files and folders of somebody else: what is closed is named, with what to do.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{BUNDLE, Person, program};

/// Somebody with no rights, as most systems number them.
const NOBODY: &str = "65534";

/// Runs the program as another user; `None`, said loudly, where that cannot be done.
fn as_nobody(person: &Person, arguments: &[&str]) -> Option<(i32, String, String)> {
    let run = |program: PathBuf, arguments: &[&str]| {
        let ids = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
        let command = Command::new("setpriv")
            .args(ids)
            .arg(program)
            .args(arguments)
            .current_dir(person.path("."))
            .env_remove("SUBROSA_VAULT")
            .stdin(Stdio::null())
            .output();
        command.ok()
    };
    if !run(program(), &["--version"]).is_some_and(|ran| ran.status.success()) {
        eprintln!("SKIPPED: this user may not run the program as another one, so this test proves nothing");
        return None;
    }
    let ran = run(program(), &[&["--password-file", "password"], arguments].concat()).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Some((ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr)))
}

#[cfg(unix)]
fn permit(person: &Person, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(person.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A person whose folder others may enter, with a vault that they may read and write, a
/// folder `locked` in which they may not write and one, `closed`, that they may not enter.
#[cfg(unix)]
fn among_others() -> Person {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    let release = ["release", "my.vault", "--yes", "--to", "x", "--purpose", "y", "--kind", "diagnosis"];
    person.run(&[&release[..], &["--out", "a.html"]].concat()).done();
    for folder in ["locked", "closed"] {
        std::fs::create_dir(person.path(folder)).unwrap();
        for file in ["my.vault", "records.json", "a.html"] {
            std::fs::copy(person.path(file), person.path(&format!("{folder}/{file}"))).unwrap();
        }
    }
    std::fs::set_permissions(person.path("."), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (name, mode) in
        [("my.vault", 0o666), ("locked", 0o755), ("closed", 0o700), ("locked/records.json", 0o600)]
    {
        permit(&person, name, mode);
    }
    person
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_closed_is_named_with_what_to_do() {
    let person = among_others();
    let release =
        ["release", "my.vault", "--yes", "--to", "x", "--purpose", "y", "--kind", "diagnosis", "--out"];
    let release = |name: &'static str| [&release[..], &[name]].concat();
    let before = person.read("my.vault");
    for (command, words) in [
        (
            vec!["init", "locked/new.vault", "--no-recovery-key"],
            "may not write in the folder locked: name a folder",
        ),
        (vec!["init", "closed/new.vault", "--no-recovery-key"], "may not write in the folder closed"),
        (
            vec!["import", "my.vault", "closed/records.json"],
            "may not look into the folder closed: ask whoever",
        ),
        (
            vec!["import", "my.vault", "locked/records.json"],
            "locked/records.json: you may not read this file",
        ),
        (vec!["list", "closed/my.vault"], "may not look into the folder closed"),
        (vec!["list", "locked/my.vault"], "locked/my.vault: you may not read this file"),
        (vec!["export", "my.vault", "locked/all.json", "--yes"], "may not write in the folder locked"),
        (release("locked/b.html"), "may not write in the folder locked"),
        (release("closed/b.html"), "may not write in the folder closed"),
        (vec!["verify", "closed/a.html"], "may not look into the folder closed"),
        (vec!["verify", "locked/a.html"], "locked/a.html: you may not read this file"),
        (vec!["attach", "my.vault", "closed/records.json"], "may not look into the folder closed"),
        (vec!["extract", "my.vault", "0000", "locked/x"], ""),
    ] {
        let Some((exit, out, err)) = as_nobody(&person, &command) else { return };
        assert!([1, 5].contains(&exit), "{command:?}: {out}{err}");
        assert!(words.is_empty() || exit == 5, "{command:?}: {err}");
        assert!(err.contains(words) && !err.contains("os error"), "{command:?}: {err}");
        assert_eq!(err.lines().filter(|line| line.starts_with("personal: ")).count(), 1, "{err}");
    }
    assert!(person.read("my.vault") == before, "nothing was written");
    for name in ["locked", "closed"] {
        assert_eq!(std::fs::read_dir(person.path(name)).unwrap().count(), 3, "{name}: nothing is left");
    }
    // What is permitted works.
    let Some((exit, out, err)) = as_nobody(&person, &["list", "my.vault"]) else { return };
    assert!(exit == 0 && out.contains("melancholia"), "{err}");
}
