//! What the memory of a process gives away: everything a core dump would hold,
//! scanned for the password, every key of the vault and the plaintext of its
//! entries while it is unlocked, after it forgot its keys and after it is dropped.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::basics::{diagnosis, key, options};
use crate::crypto::key::CommittedKey as _;
use crate::*;

const PASSWORD: &str = "a password nobody else would type 7351";
const CANARY: &str = "canary of the kitchen table 20417";
/// Where the child finds the vault.
const VAULT: &str = "SUBROSA_SECRETS_VAULT";

fn password() -> Credential {
    Credential::password(PASSWORD).unwrap()
}

/// Uses a vault as a program does, and says between its stages where it is.
#[test]
#[ignore = "the child of the test that reads its memory"]
fn child() {
    let path = std::env::var(VAULT).unwrap();
    let stage = |name: &str| {
        println!("stage {name}");
        std::io::stdout().flush().unwrap();
        std::io::stdin().read_line(&mut String::new()).unwrap();
    };
    let open = || LockedVault::open(&path, options()).unwrap().unlock(&password()).unwrap();
    let use_it = |vault: &Vault| {
        let listed = vault.list(&Filter::all().text("canary")).unwrap();
        assert!(!listed.is_empty());
        listed.iter().for_each(|listed| drop(vault.entry(listed.id).unwrap()));
        let code = format!("F{}", listed.len());
        let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis(&code, CANARY, "2021"))).unwrap().value;
        vault.update(&Actor::owner(), |tx| tx.retract(id, "no")).unwrap();
        vault.expunge(&Actor::owner(), &[listed[0].id], "order").unwrap();
        let words = || Password::new(PASSWORD.to_owned()).unwrap();
        vault.change_password(&Actor::owner(), words(), words()).unwrap();
        drop(vault.history(id).unwrap());
        assert!(vault.check().unwrap().is_clean());
    };
    let vault = open();
    use_it(&vault);
    stage("unlocked");
    vault.forget_keys().unwrap();
    stage("locked");
    drop(vault);
    let vault = open();
    use_it(&vault);
    drop(vault);
    stage("dropped");
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
        let mut begins = vec![false; 1 << 16];
        self.0.keys().for_each(|head| begins[usize::from(u16::from_le_bytes([head[0], head[1]]))] = true);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for region in memory {
            for (offset, window) in region.bytes.windows(8).enumerate() {
                if !begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
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
    let (view, keyring) = (unlocked.view(), &unlocked.core.keyring);
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
            keys.push((format!("{kind} of {compartment}"), object.key.secret().expose_secret().to_vec()));
            for (row, object) in page.leaf_rows().iter().filter_map(|row| Some((row, row.object.as_ref()?))) {
                keys.push((
                    format!("object of {compartment} {}", row.class as u8),
                    object.key.secret().expose_secret().to_vec(),
                ));
            }
        });
    }
    keys
}

#[test]
fn a_locked_or_dropped_vault_leaves_no_password_key_or_health_value_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let (password, raw) = (password(), key(9));
    let new = NewVault {
        access: vec![Access::to_everything(&password, "a"), Access::to_everything(&raw, "b")],
        ..NewVault::individual(&password)
    };
    let vault = Vault::create(&path, &new, options()).unwrap();
    let entries: Vec<Entry> = (0..80).map(|n| diagnosis(&format!("F{n}"), CANARY, "2020")).collect();
    let add = |tx: &mut Transaction<'_>| entries.iter().try_for_each(|entry| tx.add(entry).map(|_| ()));
    vault.update(&Actor::owner(), add).unwrap();
    let mut secrets = keys_of(&vault);
    drop(vault);

    let mut subject = Subject::start(&path);
    subject.reach("unlocked");
    let unlocked = subject.memory();
    let vault = LockedVault::open(&path, options()).unwrap().unlock_read_only(&raw).unwrap();
    secrets.extend(keys_of(&vault));
    secrets.extend([("password".into(), PASSWORD.into()), ("health value".into(), CANARY.into())]);
    drop(vault);
    let needles = Needles::new(secrets);
    let held = needles.found(&unlocked);
    assert!(
        held.contains_key("vault root key") && held.contains_key("key of general"),
        "the scan finds what is there"
    );
    assert!(!held.contains_key("password"), "the password is not needed after unlocking: {held:?}");
    for stage in ["locked", "dropped"] {
        subject.go_on();
        subject.reach(stage);
        let left = needles.found(&subject.memory());
        assert!(left.is_empty(), "{stage}: {left:?}");
    }
    subject.go_on();
    assert!(subject.child.wait().unwrap().success());
}
