//! `kill -9` of a real process that writes a real file, over and over: what was
//! acknowledged is there, the act under way is whole or absent, and the vault
//! opens at once.
//!
//! `SUBROSA_KILLS=20000 cargo test --release --test kill` kills as often as asked.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use subrosa::record::{Narrative, Note};
use subrosa::vault::{KdfCost, KdfLimits};
use subrosa::{
    Actor, Credential, Entry, EntryId, Error, Filter, LockedVault, NewVault, Provenance, RawKey, Vault,
    VaultOptions,
};

/// Kills of an ordinary run.
const KILLS: u32 = 300;
const VAULT: &str = "SUBROSA_KILL_VAULT";
const SEED: &str = "SUBROSA_KILL_SEED";

fn key() -> Credential {
    RawKey::from_bytes(&[7; 32]).into()
}

fn options() -> VaultOptions {
    let limits = KdfLimits::default().with_least(8, 1);
    VaultOptions::default().with_kdf_limits(limits).with_kdf_cost(KdfCost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    })
}

/// The entry of this number; the larger ones have several chunks.
fn note(number: u64) -> Entry {
    let text = format!("note {number} ").repeat(if number.is_multiple_of(5) { 3000 } else { 20 });
    let mut record = Note::default();
    record.text = vec![Narrative::new(text).unwrap()];
    Entry::new(record, Provenance::default())
}

/// A small generator whose numbers the seed determines.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What one commit does, as the child announces it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Act {
    /// Entries of these numbers are added.
    Add(Vec<u64>),
    /// An entry becomes the one of this number.
    Amend(EntryId, u64),
    Expunge(Vec<EntryId>),
}

impl Act {
    fn write(&self) -> String {
        let list = |ids: &[EntryId]| ids.iter().map(EntryId::to_string).collect::<Vec<_>>().join(",");
        match self {
            Self::Add(numbers) => {
                format!("add {}", numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
            }
            Self::Amend(id, number) => format!("amend {id} {number}"),
            Self::Expunge(ids) => format!("expunge {}", list(ids)),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(match (words.next()?, words.next()?, words.next()) {
            ("add", numbers, None) => Self::Add(numbers.split(',').map(|n| n.parse().unwrap()).collect()),
            ("amend", id, Some(number)) => Self::Amend(id.parse().unwrap(), number.parse().unwrap()),
            ("expunge", ids, None) => Self::Expunge(ids.split(',').map(|id| id.parse().unwrap()).collect()),
            _ => return None,
        })
    }

    /// Does it, and gives the ids of what it added.
    fn perform(&self, vault: &Vault) -> Result<Vec<EntryId>, Error> {
        let owner = Actor::owner();
        match self {
            Self::Add(numbers) => {
                let add = |tx: &mut subrosa::vault::Transaction<'_>| {
                    numbers.iter().map(|number| tx.add(&note(*number))).collect()
                };
                Ok(vault.update(&owner, add)?.value)
            }
            Self::Amend(id, number) => {
                vault.update(&owner, |tx| tx.amend(*id, &note(*number), "better known"))?;
                Ok(Vec::new())
            }
            Self::Expunge(ids) => vault.expunge(&owner, ids, "order").map(|_| Vec::new()),
        }
    }

    /// Makes of `held` what this act made of the vault.
    fn replay(&self, held: &mut Held, added: &[EntryId]) {
        match self {
            Self::Add(numbers) => held.extend(added.iter().copied().zip(numbers.iter().copied())),
            Self::Amend(id, number) => assert!(held.insert(*id, *number).is_some()),
            Self::Expunge(ids) => ids.iter().for_each(|id| assert!(held.remove(id).is_some())),
        }
    }

    /// Whether `after` is what this act makes of `before`.
    fn explains(&self, before: &Held, after: &Held) -> bool {
        let mut expected = before.clone();
        let mut new: Vec<_> = after.iter().filter(|(id, _)| !before.contains_key(*id)).collect();
        new.sort_by_key(|(_, number)| **number);
        let added: Vec<EntryId> = new.iter().map(|(id, _)| **id).collect();
        self.replay(&mut expected, &added);
        expected == *after
    }
}

/// The entries of a vault and the numbers of their contents.
type Held = BTreeMap<EntryId, u64>;

fn held(vault: &Vault) -> Held {
    let listed = vault.list(&Filter::all()).unwrap();
    let read = listed.iter().map(|listed| {
        let entry = vault.entry(listed.id).unwrap();
        let subrosa::Record::Note(record) = &entry.record else { panic!("only notes were written") };
        let text = record.text.first().unwrap().as_str().to_owned();
        let number = text.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(entry == note(number), "an entry is whole");
        (listed.id, number)
    });
    read.collect()
}

/// Writes until it is killed.
#[test]
#[ignore = "the child of the test that kills it"]
fn child() {
    let (path, seed) = (std::env::var(VAULT).unwrap(), std::env::var(SEED).unwrap().parse().unwrap());
    let mut chance = Chance(seed);
    let vault = LockedVault::open(path, options()).unwrap().unlock(&key()).unwrap();
    let say = |text: &str| {
        println!("{text}");
        std::io::stdout().flush().unwrap();
    };
    loop {
        let ids: Vec<EntryId> = held(&vault).into_keys().collect();
        let some = |chance: &mut Chance| ids[usize::try_from(chance.below(ids.len() as u64)).unwrap()];
        let act = match chance.below(4) {
            0 if !ids.is_empty() => Act::Amend(some(&mut chance), chance.below(1 << 40)),
            1 if ids.len() > 6 => Act::Expunge(ids[..3].to_vec()),
            _ => {
                let first = chance.below(1 << 40);
                Act::Add((first..=first + chance.below(4)).collect())
            }
        };
        say(&format!("begin {}", act.write()));
        let added = act.perform(&vault).unwrap();
        let added: Vec<String> = added.iter().map(EntryId::to_string).collect();
        say(&format!("done {} {}", vault.epoch(), added.join(",")));
    }
}

/// What a killed child had said.
#[derive(Default)]
struct Said {
    /// The number of the last commit that returned.
    acknowledged: Option<String>,
    /// The acts that returned, and what they added.
    done: Vec<(Act, Vec<EntryId>)>,
    under_way: Option<Act>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        // The test runner writes the test's name before its first line.
        if let Some((_, act)) = line.split_once("begin ") {
            self.under_way = Some(Act::read(act).unwrap());
        } else if let Some(done) = line.strip_prefix("done ") {
            let (epoch, added) = done.split_once(' ').unwrap();
            let added = added.split(',').filter(|id| !id.is_empty()).map(|id| id.parse().unwrap()).collect();
            self.done.push((self.under_way.take().unwrap(), added));
            self.acknowledged = Some(epoch.to_owned());
        }
    }
}

/// Lets a child write, and kills it after so many commits and so long a moment.
fn killed(path: &Path, seed: u64, commits: u64, moment: Duration) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(VAULT, path)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Said::default();
    let mut killed = false;
    for line in lines {
        said.hear(&line);
        if !killed && said.done.len() as u64 == commits && said.under_way.is_some() {
            let due = Instant::now() + moment;
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            // SIGKILL.
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "the child ended by itself");
    said
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let kills = std::env::var("SUBROSA_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let seed = std::env::var(SEED).ok().map(|text| text.parse().unwrap());
    let seed = seed.unwrap_or_else(|| {
        u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() % u128::from(u32::MAX)).unwrap()
    });
    eprintln!("{SEED}={seed}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    drop(Vault::create(&path, &NewVault::individual(&key()), options()).unwrap());
    let mut chance = Chance(seed);
    let (mut before, mut recovered, mut whole) = (Held::new(), 0, 0);
    for round in 0..kills {
        // Long enough for several commits, on a slow disk for a part of one.
        let moment = Duration::from_micros(chance.below(12_000));
        let said = killed(&path, chance.below(1 << 30), chance.below(3), moment);
        let vault = LockedVault::open(&path, options()).unwrap().unlock(&key()).unwrap();
        recovered += u32::from(vault.recovery() != subrosa::vault::Recovery::NotNeeded);
        assert!(vault.check().unwrap().is_clean(), "round {round}");
        said.done.iter().for_each(|(act, added)| act.replay(&mut before, added));
        let after = held(&vault);
        if after != before {
            let act = said.under_way.expect("nothing was under way");
            assert!(act.explains(&before, &after), "round {round}: {act:?} is half done");
            whole += 1;
        }
        if let Some(acknowledged) = said.acknowledged {
            assert!(
                vault.epoch() >= subrosa::vault::Epoch::new(acknowledged.parse().unwrap()),
                "round {round}"
            );
        }
        before = after;
    }
    eprintln!("{kills} kills: {recovered} recoveries, {whole} commits that were whole and not acknowledged");
    assert!(recovered + whole > 0 || kills < 100, "some kills must hit a commit");
}
