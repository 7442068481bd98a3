//! Whoever guesses what a source calls a record, and does not open the record's compartment,
//! learns nothing by the guess.

use super::basics::{key, open, options};
use crate::*;

const CLINIC: [Compartment; 1] = [Compartment::General];

/// A record of `general` and one of `substance-use`, each under a name that means one thing
/// everywhere and under one within its document.
fn records() -> Imported {
    const NAMES: [&str; 2] = ["9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8", "1"];
    const OTHERS: [&str; 2] = ["5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c", "2"];
    let record = |kind: &str, name: &str, system: &str, code: &str| {
        format!(
            r#"{{"resourceType":"{kind}","id":"{name}","status":"final","code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#
        )
    };
    let asthma = |name: &&str| record("Condition", name, "http://hl7.org/fhir/sid/icd-10-cm", "J45.909");
    let alcohol = |name: &&str| record("Observation", name, "http://loinc.org", "11331-6");
    let lines = NAMES.iter().map(asthma).chain(OTHERS.iter().map(alcohol));
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
    import.finish().unwrap()
}

/// The identity key of a compartment, as whoever opens it reads it.
fn identity_key(vault: &Vault, compartment: Compartment) -> Option<crate::crypto::key::IdentityKey> {
    vault.unlocked().unwrap().reader().identity_key(compartment).unwrap()
}

#[test]
fn an_id_is_made_under_the_key_of_its_compartment_and_under_no_other() {
    let (_folder, path) = super::basics::file();
    let (owner, clinic) = (key(1), key(2));
    let mut new = NewVault::individual(&owner);
    new.access.push(Access::new(&clinic, "clinic", Grant::of(&CLINIC)));
    let vault = Vault::create(&path, &new, options()).unwrap();
    assert!(identity_key(&vault, Compartment::General).is_none(), "none before one is needed");
    let report = vault.import(&Actor::owner(), &records()).unwrap();
    assert_eq!(report.added.len(), 4);
    let listed = vault.list(&Filter::all()).unwrap();
    let ids_in = |compartment| {
        let there = listed.iter().filter(|listed| listed.compartment == compartment);
        there.map(|listed| listed.id).collect::<Vec<_>>()
    };
    let name = |id: EntryId| {
        let identity = vault.entry(id).unwrap().provenance.identity.unwrap();
        identity.as_str().to_owned()
    };
    let (general, hidden) = (ids_in(Compartment::General), ids_in(Compartment::SubstanceUse));
    assert_eq!((general.len(), hidden.len()), (2, 2));
    let keys = [Compartment::General, Compartment::SubstanceUse]
        .map(|compartment| identity_key(&vault, compartment).unwrap());
    for (own, ids) in [&general, &hidden].into_iter().enumerate() {
        let is_of = |number: usize| {
            let made = ids.iter().map(|id| EntryId::from_bytes(keys[number].derive_id(name(*id).as_bytes())));
            made.filter(|made| ids.contains(made)).count()
        };
        assert_eq!((is_of(own), is_of(1 - own)), (1, 0), "the name within a document has a scope in front");
    }
    drop(vault);
    let vault = open(&path, &clinic).unwrap();
    assert!(identity_key(&vault, Compartment::General).is_some());
    let asked = vault.unlocked().unwrap().reader().identity_key(Compartment::SubstanceUse);
    assert_eq!(asked.err().unwrap().code(), "needs-compartment");
}

#[test]
fn the_keys_stay_when_access_is_revoked_and_what_was_imported_is_found_again() {
    let (_folder, path) = super::basics::file();
    let (owner, clinic) = (key(1), key(2));
    let mut new = NewVault::individual(&owner);
    new.access.push(Access::new(&clinic, "clinic", Grant::of(&CLINIC)));
    let vault = Vault::create(&path, &new, options()).unwrap();
    let actor = Actor::owner();
    vault.import(&actor, &records()).unwrap();
    let made = identity_key(&vault, Compartment::General).unwrap().derive_id(b"a name");
    let access = vault.access().unwrap();
    let clinic = access.iter().find(|access| access.name == "clinic").unwrap();
    vault.change_access(&actor, &AccessChange::default().revoking([clinic.id])).unwrap();
    assert_eq!(identity_key(&vault, Compartment::General).unwrap().derive_id(b"a name"), made);
    let again = vault.import(&actor, &records()).unwrap();
    assert_eq!((again.unchanged, again.added.len(), again.amended.len()), (4, 0, 0));
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn what_was_put_into_another_compartment_is_found_there_and_amended_there() {
    let (vault, actor) =
        (Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap(), Actor::owner());
    let record = |text: &str| {
        let text = format!(
            r#"{{"resourceType":"Condition","id":"9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8","meta":{{"versionId":"{}"}},"code":{{"text":"{text}"}}}}"#,
            text.len()
        );
        let mut import = Import::new(ImportOptions::default());
        import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
        import.finish().unwrap()
    };
    // An entry of that name in `sealed`, as whoever moves it there leaves it.
    let imported = record("asthma");
    let found = &imported.entries[0];
    let id = vault
        .update(&actor, |tx| {
            let keys = tx.identity_keys()?;
            let id = keys.of(Compartment::Sealed)?.derive_id(found.identity.as_bytes());
            tx.keep_identity_key(&keys, Compartment::Sealed)?;
            tx.add_as(Compartment::Sealed, EntryId::from_bytes(id), &found.entry)?;
            Ok(EntryId::from_bytes(id))
        })
        .unwrap()
        .value;
    let again = vault.import(&actor, &imported).unwrap();
    assert_eq!((again.unchanged, again.added.len()), (1, 0));
    assert_eq!(super::take_all(&vault, &actor, &record("asthma, mild")).unwrap().amended, [id]);
    assert!(vault.check().unwrap().is_clean());
}

/// All of the entries' compartments but `sealed`: what the strongest guesser opens.
const ALL_BUT_SEALED: [Compartment; 3] =
    [Compartment::General, Compartment::PsychotherapyNotes, Compartment::SubstanceUse];

/// A file about somebody of this name: a patient, a record under a name that means one thing
/// everywhere, one of `substance-use`, and one under a name within the file.
struct Guess {
    document: String,
    name: String,
    word: String,
    digits: u8,
}

impl Guess {
    fn new(document: &str, name: &str, word: &str, digits: u8) -> Self {
        Self { document: document.to_owned(), name: name.to_owned(), word: word.to_owned(), digits }
    }

    fn uuid(&self, number: u8) -> String {
        format!("9e3779b9-3c1d-4a7e-9b52-7f01c5a2{:02x}{number:02x}", self.digits)
    }

    fn lines(&self) -> Vec<String> {
        let Self { name, word, digits, .. } = self;
        let record = |kind: &str, id: &str, code: &str, word: &str| {
            format!(
                r#"{{"resourceType":"{kind}","id":"{id}","status":"final","subject":{{"reference":"Patient/{digits}"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}],"text":"{word}"}}}}"#
            )
        };
        vec![
            format!(
                r#"{{"resourceType":"Patient","id":"{digits}","name":[{{"text":"{name}"}}],"birthDate":"1980-02-03"}}"#
            ),
            record("Condition", &self.uuid(1), "1234-5", &format!("{word} one")),
            record("Observation", &self.uuid(2), "11331-6", &format!("{word} two")),
            record("Condition", &format!("{digits}7"), "1234-5", &format!("{word} three")),
        ]
    }

    fn read(&self) -> Imported {
        let mut import = Import::new(ImportOptions::default());
        import.read(Some(&self.document), self.lines().join("\n").as_bytes()).unwrap();
        import.finish().unwrap()
    }

    /// All that tells of it, wherever it may be written down.
    fn needles(&self) -> Vec<Vec<u8>> {
        let texts = [self.document.clone(), self.name.clone(), self.word.clone(), self.uuid(1), self.uuid(2)];
        let mut needles: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        for line in self.lines() {
            let digest = Digest::of(&[line.as_bytes()]);
            needles.push(digest.to_string().into_bytes());
            needles.push(digest.as_bytes()[..16].to_vec());
        }
        needles
    }
}

/// What an import of a guess tells: all of its report, or the questions that it asks.
type Told = Result<Vec<usize>, (&'static str, Vec<String>)>;

/// All that somebody with this credential learns of a guess from the file at `path`, by reading
/// and by importing it into a copy.
#[derive(Debug, PartialEq, Eq)]
struct Learnt {
    undecided: Told,
    decided: Told,
    /// How many of the ids that the guess may have had are of anything that is stored.
    ids: usize,
    /// How many of its needles stand in anything that the credential opens.
    needles: usize,
    found: usize,
    tombstones: &'static str,
}

fn learn(path: &std::path::Path, who: &Credential, guess: &Guess) -> Learnt {
    let imported = guess.read();
    let mut decisions = ImportDecisions::default();
    let undecided = told(path, who, &imported, &decisions);
    decisions.patient_is_same = true;
    decisions.changed_source = Some(ChangedSource::Accept);
    let decided = told(path, who, &imported, &decisions);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.vault");
    std::fs::copy(path, &copy).unwrap();
    let vault = open(&copy, who).unwrap();
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    let (mut rows, mut texts, mut scopes) = (Vec::new(), Vec::new(), vec![None]);
    for compartment in reader.held_compartments() {
        let mut here = Vec::new();
        let scan = &mut |row: &crate::tree::Row| {
            here.push(row.duplicate());
            Ok(())
        };
        reader.trie(compartment).unwrap().scan(scan).unwrap();
        for row in here {
            texts.push([row.key.as_bytes().as_slice(), row.id.as_bytes(), &row.inline].concat());
            if row.object.is_some() {
                texts.push(reader.core.open_row(compartment, &row).unwrap().to_vec());
            }
            rows.push(*row.key.as_bytes());
        }
    }
    for (_, _, import) in reader.import_rows().unwrap() {
        scopes.extend(import.documents.iter().map(|document| Some(EntryId::from_bytes(document.scope))));
    }
    let mut ids = 0;
    for compartment in ALL_BUT_SEALED {
        let Some(key) = reader.identity_key(compartment).unwrap() else { continue };
        for (scope, found) in scopes.iter().flat_map(|scope| imported.entries.iter().map(move |e| (scope, e)))
        {
            let name = scope.map(|scope| format!("{scope}\0")).unwrap_or_default() + &found.identity;
            for name in [name.clone(), format!("{} {name}", found.entry.kind().name())] {
                ids += usize::from(rows.contains(&key.derive_id(name.as_bytes())));
            }
        }
    }
    let stands = |needle: &&Vec<u8>| {
        texts.iter().any(|text| text.windows(needle.len()).any(|window| window == needle.as_slice()))
    };
    let needles = guess.needles();
    Learnt {
        undecided,
        decided,
        ids,
        needles: needles.iter().filter(stands).count(),
        found: vault.list(&Filter::all().with_retracted().text_anywhere(&guess.word)).unwrap().len(),
        tombstones: vault.returned().map_or_else(|error| error.code(), |_| "read"),
    }
}

fn told(path: &std::path::Path, who: &Credential, imported: &Imported, decisions: &ImportDecisions) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.vault");
    std::fs::copy(path, &copy).unwrap();
    let vault = open(&copy, who).unwrap();
    match vault.import_with(&Actor::owner(), imported, decisions, |_, _| {}) {
        Ok(report) => Ok(vec![
            report.added.len(),
            report.kept_raw.len(),
            report.amended.len(),
            report.unchanged,
            report.under_other_names,
            report.older.len(),
            report.undecided.len(),
            report.perhaps_same.len(),
            report.expunged_before,
            report.decided,
            report.findings.len(),
        ]),
        Err(Error::ImportAsks { questions }) => {
            let kind = |question: &interop::ImportQuestion| match question {
                interop::ImportQuestion::Patient { .. } => "patient".to_owned(),
                interop::ImportQuestion::OtherNames { .. } => "other names".to_owned(),
                interop::ImportQuestion::ChangedSource { known, same, .. } => {
                    format!("source {known} {same}")
                }
            };
            Err(("import-asks", questions.iter().map(kind).collect()))
        }
        Err(error) => Err((error.code(), Vec::new())),
    }
}

/// A vault with the records of two files, of which one is expunged in part or whole, and a
/// guesser.
struct Game {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    owner: Credential,
    guesser: Credential,
}

impl Game {
    fn new() -> (Self, Vault) {
        let (folder, path) = super::basics::file();
        let (owner, guesser) = (key(1), key(2));
        let mut new = NewVault::individual(&owner);
        new.access.push(Access::new(&guesser, "clinic", Grant::of(&ALL_BUT_SEALED)));
        let vault = Vault::create(&path, &new, options()).unwrap();
        vault.import(&Actor::owner(), &kept().read()).unwrap();
        (Self { _folder: folder, path, owner, guesser }, vault)
    }
}

fn kept() -> Guess {
    Guess::new("home.ndjson", "Ada Byron", "hayfever", 0x11)
}

/// What was in the vault once.
fn gone() -> Guess {
    Guess::new("sober-house.ndjson", "Ada King", "melancholia", 0x22)
}

/// What never was.
fn never() -> Guess {
    Guess::new("lighthouse-1.ndjson", "Ada Gale", "quinsyfever", 0x33)
}

fn take_as_hers(vault: &Vault, guess: &Guess) -> Vec<EntryId> {
    let decisions = ImportDecisions { patient_is_same: true, ..ImportDecisions::default() };
    vault.import_with(&Actor::owner(), &guess.read(), &decisions, |_, _| {}).unwrap().added
}

#[test]
fn a_file_that_was_expunged_and_one_that_never_was_are_the_same_to_whoever_guesses() {
    let (game, vault) = Game::new();
    let ids = take_as_hers(&vault, &gone());
    assert_eq!(ids.len(), 4);
    vault.close().unwrap();
    // While it is there, everything tells: the game can be won.
    let there = learn(&game.path, &game.guesser, &gone());
    assert!(there.ids >= 2 && there.needles >= 5 && there.found == 3, "{there:?}");
    assert_eq!(there.undecided.unwrap()[3], 4);
    let vault = open(&game.path, &game.owner).unwrap();
    vault.expunge(&Actor::owner(), &ids, "a wish").unwrap();
    for id in &ids {
        let asked = [vault.entry(*id).err().unwrap().code(), vault.history(*id).err().unwrap().code()];
        assert_eq!(asked, ["no-such-entry"; 2]);
    }
    assert!(vault.check().unwrap().is_clean());
    vault.close().unwrap();
    for who in [&game.guesser, &game.owner] {
        let (gone, never) = (learn(&game.path, who, &gone()), learn(&game.path, who, &never()));
        assert_eq!(gone, never);
        assert_eq!((gone.ids, gone.needles, gone.found), (0, 0, 0));
    }
    assert_eq!(learn(&game.path, &game.guesser, &gone()).tombstones, "needs-compartment");
}

#[test]
fn a_record_that_was_expunged_from_a_file_that_stays_is_the_same_as_one_that_never_was() {
    let (game, vault) = Game::new();
    let ids = take_as_hers(&vault, &gone());
    let patient = |id: &&EntryId| vault.entry(**id).unwrap().kind() == Kind::Patient;
    let patient = *ids.iter().find(patient).unwrap();
    let records: Vec<EntryId> = ids.iter().copied().filter(|id| *id != patient).collect();
    // Of the file the patient stays, and then the records without the patient.
    for (expunged, stay) in [(records.clone(), 1), (vec![patient], 0)] {
        vault.expunge(&Actor::owner(), &expunged, "a wish").unwrap();
        let left = vault.unlocked().unwrap().reader().import_rows().unwrap();
        let is_of = |name: &Option<String>| name.as_deref() == Some("sober-house.ndjson");
        let counts = left.iter().flat_map(|(_, _, import)| &import.documents);
        let counts: u64 =
            counts.filter(|document| is_of(&document.name)).map(|document| document.entries).sum();
        assert_eq!(counts, stay);
        assert!(vault.check().unwrap().is_clean());
    }
    vault.close().unwrap();
    let (gone, never) =
        (learn(&game.path, &game.guesser, &gone()), learn(&game.path, &game.guesser, &never()));
    assert_eq!(gone, never);
}

#[test]
fn what_is_to_stay_away_is_known_to_who_opens_sealed_and_as_new_to_all_others() {
    let (game, vault) = Game::new();
    let ids = take_as_hers(&vault, &gone());
    let report = vault.expunge(&Actor::owner(), &ids, vault::Expungement::new().staying_away()).unwrap();
    assert!(report.stays_away && report.remains.contains(&vault::Remains::Tombstone));
    assert_eq!(report.sources.len(), 1);
    assert_eq!(report.sources[0].document.as_deref(), Some("sober-house.ndjson"));
    assert_eq!(vault.returned().unwrap(), []);
    assert!(vault.check().unwrap().is_clean());
    vault.close().unwrap();
    let (gone_now, never_was) =
        (learn(&game.path, &game.guesser, &gone()), learn(&game.path, &game.guesser, &never()));
    assert_eq!(gone_now, never_was);
    // The owner's import leaves it out; the clinic's takes it, and the owner is told.
    let Ok(told) = learn(&game.path, &game.owner, &gone()).decided else { panic!("a report") };
    assert_eq!((told[0], told[8]), (0, 4));
    let clinic = open(&game.path, &game.guesser).unwrap();
    let back = take_as_hers(&clinic, &gone());
    assert_eq!((back.len(), clinic.returned().err().unwrap().code()), (4, "needs-compartment"));
    clinic.close().unwrap();
    let vault = open(&game.path, &game.owner).unwrap();
    let sorted = |mut ids: Vec<EntryId>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(vault.returned().unwrap()), sorted(back.clone()));
    vault.expunge(&Actor::owner(), &back[..2], vault::Expungement::new().staying_away()).unwrap();
    assert_eq!(sorted(vault.returned().unwrap()), sorted(back[2..].to_vec()));
    // Whoever takes it again keeps it.
    let mut again = ImportDecisions::default().with_expunged(vault::Expunged::TakeAgain).with_same_patient();
    again.changed_source = Some(ChangedSource::Accept);
    vault.import_with(&Actor::owner(), &gone().read(), &again, |_, _| {}).unwrap();
    assert_eq!(vault.returned().unwrap(), []);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn only_who_opens_sealed_can_let_something_stay_away_and_the_refusal_changes_nothing() {
    let (game, vault) = Game::new();
    let id = vault.list(&Filter::all()).unwrap()[0].id;
    vault.close().unwrap();
    let clinic = open(&game.path, &game.guesser).unwrap();
    let before = clinic.epoch();
    let refused = clinic.expunge(&Actor::owner(), &[id], vault::Expungement::new().staying_away());
    match refused {
        Err(Error::NeedsCompartment { compartment }) => assert_eq!(compartment, Compartment::Sealed),
        other => panic!("{other:?}"),
    }
    assert_eq!(clinic.epoch(), before);
    assert!(clinic.entry(id).is_ok());
}
