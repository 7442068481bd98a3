//! What the memory of a process gives away: everything a core dump would hold,
//! scanned for the password, every secret that the process ever made and the
//! plaintext of its entries: while it is unlocked, after it forgot its keys, after
//! it was dropped and after it locked itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::basics::{diagnosis, key, options};
use crate::crypto::key::CommittedKey as _;
use crate::testing::record_secrets;
use crate::*;

const PASSWORD: &str = "a password nobody else would type 7351";
const CANARY: &str = "canary of the kitchen table 20417";
/// The bytes of an attachment; like every constant they stand in what the scan passes over.
const SCAN: &[u8] = b"an X-ray of the canary of the kitchen table 20417";
/// Where the child finds the vault, with its record of secrets beside it.
const VAULT: &str = "SUBROSA_SECRETS_VAULT";

fn password() -> Credential {
    Credential::password(PASSWORD).unwrap()
}

fn record_beside(vault: &Path) -> PathBuf {
    vault.with_extension("secrets")
}

fn write_and_read(vault: &Vault) {
    let listed = vault.list(&Filter::all().text("canary")).unwrap();
    assert!(!listed.is_empty());
    listed.iter().for_each(|listed| drop(vault.entry(listed.id).unwrap()));
    let owner = Actor::owner();
    let code = format!("F{}", listed.len());
    let id = vault.update(&owner, |tx| tx.add(&diagnosis(&code, CANARY, "2021"))).unwrap().value;
    vault.update(&owner, |tx| tx.retract(id, "no")).unwrap();
    vault.expunge(&owner, &[listed[0].id], "order").unwrap();
    drop(vault.history(id).unwrap());
}

/// What makes keys, excerpts, copies and files.
fn change_and_copy(vault: &Vault, copy: &Path) {
    let owner = Actor::owner();
    let words = || Password::new(PASSWORD.to_owned()).unwrap();
    vault.change_password(&owner, words(), words()).unwrap();
    let added = {
        let guest: Credential = RawKey::generate().unwrap().into();
        let access = Access { credential: &guest, name: "guest", grant: Grant::of(&[Compartment::General]) };
        vault.change_access(&owner, &AccessChange { revoke: Vec::new(), add: vec![access] }).unwrap()
    };
    vault.change_access(&owner, &AccessChange { revoke: added, add: Vec::new() }).unwrap();
    // An excerpt is to be read by others: its text is not wiped, so it is of another entry.
    vault.update(&owner, |tx| tx.add(&diagnosis("R69", "an illness", "2021"))).unwrap();
    let unspecific = CodeFilter::exact("http://hl7.org/fhir/sid/icd-10-cm", "R69");
    let policy = Policy::everything_of([Kind::Diagnosis]).with_code(unspecific);
    drop(vault.release(&owner, &ReleaseRequest::new("a school", "admission", policy).unwrap()).unwrap());
    let new = NewAttachment::new(Attachment::default());
    let id = vault.attach(&owner, &new, &mut &SCAN[..]).unwrap().value;
    let mut bytes = Zeroizing::new(vec![0; SCAN.len()]);
    vault.attachment(id, 0).unwrap().read_exact(&mut bytes).unwrap();
    assert!(*bytes == SCAN);
    vault.backup(&owner, copy, "copy").unwrap();
    std::fs::remove_file(copy).unwrap();
    vault.compact(&owner).unwrap();
    assert!(vault.check_deep().unwrap().is_clean());
}

/// Uses a vault as a program does, and says between its stages where it is.
#[test]
#[ignore = "the child of the test that reads its memory"]
fn child() {
    let path = PathBuf::from(std::env::var(VAULT).unwrap());
    let copy = path.with_extension("copy");
    record_secrets(&record_beside(&path));
    let stage = |name: &str| {
        println!("stage {name}");
        std::io::stdout().flush().unwrap();
        std::io::stdin().read_line(&mut String::new()).unwrap();
    };
    let open = |options| LockedVault::open(&path, options).unwrap().unlock(&password()).unwrap();
    let use_it = |vault: &Vault| {
        write_and_read(vault);
        change_and_copy(vault, &copy);
    };
    let vault = open(options());
    use_it(&vault);
    stage("unlocked");
    vault.forget_keys().unwrap();
    stage("locked");
    drop(vault);
    let vault = open(options());
    use_it(&vault);
    drop(vault);
    stage("dropped");
    let briefly = options().with_clock(SystemTime::now).with_auto_lock(Duration::from_secs(2));
    let vault = open(briefly);
    write_and_read(&vault);
    assert!(!vault.is_locked());
    while !vault.is_locked() {
        std::thread::sleep(Duration::from_millis(50));
    }
    stage("itself locked");
    drop(vault);
}

/// A running child.
struct Subject {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Subject {
    fn start(vault: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::tests::memory::child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(VAULT, vault)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Waits until the child has reached a stage.
    fn reach(&mut self, stage: &str) {
        let mut line = String::new();
        while !line.contains(&format!("stage {stage}")) {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the child ended before {stage}");
        }
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Every readable byte of the process, as a core dump has them, and more.
    fn memory(&self) -> Vec<Region> {
        let process = format!("/proc/{}", self.child.id());
        let maps = std::fs::read_to_string(format!("{process}/maps")).unwrap();
        let memory = std::fs::File::open(format!("{process}/mem")).unwrap();
        let regions = maps.lines().filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (range, rights) = (fields.next()?, fields.next()?);
            let name = fields.nth(3).unwrap_or("anonymous").to_owned();
            let (start, end) = range.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (number(start), number(end));
            // What is not writable came from a file, the program's own text.
            let writable = rights.starts_with("rw");
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            (writable && memory.read_exact_at(&mut bytes, start).is_ok()).then_some(Region { name, bytes })
        });
        regions.collect()
    }
}

struct Region {
    name: String,
    bytes: Vec<u8>,
}

/// What is looked for, by its first bytes.
struct Needles(BTreeMap<[u8; 8], Vec<(String, Vec<u8>)>>);

impl Needles {
    fn new(secrets: Vec<(String, Vec<u8>)>) -> Self {
        let mut needles: BTreeMap<[u8; 8], Vec<_>> = BTreeMap::new();
        for (name, secret) in secrets {
            needles.entry(*secret.first_chunk().unwrap()).or_default().push((name, secret));
        }
        Self(needles)
    }

    /// How often each secret stands where.
    fn found(&self, memory: &[Region]) -> BTreeMap<String, Vec<String>> {
        let begin =
            |head: &[u8]| usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut begins = vec![false; 1 << 24];
        self.0.keys().for_each(|head| begins[begin(head)] = true);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for region in memory {
            for (offset, window) in region.bytes.windows(8).enumerate() {
                if !begins[begin(window)] {
                    continue;
                }
                for (name, secret) in self.0.get(window).into_iter().flatten() {
                    if region.bytes[offset..].starts_with(secret) {
                        let place = format!("{offset} of {} in {}", region.bytes.len(), region.name);
                        found.entry(name.clone()).or_default().push(place);
                    }
                }
            }
        }
        found
    }
}

/// Every key of a vault: those that a dump of a process that used it could hold.
fn keys_of(vault: &Vault) -> Vec<(String, Vec<u8>)> {
    let unlocked = vault.unlocked().unwrap();
    let (view, keyring) = (unlocked.reader(), &unlocked.core.keyring);
    let mut keys = vec![
        ("root key".to_owned(), keyring.root_key().input_key().expose_secret().to_vec()),
        ("vault root key".to_owned(), keyring.vault_root().secret().expose_secret().to_vec()),
    ];
    for compartment in Compartment::ALL {
        let secret = keyring.compartment(compartment).unwrap().secret().expose_secret().to_vec();
        keys.push((format!("key of {compartment}"), secret));
        view.trie(compartment).unwrap().survey(&mut |page| {
            let (object, page) = page.unwrap();
            let kind = if page.leaf_rows().is_empty() { "inner page" } else { "leaf" };
            keys.push((format!("{kind} of {compartment}"), object.key.expose_secret().to_vec()));
            for (row, object) in page.leaf_rows().iter().filter_map(|row| Some((row, row.object.as_ref()?))) {
                keys.push((
                    format!("object of {compartment} {}", row.class as u8),
                    object.key.expose_secret().to_vec(),
                ));
            }
        });
    }
    keys
}

/// Every secret that the child has made so far, with the place that made it.
fn recorded(vault: &Path) -> Vec<(String, Vec<u8>)> {
    let record = std::fs::read_to_string(record_beside(vault)).unwrap();
    let secrets = record.lines().map(|line| {
        let (digits, place) = line.split_once(' ').unwrap();
        (place.to_owned(), crate::testing::hex(&serde_json::json!(digits)))
    });
    secrets.collect()
}

/// What must not be left: everything recorded once, the password, the health value.
fn needles(vault: &Path) -> Needles {
    let mut secrets: BTreeMap<Vec<u8>, BTreeSet<String>> = BTreeMap::new();
    for (place, secret) in recorded(vault) {
        secrets.entry(secret).or_default().insert(place);
    }
    let places = |places: BTreeSet<String>| places.into_iter().collect::<Vec<_>>().join(" ");
    let mut secrets: Vec<_> = secrets.into_iter().map(|(secret, made)| (places(made), secret)).collect();
    secrets.extend([("password".into(), PASSWORD.into()), ("health value".into(), CANARY.into())]);
    Needles::new(secrets)
}

#[test]
fn a_locked_or_dropped_vault_leaves_no_password_key_or_health_value_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let (password, raw) = (password(), key(9));
    let new = NewVault {
        access: vec![Access::to_everything(&password, "a"), Access::to_everything(&raw, "b")],
        holder_name: "Somebody",
        ..NewVault::individual(&password)
    };
    let vault = Vault::create(&path, &new, options()).unwrap();
    let entries: Vec<Entry> = (0..80).map(|n| diagnosis(&format!("F{n}"), CANARY, "2020")).collect();
    let add = |tx: &mut Transaction<'_>| entries.iter().try_for_each(|entry| tx.add(entry).map(|_| ()));
    vault.update(&Actor::owner(), add).unwrap();
    drop(vault);

    let mut subject = Subject::start(&path);
    subject.reach("unlocked");
    let memory = subject.memory();
    let vault = LockedVault::open(&path, options()).unwrap().unlock_read_only(&raw).unwrap();
    let made: BTreeSet<Vec<u8>> = recorded(&path).into_iter().map(|(_, secret)| secret).collect();
    for (name, secret) in keys_of(&vault) {
        assert!(made.contains(&secret), "{name} was not recorded");
    }
    drop(vault);
    let held = needles(&path).found(&memory);
    assert!(held.contains_key("health value"), "the scan finds what is there");
    assert!(held.keys().any(|name| name.contains("keys.rs")), "and keys: {held:?}");
    assert!(!held.contains_key("password"), "the password is not needed after unlocking: {held:?}");
    for stage in ["locked", "dropped", "itself locked"] {
        subject.go_on();
        subject.reach(stage);
        let left = needles(&path).found(&subject.memory());
        assert!(left.is_empty(), "{stage}: {left:#?}");
    }
    subject.go_on();
    assert!(subject.child.wait().unwrap().success());
}
