//! An import is undone as one act, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::basics::{key, options};
use super::disk::Chance;
use crate::record::{Concept, LegalHold, Narrative, Token};
use crate::*;

fn vault() -> Vault {
    Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap()
}

fn take(vault: &Vault, lines: &[(&str, &str, u8)]) -> (ImportReport, Epoch) {
    let line = |(id, text, version): &(&str, &str, u8)| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","code":{{"text":"{text}"}},"meta":{{"lastUpdated":"20{version:02}-01-01T00:00:00Z"}}}}"#
        )
    };
    let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
    let report = super::take_all(vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
    (report, vault.checkpoint().unwrap().epoch())
}

fn listing(vault: &Vault) -> Vec<(EntryId, u64, Vec<u8>)> {
    let listed = vault.list(&Filter::all()).unwrap();
    listed.iter().map(|l| (l.id, l.revision, vault.entry(l.id).unwrap().source.unwrap().bytes)).collect()
}

const A: &str = "9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8";
const B: &str = "5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c";

#[test]
fn what_it_added_is_gone_and_what_it_amended_is_what_it_was() {
    let (vault, owner) = (vault(), Actor::owner());
    take(&vault, &[(A, "asthma", 11)]);
    let before = listing(&vault);
    let (report, number) = take(&vault, &[(A, "asthma, mild", 12), (B, "gout", 11)]);
    let after = listing(&vault);
    let preview = vault.preview_undo(number).unwrap();
    assert_eq!((&preview.destroys, &preview.restores), (&report.added, &report.amended));
    let undone = vault.undo_import(&owner, number).unwrap();
    assert_eq!((&undone.destroyed, &undone.restored), (&report.added, &report.amended));
    assert!(listing(&vault) == before);
    assert!(vault.check().unwrap().is_clean() && vault.check_deep().unwrap().is_clean());
    assert_eq!(vault.history(report.amended[0]).unwrap().len(), 1);
    // It is remembered as undone, and what it brought may come again.
    let imports = vault.imports().unwrap();
    let found = imports.iter().find(|import| import.number == number).unwrap();
    assert!(found.undone && found.added.is_empty() && found.amended.is_empty());
    take(&vault, &[(A, "asthma, mild", 12), (B, "gout", 11)]);
    assert!(listing(&vault) == after);
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(vault.undo_import(&owner, Epoch::new(1)).unwrap_err().code(), "no-such-import");
}

#[test]
fn it_is_refused_while_an_entry_was_changed_since_or_is_held() {
    let (vault, owner) = (vault(), Actor::owner());
    let (report, number) = take(&vault, &[(A, "asthma", 11), (B, "gout", 11)]);
    let id = report.added[0];
    vault.update(&owner, |tx| tx.retract(id, "doubted")).unwrap();
    let before = listing(&vault);
    match vault.undo_import(&owner, number).unwrap_err() {
        Error::ChangedSinceImport { ids } => assert_eq!(ids, [id]),
        error => panic!("{error}"),
    }
    assert!(listing(&vault) == before);
    assert_eq!(vault.preview_undo(number).unwrap().changed_since, [id]);
}

#[test]
fn excerpts_and_backups_that_hold_it_are_named() {
    let (vault, owner) = (vault(), Actor::owner());
    let (_, number) = take(&vault, &[(A, "asthma", 11)]);
    let before = vault.checkpoint().unwrap().epoch();
    vault.export(&owner).unwrap();
    let exported = vault.checkpoint().unwrap().epoch();
    assert!(exported > before);
    let undone = vault.undo_import(&owner, number).unwrap();
    assert_eq!(undone.erasure.released_in, [exported]);
}

#[test]
fn the_backups_made_since_are_named_and_a_hold_refuses() {
    let (owner, folder) = (Actor::owner(), tempfile::tempdir().unwrap());
    let vault =
        Vault::create(folder.path().join("vault"), &NewVault::individual(&key(1)), options()).unwrap();
    vault.backup(&owner, folder.path().join("before"), "before").unwrap();
    let (report, number) = take(&vault, &[(A, "asthma", 11)]);
    let id = report.added[0];
    vault.backup(&owner, folder.path().join("after"), "after").unwrap();
    let hold = |vault: &Vault, holds: Vec<LegalHold>| {
        let mut entry = vault.entry(id).unwrap();
        entry.marks.legal_holds = holds;
        vault.update(&owner, |tx| tx.amend(id, &entry, "court")).unwrap();
    };
    hold(&vault, vec![LegalHold::new(Narrative::new("subpoena").unwrap(), None)]);
    assert_eq!(vault.preview_undo(number).unwrap().held, [id]);
    assert_eq!(vault.undo_import(&owner, number).unwrap_err().code(), "legal-hold");
    hold(&vault, Vec::new());
    // That was a change, by hand.
    assert_eq!(vault.undo_import(&owner, number).unwrap_err().code(), "changed-since-import");
    let (report, number) = take(&vault, &[(B, "gout", 11)]);
    vault.backup(&owner, folder.path().join("later"), "later").unwrap();
    let undone = vault.undo_import(&owner, number).unwrap();
    assert_eq!(undone.destroyed, report.added);
    let names: Vec<&str> = undone.erasure.backups.iter().map(|backup| backup.name.as_str()).collect();
    assert_eq!(names, ["later"]);
}

/// A version of an entry as the map has it: the commit and the words.
type Versions = Vec<(Epoch, String)>;

fn id_of(number: usize) -> String {
    format!("9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1{number:02x}")
}

/// Imports, amendments by hand and undoings in a random order.
struct Sequence {
    vault: Vault,
    chance: Chance,
    map: BTreeMap<EntryId, Versions>,
    imports: Vec<Epoch>,
    version: u8,
    undone: usize,
    refused: usize,
}

impl Sequence {
    fn import(&mut self) {
        self.version += 1;
        let numbers: Vec<usize> = (0..6).filter(|_| self.chance.one_in(2)).collect();
        let texts: Vec<(String, String)> =
            numbers.iter().map(|number| (id_of(*number), format!("{number} at {}", self.version))).collect();
        let lines: Vec<(&str, &str, u8)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str(), self.version)).collect();
        if lines.is_empty() {
            return;
        }
        let (report, epoch) = take(&self.vault, &lines);
        assert_eq!(report.number, Some(epoch));
        self.imports.push(epoch);
        for id in report.added.iter().chain(&report.amended) {
            let words = self.words(*id);
            self.map.entry(*id).or_default().push((epoch, words));
        }
        assert_eq!(report.added.len() + report.amended.len(), lines.len());
    }

    fn words(&self, id: EntryId) -> String {
        self.vault.entry(id).unwrap().display().unwrap()
    }

    fn amend(&mut self) {
        let ids: Vec<EntryId> = self.map.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.chance.below(ids.len())];
        let mut entry = self.vault.entry(id).unwrap();
        let words = format!("by hand {}", self.chance.below(1000));
        let Record::Diagnosis(diagnosis) = &mut entry.record else { panic!("a diagnosis") };
        diagnosis.code = Some(Concept::from_text(Token::new(words.clone()).unwrap()));
        let epoch =
            self.vault.update(&Actor::owner(), |tx| tx.amend(id, &entry, "better known")).unwrap().epoch;
        self.map.get_mut(&id).unwrap().push((epoch, words));
    }

    fn undo(&mut self) {
        if self.imports.is_empty() {
            return;
        }
        // The last ones are those of which nothing was changed since.
        let back = self.chance.below(self.imports.len().min(3));
        let at = self.imports.len() - 1 - back;
        let number = self.imports[at];
        let has = |versions: &&Versions| versions.iter().any(|(epoch, _)| *epoch == number);
        let is_later = |versions: &Versions| versions.last().is_some_and(|(epoch, _)| *epoch > number);
        let is_changed = self.map.values().filter(has).any(is_later);
        let result = self.vault.undo_import(&Actor::owner(), number);
        if is_changed {
            assert_eq!(result.unwrap_err().code(), "changed-since-import");
            self.refused += 1;
            return;
        }
        result.unwrap();
        self.imports.remove(at);
        self.map.values_mut().for_each(|versions| versions.retain(|(epoch, _)| *epoch != number));
        self.map.retain(|_, versions| !versions.is_empty());
        self.undone += 1;
    }

    fn compare(&self) {
        let listed = self.vault.list(&Filter::all()).unwrap();
        let found: BTreeSet<EntryId> = listed.iter().map(|entry| entry.id).collect();
        assert!(found == self.map.keys().copied().collect());
        for (id, versions) in &self.map {
            for (revision, (_, words)) in (1..).zip(versions) {
                let entry = self.vault.entry_revision(*id, revision).unwrap();
                assert_eq!(entry.display().as_ref(), Some(words));
            }
            assert_eq!(self.vault.history(*id).unwrap().len(), versions.len());
        }
    }
}

#[test]
fn any_sequence_of_imports_amendments_and_undoings_leaves_what_a_map_holds() {
    let (mut undone, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut sequence = Sequence {
            vault: vault(),
            chance: Chance::new(seed),
            map: BTreeMap::new(),
            imports: Vec::new(),
            version: 0,
            undone: 0,
            refused: 0,
        };
        for _ in 0..24 {
            match sequence.chance.below(8) {
                0..=2 => sequence.import(),
                3 => sequence.amend(),
                _ => sequence.undo(),
            }
            sequence.compare();
        }
        assert!(sequence.vault.check().unwrap().is_clean(), "seed {seed}");
        assert!(sequence.vault.check_deep().unwrap().is_clean(), "seed {seed}");
        undone += sequence.undone;
        refused += sequence.refused;
    }
    assert!(undone > 100 && refused > 50, "{undone} {refused}");
}

#[test]
fn versions_between_the_known_one_and_the_new_one_become_history() {
    let vault = vault();
    let version = |number: usize| {
        format!(
            r#"{{"fullUrl":"https://fhir.clinic-a.org/Condition/1","resource":{{"resourceType":"Condition","id":"1","meta":{{"versionId":"{number}"}},"code":{{"text":"state {number}"}}}},"request":{{"method":"PUT","url":"Condition/1"}},"response":{{"status":"200"}}}}"#
        )
    };
    let history = |numbers: &[usize]| {
        let entries: Vec<String> = numbers.iter().map(|number| version(*number)).collect();
        let text = format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{}]}}"#, entries.join(","));
        let mut import = Import::new(ImportOptions::default());
        import.read(Some("history.json"), text.as_bytes()).unwrap();
        super::take_all(&vault, &Actor::owner(), &import.finish().unwrap()).unwrap()
    };
    let id = history(&[2, 1]).added[0];
    assert_eq!(history(&[5, 4, 3, 2, 1]).amended, [id]);
    let words: Vec<String> =
        (1..=5).map(|revision| vault.entry_revision(id, revision).unwrap().display().unwrap()).collect();
    assert_eq!(words, ["state 1", "state 2", "state 3", "state 4", "state 5"]);
    assert!(vault.check().unwrap().is_clean());
    let number = vault.imports().unwrap().last().unwrap().number;
    assert_eq!(vault.undo_import(&Actor::owner(), number).unwrap().restored, [id]);
    assert_eq!(vault.history(id).unwrap().len(), 2);
    assert!(vault.check().unwrap().is_clean() && vault.check_deep().unwrap().is_clean());
}
