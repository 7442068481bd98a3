//! What a reader is shown is what was signed.

use std::collections::BTreeSet;

use subrosa::record::{Card, Diagnosis, HumanName, Medication, Observation, Origin, Patient};
use subrosa::release::{Audience, Candidate, RedactedEntry, ShownEntry, ShownLine};
use subrosa::vault::Compartment;
use subrosa::{
    Actor, Credential, Entry, EntryId, Filter, Import, ImportOptions, Kind, NewVault, PartialDate, Policy,
    Provenance, RawKey, Record, ReleaseRequest, Token, TrustedKeys, UnverifiedExcerpt, Vault, VaultOptions,
};

use crate::support;

#[test]
fn a_date_beside_another_year_is_refused() {
    let Some(file) = support::case("date-and-year-clash.json") else { return };
    let trusted = TrustedKeys::none();
    let verified = UnverifiedExcerpt::parse(&file)
        .and_then(|excerpt| excerpt.verify_claims_only(&trusted, std::time::SystemTime::now()));
    assert!(verified.is_err());
}

/// A vault with these entries, in no case an empty one.
fn vault_with(entries: &[Entry]) -> Vault {
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap();
    vault.update(&Actor::owner(), |tx| entries.iter().try_for_each(|entry| tx.add(entry).map(drop))).unwrap();
    assert!(!entries.is_empty());
    vault
}

fn date(text: &str) -> Option<PartialDate> {
    text.parse().ok()
}

/// What a list shows in this range, and what a release with it lets out or names as staying.
fn listed_and_considered(vault: &Vault, since: &str, until: &str) -> (BTreeSet<EntryId>, BTreeSet<EntryId>) {
    let (since, until) = (date(since), date(until));
    let filter = Filter::all().dates(since.clone(), until.clone());
    let listed = vault.list(&filter).unwrap().into_iter().map(|entry| entry.id).collect();
    let mut policy = Policy::everything_of(Kind::all().iter().copied()).for_audience(Audience::Patient);
    policy = since.into_iter().fold(policy, Policy::since);
    policy = until.into_iter().fold(policy, Policy::until);
    let view = vault.preview(&policy).unwrap();
    let whole = view.withheld().iter().filter(|one| one.field.is_none()).map(|one| one.entry);
    (listed, view.released().iter().map(RedactedEntry::id).chain(whole).collect())
}

const RANGES: [(&str, &str); 9] = [
    ("", ""),
    ("2020", ""),
    ("", "2015"),
    ("2010-03", "2016-02-11"),
    ("2015", "2015"),
    ("2016-02-11T10:00:00Z", "2016-02-11T10:00:00Z"),
    ("2012-07-01", ""),
    ("", "2012-07-01"),
    ("2021", "2011"),
];

#[test]
fn a_list_and_a_release_of_one_range_consider_the_same_entries_of_every_status_and_dates() {
    let dates = ["", "2012", "2012-07", "2012-07-01", "2016-02-11T12:00:00+02:00", "2021"];
    let words = ["active", "stopped", "completed", "on-hold", "cancelled", "not-taken", "entered-in-error"];
    let mut entries = Vec::new();
    for (start, end) in dates.iter().flat_map(|start| dates.iter().map(move |end| (date(start), date(end)))) {
        for word in words {
            let (start, end, status) = (start.clone(), end.clone(), Token::new(word).ok());
            let mut medication = Medication::default();
            (medication.start, medication.end) = (start.clone(), end.clone());
            medication.status = status.clone();
            let mut diagnosis = Diagnosis::default();
            (diagnosis.onset, diagnosis.abatement) = (start.clone(), end.clone());
            diagnosis.clinical_status = status.clone();
            let mut observation = Observation::default();
            (observation.start, observation.end, observation.status) = (start, end, status);
            let records: [Record; 3] = [medication.into(), diagnosis.into(), observation.into()];
            entries.extend(records.map(|record| Entry::new(record, Provenance::default())));
        }
    }
    let vault = vault_with(&entries);
    for (since, until) in RANGES {
        let (listed, considered) = listed_and_considered(&vault, since, until);
        assert_eq!(listed, considered, "from {since:?} to {until:?}");
    }
}

#[test]
fn a_list_and_a_release_of_one_range_consider_the_same_entries_of_real_records() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let files = [
        "fhir-bundles/synthea_Omar_Abernathy.json",
        "fhir-bundles/uscore_patient_85.json",
        "fhir-ips/IPS-bundle-01.json",
    ];
    for file in files {
        let Ok(bytes) = std::fs::read(folder.join(file)) else {
            eprintln!("SKIPPED: {file} is absent, so this test proves nothing");
            continue;
        };
        let mut import = Import::new(ImportOptions::default());
        import.read(Some(file), bytes.as_slice()).unwrap();
        let entries: Vec<Entry> =
            import.finish().unwrap().entries.into_iter().map(|imported| imported.entry).collect();
        let vault = vault_with(&entries);
        for (since, until) in RANGES {
            let (listed, considered) = listed_and_considered(&vault, since, until);
            assert_eq!(listed, considered, "{file}, from {since:?} to {until:?}");
        }
    }
}

/// Every entry of real records, and the same as somebody changed after the import.
fn real_entries() -> Vec<Entry> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let mut entries = Vec::new();
    for name in ["fhir-ips", "fhir-r4-examples", "fhir-bundles"] {
        let Ok(files) = std::fs::read_dir(folder.join(name)) else {
            eprintln!("SKIPPED: ../shared/data/{name} is absent, so this test proves nothing");
            continue;
        };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in
            files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "json")).take(160)
        {
            let mut import = Import::new(ImportOptions::default());
            let bytes = std::fs::read(&file).unwrap();
            if bytes.len() > 3 << 20 || import.read(None, bytes.as_slice()).is_err() {
                continue;
            }
            let Ok(imported) = import.finish() else { continue };
            entries.extend(imported.entries.into_iter().map(|imported| imported.entry));
        }
    }
    let mut changed: Vec<Entry> = entries.iter().step_by(5).cloned().collect();
    changed.iter_mut().for_each(|entry| entry.provenance.origin = Origin::ImportedAndChanged);
    entries.extend(changed);
    entries
}

/// What a reader must know first: what a list's line says, as its title and its marks.
fn in_a_list(entry: &Entry) -> (Option<String>, bool, bool) {
    let card = Card::of(entry);
    let negation = entry.record.negation().map(|negation| negation.words.join(", ").to_uppercase());
    if let Some(words) = &negation {
        let title = card.display().unwrap_or_default();
        assert!(title.starts_with(words.as_str()), "{title} does not begin with {words}");
    }
    (negation, card.flags.not_understood, card.flags.changed)
}

/// The same, of an entry in the words of `show`, a preview, a page and a verifier.
fn in_words(shown: &ShownEntry) -> (bool, bool) {
    let says = |words: &str| shown.warnings.iter().any(|warning| warning.contains(words));
    (says("was not understood"), says("changed it after it was imported"))
}

#[test]
fn every_screen_says_alike_what_is_denied_not_understood_changed_and_from_where() {
    let entries = real_entries();
    if entries.is_empty() {
        return;
    }
    let (mut denied, mut unclear, mut altered) = (0, 0, 0);
    for entry in &entries {
        let (negation, not_understood, changed) = in_a_list(entry);
        let owners = entry.shown();
        let id = EntryId::from_bytes([7; 16]);
        let policy = Policy::only([id]).for_audience(Audience::Patient);
        let view = policy.apply(&[Candidate::new(id, Compartment::General, entry)]);
        let [preview] = view.released() else { panic!("the own copy has every entry") };
        let preview = preview.shown();
        for shown in [&owners, &preview] {
            let heading = &shown.heading;
            let rest = heading.split_once(": ").map(|(_, rest)| rest).unwrap_or_default();
            assert!(negation.as_ref().is_none_or(|words| rest.starts_with(words.as_str())), "{heading}");
            assert_eq!(in_words(shown), (not_understood, changed), "{heading}");
            assert!(shown.lines.iter().any(|line| line.field == "origin"), "{heading}");
        }
        assert_eq!(owners.heading, preview.heading);
        // What a preview says, the owner reads in the same words under the same names.
        let says = |line: &&ShownLine| line.depth == 0 && line.text != "nothing of it is disclosed";
        for line in preview.lines.iter().filter(says) {
            let name = |line: &ShownLine| line.label.split(" (").next().unwrap_or_default().to_owned();
            let is_same = |other: &&ShownLine| name(other) == name(line) && other.text == line.text;
            assert!(owners.lines.iter().any(|other| is_same(&other)), "{}: {}", owners.heading, line.label);
        }
        denied += usize::from(negation.is_some());
        unclear += usize::from(not_understood);
        altered += usize::from(changed);
    }
    assert!(denied > 20 && unclear > 5 && altered > 100, "{denied} {unclear} {altered} of {}", entries.len());
}

#[test]
fn a_page_and_a_verifier_show_what_the_owner_reads() {
    let entries = real_entries();
    let of_one: Vec<Entry> =
        entries.into_iter().filter(|entry| entry.kind() != Kind::Patient).step_by(9).take(120).collect();
    if of_one.is_empty() {
        return;
    }
    let mut patient = Patient::default();
    let mut name = HumanName::default();
    name.text = Token::new("Ada Byron").ok();
    patient.names = vec![name];
    let own = Entry::new(patient, Provenance::default());
    let all: Vec<Entry> = of_one.into_iter().chain([own]).collect();
    let vault = vault_with(&all);
    let kinds = Policy::everything_of(Kind::all().iter().copied()).for_audience(Audience::Patient);
    let request = ReleaseRequest::new("Ada", "own copy", kinds).unwrap();
    let page = vault.release(&Actor::owner(), &request).unwrap().to_html().unwrap();
    let trusted = TrustedKeys::none();
    let verified = UnverifiedExcerpt::parse(page.as_bytes())
        .unwrap()
        .verify(&trusted, std::time::SystemTime::now())
        .unwrap();
    let mut read: Vec<(String, Vec<String>)> = Vec::new();
    for entry in verified.entries() {
        let shown = entry.shown();
        for line in &shown.warnings {
            assert!(page.contains(&line.replace('&', "&amp;")), "{line}");
        }
        read.push((shown.heading.clone(), shown.warnings.clone()));
    }
    let mut owners: Vec<_> =
        all.iter().map(Entry::shown).map(|shown| (shown.heading.clone(), shown.warnings.clone())).collect();
    read.sort();
    owners.sort();
    assert_eq!(read, owners);
}
