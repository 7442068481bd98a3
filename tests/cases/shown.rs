//! What a reader is shown is what was signed.

use std::collections::BTreeSet;

use subrosa::{
    Actor, Audience, Credential, Diagnosis, Entry, EntryId, Filter, Import, ImportOptions, Kind, Medication,
    NewVault, Observation, PartialDate, Policy, Provenance, RawKey, Record, RedactedEntry, Token,
    TrustedKeys, UnverifiedExcerpt, Vault, VaultOptions,
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
