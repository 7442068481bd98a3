//! Random sequences of everything that changes or reads entries, against two
//! oracles: a map that holds every revision, and SQLite, which answers every
//! filter with a query of its own. Two sequences of three run on a vault file,
//! which is opened anew at random points by another handle, also as a power cut
//! would leave it then; the third in memory, where it is locked and unlocked.
//!
//! `SUBROSA_MODEL_SEQUENCES=N cargo test model` runs as many as asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::basics::options;
use super::disk::{Chance, SimDisk};
use super::workload::{new_image, owner, password};
use crate::classify::compartment_of;
use crate::record::{Coding, Concept, Diagnosis, Medication, Narrative, Note, Party, Provenance, Token};
use crate::testing::shrink_slices;
use crate::*;

/// Sequences of an ordinary run.
const SEQUENCES: u64 = 10_000;
const STEPS: usize = 10;
const CODES: [&str; 6] = ["F32.1", "F32.2", "F33.0", "F10.20", "J45", "Z91.5"];
const DATES: [&str; 6] = ["2017", "2018-02", "2019-12-31", "2020-02-29", "2021", "2022-07"];
const WORDS: [&str; 5] = ["rose", "thorn", "petal", "Briar", "hedge"];
/// Bytes of a slice, and slices of a commit.
const SLICE: usize = 504;
const STEP: u64 = 3;
/// Lengths of attachments: without a slice, in one commit, and in two.
const LENGTHS: [usize; 4] = [0, 100, 2 * SLICE, 4 * SLICE + 9];
const PROVIDERS: [&str; 3] = ["Dr. Ada Byron", "Clinic of the Elms", "dr. noor"];

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

/// What an entry is made of, as SQL sees it too.
#[derive(Clone, PartialEq, Eq)]
struct Facts {
    kind: &'static str,
    code: Option<&'static str>,
    start: Option<&'static str>,
    end: Option<&'static str>,
    text: String,
    provider: Option<&'static str>,
    attachment: Option<Attachment>,
}

impl Facts {
    fn draw(chance: &mut Chance) -> Self {
        let kind = ["diagnosis", "medication", "note", "psychotherapy"][chance.below(4)];
        let coded = kind == "diagnosis" || kind == "medication";
        let start = (coded && !chance.one_in(5)).then(|| DATES[chance.below(DATES.len())]);
        let end = start.filter(|start| kind == "diagnosis" && *start < "2020" && chance.one_in(2));
        let words = (0..1 + chance.below(3)).map(|_| WORDS[chance.below(WORDS.len())]);
        let mut text = words.collect::<Vec<_>>().join(" ");
        if chance.one_in(12) {
            text = format!("{text} {}", "long ".repeat(4000));
        }
        Self {
            kind,
            code: coded.then(|| CODES[chance.below(CODES.len())]),
            start,
            end: end.map(|_| "2023-01-15"),
            text,
            provider: (!chance.one_in(3)).then(|| PROVIDERS[chance.below(PROVIDERS.len())]),
            attachment: None,
        }
    }

    /// Facts of something that may have an attachment.
    fn draw_note(chance: &mut Chance) -> Self {
        loop {
            let facts = Self::draw(chance);
            if facts.code.is_none() {
                return facts;
            }
        }
    }

    /// Other facts of an entry of the same kind, with its attachment or without.
    fn amended(&self, chance: &mut Chance) -> Self {
        loop {
            let facts = Self::draw(chance);
            if facts.kind == self.kind {
                let attachment = self.attachment.clone().filter(|_| chance.one_in(2));
                return Self { attachment, ..facts };
            }
        }
    }

    fn entry(&self) -> Entry {
        let code = self.code.map(|code| {
            let system = Some(token("http://hl7.org/fhir/sid/icd-10-cm"));
            Concept::from_coding(Coding { system, code: Some(token(code)), ..Coding::default() })
        });
        let date = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let notes = vec![Narrative::new(self.text.clone()).unwrap()];
        let record: Record = match self.kind {
            "diagnosis" => {
                let (onset, abatement) = (date(self.start), date(self.end));
                Diagnosis { code, onset, abatement, notes, ..Diagnosis::default() }.into()
            }
            "medication" => {
                Medication { code, authored: date(self.start), notes, ..Medication::default() }.into()
            }
            form => {
                let form = Some(token(if form == "note" { "progress" } else { form }));
                let attachments = self.attachment.iter().cloned().collect();
                Note { form, text: notes, attachments, ..Note::default() }.into()
            }
        };
        let name = |name: &str| Party { name: Some(token(name)), ..Party::default() };
        Entry::new(record, Provenance { provider: self.provider.map(name), ..Provenance::default() })
    }
}

/// An entry as the map has it.
#[derive(Clone)]
struct Modelled {
    revisions: Vec<Facts>,
    retracted: Vec<bool>,
    place: Compartment,
    /// The bytes of one that was added with an attachment.
    attached: Option<Vec<u8>>,
}

impl Modelled {
    fn new(facts: Facts, attached: Option<Vec<u8>>) -> Self {
        let place = compartment_of(&facts.entry());
        Self { revisions: vec![facts], retracted: vec![false], place, attached }
    }

    /// Slices of all contents that its revisions name: there is one at most.
    fn slices(&self) -> u64 {
        self.attached.as_ref().map_or(0, |bytes| bytes.len().div_ceil(SLICE) as u64)
    }
}

/// What a sequence does besides commits of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Relock,
    OpenAnew,
    CutPower,
    Attach,
    Compact,
    ChangePassword,
    Move,
}

impl Act {
    const ALL: [Self; 7] = [
        Self::Relock,
        Self::OpenAnew,
        Self::CutPower,
        Self::Attach,
        Self::Compact,
        Self::ChangePassword,
        Self::Move,
    ];
}

/// A vault and both oracles.
struct Sequence {
    /// Where the vault is a file.
    disk: Option<SimDisk>,
    vault: Option<Vault>,
    password: String,
    map: BTreeMap<EntryId, Modelled>,
    expunged: BTreeSet<EntryId>,
    sql: Connection,
    chance: Chance,
    epoch: u64,
    acts: BTreeMap<Act, u64>,
}

const SCHEMA: &str = "CREATE TABLE entries (id TEXT PRIMARY KEY, kind TEXT NOT NULL, code TEXT, first TEXT, \
    last TEXT, text TEXT NOT NULL, provider TEXT, retracted INTEGER NOT NULL, revision INTEGER NOT NULL, \
    sealed INTEGER NOT NULL)";

/// The first day of a date of any precision, and the last one.
const FIRST: &str = "CASE length(?1) WHEN 4 THEN ?1 || '-01-01' WHEN 7 THEN ?1 || '-01' ELSE ?1 END";
const LAST: &str = "CASE length(?1) WHEN 4 THEN ?1 || '-12-31' \
    WHEN 7 THEN date(?1 || '-01', '+1 month', '-1 day') ELSE ?1 END";

impl Sequence {
    /// On a file with this image, or in memory.
    fn new(seed: u64, image: Option<&[u8]>) -> Self {
        shrink_slices(SLICE, STEP);
        let disk = image.map(|image| SimDisk::without_trace(image.to_vec()));
        let vault = match &disk {
            Some(disk) => disk.unlock(&owner()).unwrap(),
            None => in_memory(),
        };
        let sql = Connection::open_in_memory().unwrap();
        sql.execute_batch(SCHEMA).unwrap();
        Self {
            disk,
            vault: Some(vault),
            password: "password".into(),
            map: BTreeMap::new(),
            expunged: BTreeSet::new(),
            sql,
            chance: Chance::new(seed),
            epoch: 1,
            acts: BTreeMap::new(),
        }
    }

    fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    fn run(mut self) -> BTreeMap<Act, u64> {
        for _ in 0..STEPS {
            match self.chance.below(24) {
                0..=1 => self.reopen(),
                2..=3 => self.fail(),
                4..=5 => self.attach(),
                6 => self.compact(),
                7 => self.change_password(),
                _ => self.commit(),
            }
            self.query();
        }
        self.compare_everything();
        self.reopen();
        self.compare_everything();
        self.acts
    }

    fn did(&mut self, act: Act) {
        *self.acts.entry(act).or_default() += 1;
    }

    /// Whoever opens next: the owner with the key or with the present password.
    fn credential(&mut self) -> Credential {
        if self.chance.one_in(2) { owner() } else { password(&self.password) }
    }

    fn reopen(&mut self) {
        let (credential, cuts) = (self.credential(), self.chance.one_in(3));
        let vault = self.vault.take().unwrap();
        let Some(disk) = &mut self.disk else {
            self.vault = Some(vault.lock().unwrap().unlock(&credential).unwrap());
            return self.did(Act::Relock);
        };
        drop(vault);
        if cuts {
            *disk = SimDisk::of_files(disk.durable_files());
        }
        let vault = disk.unlock(&credential).unwrap();
        assert_eq!(vault.epoch(), Epoch::new(self.epoch));
        self.vault = Some(vault);
        self.did(if cuts { Act::CutPower } else { Act::OpenAnew });
    }

    /// A note with an attachment, of which other entries may have the same.
    fn attach(&mut self) {
        let mut facts = Facts::draw_note(&mut self.chance);
        let bytes = vec![b'a'; LENGTHS[self.chance.below(LENGTHS.len())]];
        let new = NewAttachment::new(Attachment::default()).with_entry(facts.entry());
        let done = self.vault().attach(&Actor::owner(), &new, &mut &bytes[..]).unwrap();
        let (id, commits) = (done.value, done.epoch.number() - self.epoch);
        assert!((1..=2).contains(&commits), "{commits} commits");
        self.epoch += commits;
        facts.attachment = self.vault().entry(id).unwrap().attachments().pop();
        assert!(facts.attachment.is_some());
        store(&self.sql, id, &facts, false, 1);
        self.map.insert(id, Modelled::new(facts, Some(bytes)));
        self.did(Act::Attach);
    }

    /// The file written anew; nothing in memory can be.
    fn compact(&mut self) {
        if self.disk.is_some() {
            self.vault().compact(&Actor::owner()).unwrap();
            self.epoch += 1;
            self.did(Act::Compact);
        }
    }

    fn change_password(&mut self) {
        let new = format!("password of commit {}", self.epoch);
        let words = |text: &str| Password::new(text.into()).unwrap();
        self.vault().change_password(&Actor::owner(), words(&self.password), words(&new)).unwrap();
        self.password = new;
        self.epoch += 1;
        self.did(Act::ChangePassword);
    }

    /// One commit of several acts, in the vault and in a transaction of SQLite.
    fn commit(&mut self) {
        let (mut map, mut expunged) = (self.map.clone(), self.expunged.clone());
        let (chance, sql) = (&mut self.chance, self.sql.unchecked_transaction().unwrap());
        let acts = 1 + chance.below(4);
        let done = self.vault.as_ref().unwrap().update(&Actor::owner(), |tx| {
            let mut touched = Touched::default();
            for _ in 0..acts {
                act(tx, chance, &mut map, &mut expunged, &mut touched, &sql)?;
            }
            Ok(touched)
        });
        let done = done.unwrap();
        sql.commit().unwrap();
        (self.map, self.expunged) = (map, expunged);
        self.epoch += u64::from(!done.value.ids.is_empty());
        (0..done.value.moves).for_each(|_| self.did(Act::Move));
        assert_eq!(done.epoch, Epoch::new(self.epoch));
    }

    /// A commit whose closure gives up: nothing changes on either side.
    fn fail(&mut self) {
        let (mut map, mut expunged) = (self.map.clone(), self.expunged.clone());
        let (chance, sql) = (&mut self.chance, self.sql.unchecked_transaction().unwrap());
        let given_up: Result<Committed<()>, Error> =
            self.vault.as_ref().unwrap().update(&Actor::owner(), |tx| {
                act(tx, chance, &mut map, &mut expunged, &mut Touched::default(), &sql)?;
                Err(Error::Invalid { what: "given up" })
            });
        assert!(matches!(given_up, Err(Error::Invalid { what: "given up" })));
        sql.rollback().unwrap();
    }

    /// A filter, asked of the vault and of SQLite.
    fn query(&mut self) {
        let (mut filter, mut clauses) = (Filter::all(), vec!["1".to_owned()]);
        let chance = &mut self.chance;
        if chance.one_in(3) {
            let (kind, name) =
                [(Kind::Diagnosis, "diagnosis"), (Kind::Medication, "medication")][chance.below(2)];
            filter = filter.kind(kind);
            clauses.push(format!("kind = '{name}'"));
        }
        if chance.one_in(3) {
            let prefix = ["F", "F32", "F10.20", "J45", "X"][chance.below(5)];
            filter = filter.code(None, prefix);
            clauses.push(format!("substr(code, 1, {}) = '{prefix}'", prefix.len()));
        }
        if chance.one_in(3) {
            let word = ["ROSE", "thorn", "etal br", "briar", "tulip"][chance.below(5)];
            filter = filter.text(word);
            let has = |column: &str| format!("instr(lower({column}), lower('{word}'))");
            clauses.push(format!("({} OR {})", has("text"), has("coalesce(provider, '')")));
        }
        if chance.one_in(4) {
            let name = ["dr.", "elms", "ADA", "nobody"][chance.below(4)];
            filter = filter.provider(name);
            clauses.push(format!("instr(lower(provider), lower('{name}'))"));
        }
        if chance.one_in(3) {
            let since = chance.one_in(2).then(|| DATES[chance.below(DATES.len())]);
            let until = chance.one_in(2).then(|| DATES[chance.below(DATES.len())]);
            let date = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            if since.zip(until).is_none_or(|(since, until)| since <= until) {
                filter = filter.dates(date(since), date(until));
                let day = |which: &str, text: &str| which.replace("?1", &format!("'{text}'"));
                if let Some(since) = since {
                    clauses
                        .push(format!("(first IS NULL OR coalesce(last, '9999') >= {})", day(FIRST, since)));
                }
                if let Some(until) = until {
                    clauses.push(format!("(first IS NULL OR first <= {})", day(LAST, until)));
                }
            }
        }
        if chance.one_in(2) {
            filter = filter.with_retracted();
        } else {
            clauses.push("NOT retracted".into());
        }
        if chance.one_in(2) {
            filter = filter.with_sealed();
        } else {
            clauses.push("NOT sealed".into());
        }
        let clauses = clauses.join(" AND ");
        let mut statement = self.sql.prepare(&format!("SELECT id FROM entries WHERE {clauses}")).unwrap();
        let expected = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let expected: BTreeSet<String> = expected.map(Result::unwrap).collect();
        let listed = self.vault().list(&filter).unwrap();
        let found: BTreeSet<String> = listed.iter().map(|listed| listed.id.to_string()).collect();
        assert_eq!(found.len(), listed.len(), "nothing is listed twice");
        assert!(found == expected, "WHERE {clauses}");
    }

    fn compare_everything(&self) {
        for (id, modelled) in &self.map {
            let current = modelled.revisions.len();
            for (revision, (facts, retracted)) in
                (1..).zip(modelled.revisions.iter().zip(&modelled.retracted))
            {
                let mut expected = facts.entry();
                expected.marks.retracted = *retracted;
                assert!(self.vault().entry_revision(*id, revision).unwrap() == expected);
            }
            if modelled.revisions.last().is_some_and(|facts| facts.attachment.is_some()) {
                let mut found = Vec::new();
                std::io::Read::read_to_end(&mut self.vault().attachment(*id, 0).unwrap(), &mut found)
                    .unwrap();
                assert!(modelled.attached.as_ref() == Some(&found));
            }
            assert_eq!(self.vault().history(*id).unwrap().len(), current);
        }
        for id in &self.expunged {
            assert!(matches!(self.vault().entry(*id), Err(Error::NoSuchEntry { .. })));
        }
        let report = self.vault().check().unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        let count = |sql: &str| self.sql.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(i64::try_from(report.entries).unwrap(), count("SELECT count(*) FROM entries"));
        assert_eq!(
            i64::try_from(report.revisions).unwrap(),
            count("SELECT coalesce(sum(revision - 1), 0) FROM entries")
        );
        assert_eq!(report.commits, self.epoch);
    }
}

/// A new vault in memory with the ways in of one in a file.
fn in_memory() -> Vault {
    let (key, password) = (owner(), password("password"));
    let access = vec![Access::to_everything(&key, "owner"), Access::to_everything(&password, "password")];
    let new = NewVault { access, ..NewVault::individual(&key) };
    Vault::create_in_memory(&new, options()).unwrap()
}

/// One act on one entry that this commit did not touch before.
fn act(
    tx: &mut Transaction<'_>,
    chance: &mut Chance,
    map: &mut BTreeMap<EntryId, Modelled>,
    expunged: &mut BTreeSet<EntryId>,
    touched: &mut Touched,
    sql: &Connection,
) -> Result<(), Error> {
    let ids: Vec<EntryId> = map.keys().filter(|id| !touched.ids.contains(*id)).copied().collect();
    let which = chance.below(8);
    if which < 3 || ids.is_empty() {
        let facts = Facts::draw(chance);
        let id = tx.add(&facts.entry())?;
        store(sql, id, &facts, false, 1);
        map.insert(id, Modelled::new(facts, None));
        touched.ids.insert(id);
        return Ok(());
    }
    let id = ids[chance.below(ids.len())];
    touched.ids.insert(id);
    let modelled = map.get_mut(&id).unwrap();
    let last = modelled.revisions.last().unwrap().clone();
    match which {
        3 => {
            tx.expunge(id, "order")?;
            map.remove(&id);
            expunged.insert(id);
            sql.execute("DELETE FROM entries WHERE id = ?1", [id.to_string()]).unwrap();
            return Ok(());
        }
        4 => return relocate(tx, chance, (map, id), expunged, touched, sql),
        5 => {
            tx.retract(id, "not so")?;
            modelled.retracted.push(true);
            modelled.revisions.push(last);
        }
        _ => {
            let facts = last.amended(chance);
            assert!(compartment_of(&facts.entry()) == compartment_of(&last.entry()));
            tx.amend(id, &facts.entry(), "better known")?;
            modelled.retracted.push(false);
            modelled.revisions.push(facts);
        }
    }
    let (facts, retracted) = (modelled.revisions.last().unwrap(), *modelled.retracted.last().unwrap());
    store(sql, id, facts, retracted, modelled.revisions.len());
    Ok(())
}

/// What a commit did so far.
#[derive(Default)]
struct Touched {
    ids: BTreeSet<EntryId>,
    moves: u64,
    /// Slices of the attachments that it moves: a commit has room for so many.
    slices: u64,
}

/// An entry goes to another compartment, if it may.
fn relocate(
    tx: &mut Transaction<'_>,
    chance: &mut Chance,
    (map, id): (&mut BTreeMap<EntryId, Modelled>, EntryId),
    expunged: &mut BTreeSet<EntryId>,
    touched: &mut Touched,
    sql: &Connection,
) -> Result<(), Error> {
    let to = Compartment::HOLDING_ENTRIES[chance.below(Compartment::HOLDING_ENTRIES.len())];
    let modelled = map.remove(&id).unwrap();
    let belongs = modelled.revisions.iter().all(|facts| compartment_of(&facts.entry()) == to);
    let slices = touched.slices + modelled.slices();
    let is_refused = to == modelled.place || (to == Compartment::General && !belongs);
    if is_refused || slices > STEP {
        if is_refused {
            assert!(matches!(tx.move_to(id, to, None), Err(Error::Invalid { .. })));
        }
        map.insert(id, modelled);
        touched.ids.remove(&id);
        return Ok(());
    }
    let new = tx.move_to(id, to, Some("order"))?;
    (touched.slices, touched.moves) = (slices, touched.moves + 1);
    touched.ids.insert(new);
    let is_sealed = to == Compartment::Sealed;
    let moved = "UPDATE entries SET id = ?2, sealed = ?3 WHERE id = ?1";
    sql.execute(moved, rusqlite::params![id.to_string(), new.to_string(), is_sealed]).unwrap();
    map.insert(new, Modelled { place: to, ..modelled });
    expunged.insert(id);
    Ok(())
}

fn store(sql: &Connection, id: EntryId, facts: &Facts, retracted: bool, revision: usize) {
    let day = |which: &str, text: Option<&str>| {
        text.map(|text| {
            sql.query_row(&format!("SELECT {which}"), [text], |row| row.get::<_, String>(0)).unwrap()
        })
    };
    // What has no end goes on.
    let (first, last) = (day(FIRST, facts.start), day(LAST, facts.end));
    sql.execute(
        "INSERT OR REPLACE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
         coalesce((SELECT sealed FROM entries WHERE id = ?1), 0))",
        rusqlite::params![
            id.to_string(),
            facts.kind,
            facts.code,
            first,
            last,
            facts.text,
            facts.provider,
            retracted,
            i64::try_from(revision).unwrap()
        ],
    )
    .unwrap();
}

#[test]
fn random_sequences_agree_with_a_map_and_with_sqlite() {
    let asked = std::env::var("SUBROSA_MODEL_SEQUENCES").ok().map(|text| text.parse().unwrap());
    let sequences: u64 = asked.unwrap_or(SEQUENCES);
    let (next, acts) = (AtomicU64::new(0), Mutex::new(BTreeMap::<Act, u64>::new()));
    let image = new_image("password");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= sequences {
                        return;
                    }
                    let image = (!seed.is_multiple_of(3)).then_some(image.as_slice());
                    let run = std::panic::AssertUnwindSafe(|| Sequence::new(seed, image).run());
                    let done = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
                        eprintln!("sequence of seed {seed}");
                        std::panic::resume_unwind(panic);
                    });
                    for (act, times) in done {
                        *acts.lock().unwrap().entry(act).or_default() += times;
                    }
                }
            });
        }
    });
    let acts = acts.into_inner().unwrap();
    eprintln!("{sequences} sequences: {acts:?}");
    Act::ALL.into_iter().for_each(|act| assert!(acts.contains_key(&act), "{act:?} did not happen"));
    assert!(acts[&Act::OpenAnew] + acts[&Act::CutPower] >= sequences * 2 / 3, "a file is opened anew");
}
