//! Runs the program as its user does, in a folder of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery staple rose";

/// A person at a keyboard: a folder with a password file and perhaps a vault.
pub(crate) struct Person {
    folder: tempfile::TempDir,
}

impl Person {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        std::fs::create_dir(folder.path().join("temporary")).unwrap();
        Self { folder }
    }

    /// A person with an empty vault, `my.vault`, and the recovery key in `key`.
    pub(crate) fn with_vault() -> Self {
        let person = Self::new();
        person
            .run(&["init", "my.vault", "--small-device", "--recovery-key-out", "key", "--name", "Ada Rose"])
            .done();
        person
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs with this on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        self.run_bare(&[&["--password-file", "password"], arguments].concat(), input)
    }

    /// Runs without a password file.
    pub(crate) fn run_bare(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(program())
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SUBROSA_VAULT")
            .env("TMPDIR", self.path("temporary"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end before it reads its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran { arguments: arguments.join(" "), output: child.wait_with_output().unwrap() }
    }
}

/// A person at a terminal, which util-linux's `script` plays; `None` where that is not
/// installed. Everything that the program writes is in the output.
impl Person {
    pub(crate) fn at_keyboard(&self, arguments: &[&str], typed: &str) -> Option<Ran> {
        let all = [&["--password-file", "password"], arguments].concat();
        self.at_keyboard_bare(&all, typed)
    }

    /// The same without a password file.
    pub(crate) fn at_keyboard_bare(&self, arguments: &[&str], typed: &str) -> Option<Ran> {
        self.at_terminal(arguments, typed, 100)
    }

    /// The same at a terminal of this many columns.
    pub(crate) fn at_terminal(&self, arguments: &[&str], typed: &str, columns: usize) -> Option<Ran> {
        let quoted = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
        let child = Command::new("script")
            .args([
                "-qec",
                &format!("stty -echo cols {columns}; '{}' {quoted}", program().display()),
                "/dev/null",
            ])
            .current_dir(self.folder.path())
            .env_remove("SUBROSA_VAULT")
            .env("TMPDIR", self.path("temporary"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("SKIPPED: there is no util-linux script");
            return None;
        };
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        Some(Ran { arguments: arguments.join(" "), output: child.wait_with_output().unwrap() })
    }
}

/// What a run gave.
pub(crate) struct Ran {
    arguments: String,
    output: Output,
}

impl Ran {
    pub(crate) fn exit(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub(crate) fn out_bytes(&self) -> &[u8] {
        &self.output.stdout
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// Expects success.
    pub(crate) fn done(self) -> Self {
        self.ended(0)
    }

    /// Expects this exit code, and of a failure one last line that says what it is.
    pub(crate) fn ended(self, exit: i32) -> Self {
        assert_eq!(self.exit(), exit, "{}\n{}\n{}", self.arguments, self.out(), self.err());
        assert!(!self.err().contains("panicked"), "{}", self.err());
        self
    }

    /// Expects a failure that one line tells, with these words in it.
    pub(crate) fn refused(self, exit: i32, words: &str) -> Self {
        let ran = self.ended(exit);
        let err = ran.err();
        let lines: Vec<&str> = err.lines().filter(|line| line.starts_with("personal: ")).collect();
        assert_eq!(lines.len(), 1, "{}\n{err}", ran.arguments);
        assert!(lines[0].contains(words), "{}\n{err}", ran.arguments);
        ran
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|_| panic!("{}\n{}", self.arguments, self.out()))
    }
}

/// Cargo builds the examples for `cargo test` and gives their paths to nobody; they lie
/// beside the folder that this test lies in.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap();
    let program = built.join("examples").join(format!("personal{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "run `cargo build --example personal` first: only `cargo test` alone builds it"
    );
    program
}

/// The files of a folder of the shared data, by name.
pub(crate) fn data(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    let Ok(files) = std::fs::read_dir(path) else {
        eprintln!("SKIPPED: ../shared/data is absent ({folder})");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "json" || e == "ndjson"));
    files.sort();
    files
}

/// A small record, written for these tests.
pub(crate) const BUNDLE: &str = r#"{
  "resourceType": "Bundle", "type": "collection", "id": "portal-download",
  "entry": [
    {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"family": "Rosenquist", "given": ["Adalind"]}], "birthDate": "1980-02-03"}},
    {"resource": {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
      "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.1", "display": "Recurrent melancholia"}]},
      "onsetDateTime": "2019-04-27", "note": [{"text": "Weeps at the piano"}]}},
    {"resource": {"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p1"},
      "code": {"coding": [{"system": "http://snomed.info/sct", "code": "195967001", "display": "Asthma of the kitchen"}]},
      "onsetDateTime": "2021"}},
    {"resource": {"resourceType": "Coverage", "id": "k1", "status": "active", "beneficiary": {"reference": "Patient/p1"}}}
  ]
}"#;
