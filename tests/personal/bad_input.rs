//! What is wrong is refused with the exit code of its sort and one line that says
//! what to do, in bounded time, and the vault is as it was.

use std::time::{Duration, Instant};

use super::support::{BUNDLE, PASSWORD, Person};
use super::with_records;

/// Offsets of docs/format.md, sections 3 to 5.
const AREAS: [usize; 2] = [4096, 32768];
const AREA_LEN: usize = 28672;
const AREA_HASHED: usize = 26976;

/// The areas of a vault with these Argon2id parameters, correctly hashed.
fn with_cost(vault: &[u8], memory_kib: u32, passes: u32) -> Vec<u8> {
    let mut vault = vault.to_vec();
    for start in AREAS {
        let area = &mut vault[start..start + AREA_LEN];
        assert_eq!(
            area[AREA_HASHED..AREA_HASHED + 32],
            blake3::hash(&area[..AREA_HASHED]).as_bytes()[..],
            "the area is where it is said to be"
        );
        for generation in [8, 52] {
            area[generation..generation + 4].copy_from_slice(&memory_kib.to_le_bytes());
            area[generation + 4..generation + 8].copy_from_slice(&passes.to_le_bytes());
        }
        let hash = blake3::hash(&area[..AREA_HASHED]);
        area[AREA_HASHED..AREA_HASHED + 32].copy_from_slice(hash.as_bytes());
    }
    vault
}

#[test]
fn a_wrong_password_is_told_from_a_damaged_file() {
    let person = with_records();
    person.write("wrong", "not the password");
    let before = person.read("my.vault");
    for command in [&["list"][..], &["import", "records.json"], &["check"]] {
        let (name, rest) = command.split_first().unwrap();
        let arguments = [&["--password-file", "wrong", name, "my.vault"], rest].concat();
        person.run_bare(&arguments, "").refused(3, "wrong password");
    }
    person.write("empty", "\n");
    person.run_bare(&["--password-file", "empty", "list", "my.vault"], "").refused(1, "password is empty");
    person.run_bare(&["--password-file", "absent", "list", "my.vault"], "").refused(5, "no such file");
    person.write("key", "abandon abandon");
    person.run_bare(&["--recovery-key-file", "key", "list", "my.vault"], "").refused(1, "24 words");
    assert!(person.read("my.vault") == before);
}

#[test]
fn a_change_that_is_not_whole_is_dropped_and_its_number_is_said() {
    use subrosa::record::Note;
    let person = with_records();
    let password = subrosa::Credential::password(PASSWORD).unwrap();
    let locked =
        subrosa::LockedVault::open(person.path("my.vault"), subrosa::VaultOptions::default()).unwrap();
    let vault = locked.unlock(&password).unwrap();
    let mut note = Note::default();
    note.text = vec![subrosa::record::Narrative::new("slept badly").unwrap()];
    let entry = subrosa::Entry::new(note, subrosa::Provenance::default());
    vault.update(&subrosa::Actor::owner(), |tx| tx.add(&entry)).unwrap();
    let (number, listed) = (vault.epoch(), vault.list(&subrosa::Filter::all()).unwrap().len());
    drop(vault);
    // The filler of the last segment ends the file, but for zeros that keep room.
    let mut file = person.read("my.vault");
    let last = file.iter().rposition(|byte| *byte != 0).unwrap();
    file[last] ^= 1;
    person.write("my.vault", file);
    let ran = person.run(&["list", "my.vault", "--json"]).done();
    let said = ran.err();
    assert!(said.contains(&format!("number {number}")) && said.contains("not in the vault"), "{said}");
    assert_eq!(ran.json().as_array().unwrap().len(), listed - 1);
    let again = person.run(&["list", "my.vault"]).done().err();
    assert!(!again.contains("not in the vault"), "{again}");
}

#[test]
fn hostile_password_costs_are_refused_within_a_second() {
    let person = with_records();
    let vault = person.read("my.vault");
    for (memory, passes) in [(u32::MAX, 3), (65536, u32::MAX), (u32::MAX, u32::MAX)] {
        let hostile = with_cost(&vault, memory, passes);
        person.write("hostile.vault", &hostile);
        let start = Instant::now();
        person.run(&["list", "hostile.vault"]).refused(1, "more password work");
        person.run(&["import", "hostile.vault", "records.json"]).refused(1, "more password work");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(person.read("hostile.vault") == hostile);
    }
    person.write("weak.vault", with_cost(&vault, 8 * 1024, 1));
    person.run(&["list", "weak.vault"]).refused(1, "--accept-weak");
    person.run(&["list", "weak.vault", "--accept-weak"]).refused(3, "wrong password");
}

#[test]
fn what_is_no_vault_or_a_newer_one_is_said_to_be() {
    let person = with_records();
    let vault = person.read("my.vault");
    person.run(&["list", "absent.vault"]).refused(5, "no vault at this path");
    let json = person.run(&["list", "records.json"]).refused(1, "not a Subrosa vault");
    assert!(json.err().contains("personal import my.vault records.json"), "{}", json.err());
    for (name, content, said) in
        [("empty.vault", &b""[..], "the file is empty"), ("zeros.vault", &[0; 9000], "begins with zeros")]
    {
        person.write(name, content);
        let empty = person.run(&["list", name]).refused(4, said);
        assert!(empty.err().contains("; beside it lies a vault: my.vault"), "{}", empty.err());
        person.run(&["import", name, "records.json"]).refused(4, said);
    }
    for length in [5, 16, 100, 4095] {
        person.write("cut.vault", &vault[..length]);
        person.run(&["list", "cut.vault"]).refused(4, "cut off in its first 4 KiB");
    }
    person.run(&["import", "my.vault", "my.vault"]).refused(1, "a Subrosa vault");
    person.write("scan.pdf", "%PDF-1.7\n");
    let pdf = person.run(&["list", "scan.pdf"]).refused(1, "a PDF document");
    assert!(pdf.err().contains("personal attach my.vault scan.pdf"), "{}", pdf.err());
    person.run(&["list", "."]).ended(5);
    let mut newer = vault.clone();
    newer[16] = 2;
    person.write("newer.vault", &newer);
    person.run(&["list", "newer.vault"]).refused(1, "newer version");
    let mut header = vault;
    header[40] ^= 1;
    person.write("header.vault", &header);
    person.run(&["list", "header.vault"]).refused(4, "header is damaged");
}

#[test]
fn a_truncated_or_flipped_vault_is_damaged_and_left_as_it_is() {
    let person = with_records();
    let vault = person.read("my.vault");
    for length in [4096, AREAS[1], 80_000, 103_000] {
        let truncated = &vault[..length];
        person.write("short.vault", truncated);
        person.run(&["list", "short.vault"]).refused(4, "");
        person.run(&["import", "short.vault", "records.json"]).refused(4, "");
        assert!(person.read("short.vault") == truncated, "{length}");
    }
    let mut areas = vault.clone();
    AREAS.iter().for_each(|start| areas[start + 100] ^= 1);
    person.write("areas.vault", &areas);
    person.run(&["list", "areas.vault"]).refused(4, "damaged");
    // Content behind the fixed parts: some bytes are free space, some are not.
    let mut found = 0;
    for offset in (102_400..vault.len()).step_by((vault.len() - 102_400) / 6 + 1) {
        let mut flipped = vault.clone();
        flipped[offset..(offset + 4096).min(vault.len())].iter_mut().for_each(|byte| *byte ^= 1);
        person.write("flipped.vault", &flipped);
        let checked = person.run(&["check", "flipped.vault"]);
        assert!([0, 4].contains(&checked.exit()), "{}", checked.err());
        found += usize::from(checked.exit() == 4);
    }
    assert!(found > 0, "no flip met anything");
}

#[test]
fn one_damaged_copy_is_repaired_and_said() {
    let person = with_records();
    let mut vault = person.read("my.vault");
    vault[AREAS[0] + 100] ^= 1;
    person.write("my.vault", &vault);
    let repaired = person.run(&["list", "my.vault"]).done();
    assert!(repaired.err().contains("repaired"), "{}", repaired.err());
    assert_eq!(person.run(&["check", "my.vault"]).done().err(), "");
}

#[test]
fn what_is_not_fhir_as_json_is_refused_by_name_and_without_its_content() {
    let person = Person::with_vault();
    let before = person.read("my.vault");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"resourceType":"Basic","x":{deep}}}"#);
    let page = include_bytes!("../golden/excerpt.html");
    let cases: [(&[u8], &str); 23] = [
        (b"PK\x03\x04\x14\0\0\0\x08\0CANARY.json", "a ZIP archive, which is not read; unpack it first"),
        (b"PK\x03\x04\x14\0\0\0\x08\0word/CANARY", "`personal attach my.vault given.json`"),
        (b"\x1f\x8b\x08\0CANARY", "unpack it first"),
        (b"7z\xbc\xaf\x27\x1cCANARY", "unpack it first"),
        (b"%PDF-1.7\nCANARY", "`personal attach my.vault given.json`"),
        (b"\x89PNG\r\n\x1a\nCANARY", "a picture"),
        (b"{\\rtf1 CANARY}", "RTF"),
        (b"MSH|^~\\&|CANARY|\rPID|1||CANARY", "HL7 version 2"),
        (b"<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'>CANARY", "C-CDA"),
        (b"<!DOCTYPE html>\n<html><body>CANARY", "a web page"),
        (page, "`personal verify given.json`"),
        (b"Date,Test\r\n2024-01-02,CANARY\r\n", "a table (CSV)"),
        (b"\x01\x02\0CANARY", "a binary file"),
        (b"<Patient xmlns='http://hl7.org/fhir'><id value='CANARY'/>", "cut off"),
        (b"<Patient xmlns='http://example.org'><id value='CANARY'/></Patient>", "neither FHIR nor C-CDA"),
        (br#"{"resourceType":"Patient","id":"CANARY","id":"CANARY"}"#, "same name twice"),
        (b"{\"resourceType\":\"Patient\",\"id\":\"CANARY\xff\"}", "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (deep.as_bytes(), "nests deeper"),
        (br#"{"CANARY": 1}"#, "no resourceType"),
        (br#"{"resourceType":"Patient","id":"CANARY""#, "cut off"),
        (b"", "is empty; fetch it again"),
        (b" \n", "is empty; fetch it again"),
    ];
    for (content, words) in cases {
        person.write("given.json", content);
        let refused = person.run(&["import", "my.vault", "given.json"]).refused(1, words);
        assert!(
            refused.err().contains("given.json: ") && !refused.err().contains("CANARY"),
            "{}",
            refused.err()
        );
    }
    let both = person.run(&["import", "my.vault", "given.json", "other.json"]);
    both.refused(1, "given.json: ");
    person.run(&["import", "my.vault", "absent.json"]).refused(5, "no such file");
    person.run(&["import", "my.vault", "."]).refused(5, "folder");
    assert!(person.read("my.vault") == before);
}

#[test]
fn a_file_of_a_gibibyte_is_refused_in_bounded_time_and_memory() {
    let person = Person::with_vault();
    let file = std::fs::File::create(person.path("huge.json")).unwrap();
    std::io::Write::write_all(&mut &file, br#"{"resourceType":"Patient","id":""#).unwrap();
    file.set_len(1 << 30).unwrap();
    let start = Instant::now();
    person.run(&["import", "my.vault", "huge.json", "--max-mib", "32"]).refused(1, "--max-mib");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    person.run(&["verify", "huge.json"]).refused(1, "INVALID");
}

#[test]
fn a_second_writer_is_told_to_wait_and_a_reader_reads() {
    let person = with_records();
    let before = person.read("my.vault");
    let other = std::fs::File::open(person.path("my.vault")).unwrap();
    other.lock().unwrap();
    person.run(&["list", "my.vault"]).done();
    let start = Instant::now();
    person.run(&["import", "my.vault", "records.json"]).refused(5, "another program");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert!(person.read("my.vault") == before);
    other.unlock().unwrap();
    person.run(&["import", "my.vault", "records.json"]).done();
}

/// A small file system of its own, if this user may mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: std::path::PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let options = format!("size={size}");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "none"])
            .arg(&path)
            .stderr(std::process::Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        eprintln!("SKIPPED: this user may not mount a small file system");
        None
    }

    fn remount(&self, options: &str) {
        let status = std::process::Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_and_a_read_only_file_leave_the_vault_as_it_was() {
    let person = Person::new();
    person.write("records.json", BUNDLE);
    let Some(disk) = SmallDisk::mount(person.path("disk"), "256k") else { return };
    person.run(&["init", "disk/my.vault", "--small-device"]).done();
    person.run(&["import", "disk/my.vault", "records.json"]).done();
    let listed = person.run(&["list", "disk/my.vault", "--json"]).done().out();
    let long = serde_json::json!({ "title": "long", "text": ["x".repeat(400_000)] }).to_string();
    person.run_with(&["add", "disk/my.vault", "note"], &long).refused(5, "disk is full");
    person.run(&["check", "disk/my.vault"]).done();
    assert_eq!(person.run(&["list", "disk/my.vault", "--json"]).done().out(), listed);

    disk.remount("ro");
    let before = person.read("disk/my.vault");
    assert_eq!(person.run(&["list", "disk/my.vault", "--json"]).done().out(), listed);
    person.run(&["check", "disk/my.vault"]).done();
    person.run_with(&["add", "disk/my.vault", "note"], r#"{"title":"x"}"#).refused(5, "read-only");
    assert!(person.read("disk/my.vault") == before);
}

#[test]
fn without_a_terminal_a_missing_password_is_a_matter_of_usage() {
    let person = Person::with_vault();
    // setsid takes the terminal away, if there is one.
    let ran = std::process::Command::new("setsid")
        .args(["-w", super::support::program().to_str().unwrap(), "list", "my.vault"])
        .current_dir(person.path("."))
        .stdin(std::process::Stdio::null())
        .output();
    let Ok(ran) = ran else { return eprintln!("SKIPPED: there is no setsid") };
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(2), "{err}");
    assert!(err.contains("--password-file"), "{err}");
}

#[test]
fn a_check_says_what_is_lost_and_a_backup_gives_it_back() {
    let person = Person::with_vault();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sample/patient.json");
    person.run(&["import", "my.vault", sample]).done();
    person.run(&["backup", "my.vault", "kept.vault"]).done();
    let whole = person.read("my.vault");
    assert_eq!(person.run(&["check", "my.vault", "--deep", "--explain"]).done().err(), "");
    // A byte of some entry's revision, wherever they stand.
    let damaged = (90_000..whole.len()).step_by(1009).find(|byte| {
        let mut file = whole.clone();
        file[*byte] ^= 1;
        person.write("my.vault", &file);
        let checked = person.run(&["check", "my.vault", "--explain"]);
        checked.exit() == 4 && checked.out().contains("Lost: That revision.")
    });
    assert!(damaged.is_some());
    let before = person.read("my.vault");
    let told = person.run(&["check", "my.vault", "--deep", "--explain"]);
    assert_eq!(told.exit(), 4);
    assert!(
        told.out().contains("Lost: That revision.") && told.out().contains("To do: A backup"),
        "{}",
        told.out()
    );
    assert!(!told.out().contains("Checkpoint"), "a damaged state is none to keep");
    assert!(person.read("my.vault") == before, "a check writes nothing");
    assert_eq!(person.run(&["check", "my.vault", "--from", "kept.vault"]).exit(), 2);
    let repaired = person.run(&["check", "my.vault", "--repair", "--from", "kept.vault"]).done();
    assert!(repaired.out().contains("put back from the backup"), "{}", repaired.out());
    assert!(repaired.out().contains("The vault is whole"));
    assert_eq!(person.run(&["check", "my.vault", "--deep"]).done().err(), "");
}

/// What the ledger says of a vault: its actions in order.
fn actions(person: &Person, vault: &str) -> Vec<String> {
    let ledger = person.run(&["ledger", vault, "--json"]).done().out();
    ["exported", "backed-up", "released"]
        .iter()
        .flat_map(|action| vec![(*action).to_owned(); ledger.matches(&format!("\"{action}\"")).count()])
        .collect()
}

#[test]
fn from_a_read_only_disk_the_owner_takes_everything_and_nothing_is_released() {
    let person = Person::new();
    person.write("records.json", BUNDLE);
    let Some(disk) = SmallDisk::mount(person.path("disk"), "2m") else { return };
    person.run(&["init", "disk/my.vault", "--small-device"]).done();
    person.run(&["import", "disk/my.vault", "records.json"]).done();
    person.run(&["export", "disk/my.vault", "recorded.json", "--yes"]).done();
    let before = person.read("disk/my.vault");
    disk.remount("ro");
    takes_everything(&person, "disk/my.vault");
    assert!(person.read("disk/my.vault") == before);
}

fn takes_everything(person: &Person, vault: &str) {
    let exported = person.run(&["export", vault, "copy.json", "--yes"]).done();
    assert!(exported.out().contains("its ledger does not note the export"), "{}", exported.out());
    let entries = |name: &str| {
        let json: serde_json::Value = serde_json::from_slice(&person.read(name)).unwrap();
        let entries = json["subrosa"]["entries"].as_array().unwrap().clone();
        let ids = entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned());
        ids.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(entries("copy.json"), entries("recorded.json"));
    let again = person.run(&["export", vault, "other.json", "--yes", "--json"]).done().json();
    assert_eq!(again["in_ledger"], false);
    let backup = person.run(&["backup", vault, "kept.vault"]).done();
    assert!(backup.out().contains("does not note the backup"), "{}", backup.out());
    person.run(&["check", "kept.vault"]).done();
    person.run(&["import", vault, "--list"]).done();
    let to = ["--to", "x", "--purpose", "y", "--yes", "--out", "x.html"];
    let refused = person.run(&[&["release", vault, "--kind", "diagnosis"][..], &to].concat());
    refused.refused(5, "must be recorded in its ledger first");
    person.run(&["release", vault, "--kind", "diagnosis", "--preview"]).done();
    assert!(!person.path("x.html").exists());
    assert_eq!(actions(person, vault), ["exported"]);
}

#[test]
fn a_release_that_has_no_room_is_not_recorded_and_leaves_no_file() {
    let person = with_records();
    let Some(disk) = SmallDisk::mount(person.path("disk"), "64k") else { return };
    let room = std::fs::write(person.path("disk/filler"), vec![0; 48 * 1024]);
    room.unwrap();
    let release =
        ["release", "my.vault", "--kind", "diagnosis", "--to", "x", "--purpose", "y", "--yes", "--out"];
    person.run(&[&release[..], &["disk/x.html"]].concat()).refused(5, "disk is full");
    assert_eq!(std::fs::read_dir(person.path("disk")).unwrap().count(), 1, "no file is left");
    assert!(actions(&person, "my.vault").is_empty());
    drop(disk);
    person.run(&[&release[..], &["x.html"]].concat()).done();
    assert!(!person.read("x.html").ends_with(&[0]), "what was reserved is given back");
    let verified = person.run_bare(&["verify", "x.html"], "").out();
    assert!(verified.contains("UNCHANGED since it was signed"), "{verified}");
    assert_eq!(actions(&person, "my.vault"), ["released"]);
}

#[test]
fn a_clock_that_is_behind_the_vault_is_asked_about_before_anything_is_signed() {
    let person = with_records();
    let password = subrosa::Password::new(super::support::PASSWORD.to_owned()).unwrap();
    let weak = subrosa::vault::KdfLimits::default();
    let ahead = subrosa::VaultOptions::default()
        .with_kdf_limits(weak)
        .with_clock(|| std::time::SystemTime::now() + Duration::from_secs(40 * 86_400));
    let vault = subrosa::LockedVault::open(person.path("my.vault"), ahead).unwrap();
    let vault = vault.unlock(&password.into()).unwrap();
    vault.export(&subrosa::Actor::owner()).unwrap();
    vault.close().unwrap();
    let release = [
        "release",
        "my.vault",
        "--kind",
        "diagnosis",
        "--to",
        "x",
        "--purpose",
        "y",
        "--yes",
        "--out",
        "x.html",
    ];
    let refused = person.run(&release).refused(1, "set the clock, or confirm the date; --clock-is-right");
    assert!(refused.err().contains("would be dated 20"), "{}", refused.err());
    assert!(!person.path("x.html").exists());
    person.run(&[&release[..], &["--clock-is-right"]].concat()).done();
}

#[cfg(unix)]
#[test]
fn a_file_that_its_user_may_not_write_is_exported_and_backed_up() {
    use std::os::unix::fs::PermissionsExt as _;
    let person = with_records();
    person.run(&["export", "my.vault", "recorded.json", "--yes"]).done();
    std::fs::create_dir(person.path("out")).unwrap();
    for (name, mode) in
        [("my.vault", 0o444), ("password", 0o444), ("out", 0o777), ("temporary", 0o777), (".", 0o555)]
    {
        std::fs::set_permissions(person.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let as_nobody = |arguments: &[&str]| {
        let ran = std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(super::support::program())
            .args(["--password-file", "password"])
            .args(arguments)
            .env("TMPDIR", person.path("temporary"))
            .current_dir(person.path("."))
            .output();
        ran.ok().filter(|ran| ran.status.code().is_some_and(|code| code < 126))
    };
    let before = person.read("my.vault");
    let Some(listed) = as_nobody(&["list", "my.vault"]).filter(|ran| ran.status.success()) else {
        return eprintln!("SKIPPED: this user may not run the program as another one");
    };
    assert!(!listed.stdout.is_empty());
    for (arguments, code, words) in [
        (&["export", "my.vault", "out/copy.json", "--yes"][..], 0, "does not note the export"),
        (&["backup", "my.vault", "out/kept.vault"], 0, "does not note the backup"),
        (
            &[
                "release",
                "my.vault",
                "--kind",
                "diagnosis",
                "--to",
                "x",
                "--purpose",
                "y",
                "--yes",
                "--out",
                "out/x.html",
            ],
            5,
            "must be recorded",
        ),
    ] {
        let ran = as_nobody(arguments).unwrap();
        let told = [ran.stdout, ran.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(ran.status.code(), Some(code), "{told}");
        assert!(told.contains(words), "{told}");
    }
    assert!(person.read("my.vault") == before && !person.path("out/x.html").exists());
}
