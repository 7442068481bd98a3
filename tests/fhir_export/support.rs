//! Vaults, exports of them, and whether two vaults hold the same.

use std::collections::HashMap;

use subrosa::interop::{ExportForm, ImportError, Imported};
use subrosa::record::Location;
use subrosa::vault::{Compartment, Exported, ImportDecisions, ImportReport};
use subrosa::{
    Actor, Credential, Entry, Error, Filter, Import, ImportOptions, NewVault, RawKey, Vault, VaultOptions,
};

pub(crate) const FORMS: [ExportForm; 2] = [ExportForm::Bundle, ExportForm::Ndjson];

pub(crate) fn vault() -> Vault {
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap()
}

pub(crate) fn exported(vault: &Vault, form: ExportForm) -> (Vec<u8>, Exported) {
    let mut out = Vec::new();
    let filter = Filter::all().with_retracted();
    let told = vault.export_fhir(&Actor::owner(), &filter, form, &mut out).unwrap();
    (out, told)
}

pub(crate) fn read(file: &[u8], is_own: bool) -> Imported {
    try_read(file, is_own).unwrap()
}

fn try_read(file: &[u8], is_own: bool) -> Result<Imported, ImportError> {
    let options = ImportOptions::default();
    let options = if is_own { options.from_own_export() } else { options };
    let mut import = Import::new(options);
    import.read(Some("export"), file).unwrap();
    assert!(import.holds_export());
    import.finish()
}

pub(crate) fn import(vault: &Vault, imported: &Imported) -> Result<ImportReport, Error> {
    vault.import_with(&Actor::owner(), imported, &ImportDecisions::default(), |_, _| {})
}

/// An entry with where it is, and what is not compared as it stands.
pub(crate) struct Held {
    pub(crate) compartment: Compartment,
    pub(crate) entry: Entry,
    pub(crate) disputes: usize,
    pub(crate) files: Vec<Vec<u8>>,
}

/// All entries. Ids are the vault's own; the identity of what was entered by hand is what the
/// export calls it.
pub(crate) fn held(vault: &Vault) -> Vec<Held> {
    let listed = vault.list(&Filter::all().with_retracted()).unwrap();
    let of = |listed: &subrosa::vault::Listed| {
        let mut entry = vault.entry(listed.id).unwrap();
        let attachments = entry.attachments();
        let is_in_vault = |location: &Option<Location>| matches!(location, Some(Location::Stored(_)));
        let stored = attachments.iter().enumerate().filter(|(_, file)| is_in_vault(&file.location));
        let files = stored.map(|(number, _)| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut vault.attachment(listed.id, number).unwrap(), &mut bytes)
                .unwrap();
            bytes
        });
        let files = files.collect();
        let disputes = std::mem::take(&mut entry.marks.disputes).len();
        let identity = entry.provenance.identity.as_ref().map(|identity| identity.as_str().to_owned());
        if identity.is_some_and(|identity| identity.starts_with("urn:uuid:") && entry.source.is_none()) {
            entry.provenance.identity = None;
        }
        Held { compartment: listed.compartment, entry, disputes, files }
    };
    listed.iter().map(of).collect()
}

fn likeness(held: &Held) -> String {
    let identity = held.entry.provenance.identity.as_ref().map(|identity| identity.as_str().to_owned());
    format!("{:?} {:?} {:?}", held.entry.kind(), identity, held.entry.display())
}

/// Asserts that both vaults hold the same entries, each as often.
pub(crate) fn assert_same(one: &Vault, other: &Vault, what: &str) {
    let (ours, mut theirs): (Vec<Held>, HashMap<String, Vec<Held>>) = (held(one), HashMap::new());
    let others = held(other);
    assert_eq!(ours.len(), others.len(), "{what}: as many entries");
    for held in others {
        theirs.entry(likeness(&held)).or_default().push(held);
    }
    for held in ours {
        let alike = theirs
            .get_mut(&likeness(&held))
            .unwrap_or_else(|| panic!("{what}: {} is there", likeness(&held)));
        let same = |other: &Held| {
            other.entry == held.entry
                && other.compartment == held.compartment
                && other.disputes == held.disputes
                && other.files == held.files
        };
        match alike.iter().position(same) {
            Some(at) => drop(alike.swap_remove(at)),
            None => {
                let other =
                    alike.first().unwrap_or_else(|| panic!("{what}: {} is as often", likeness(&held)));
                let (one, other) = (&held.entry, &other.entry);
                panic!(
                    "{what}: {}: record {} provenance {} not understood {} source {} marks {}",
                    likeness(&held),
                    one.record == other.record,
                    one.provenance == other.provenance,
                    one.not_understood == other.not_understood,
                    one.source == other.source,
                    one.marks == other.marks,
                );
            }
        }
    }
}

/// Exports in both forms, imports each into an empty vault and holds both against each other;
/// then imports it once more there, and into the vault that it came from.
pub(crate) fn assert_round_trip(vault: &Vault, what: &str) {
    let before = held(vault).len();
    for form in FORMS {
        let (file, told) = exported(vault, form);
        assert_eq!(told.entries, before, "{what}: {form:?}");
        assert!(told.damaged.is_empty() && told.too_large.is_empty(), "{what}");
        let imported = read(&file, true);
        let findings = || imported.findings.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(imported.entries.len(), before, "{what} {form:?}: {:?}", findings());
        let fresh = self::vault();
        import(&fresh, &imported).unwrap();
        assert_same(vault, &fresh, &format!("{what} {form:?}"));
        for (vault, where_to) in [(&fresh, "again"), (vault, "where it came from")] {
            for is_own in [true, false] {
                let epoch = vault.epoch();
                let imported = match try_read(&file, is_own) {
                    // What nobody answers for is judged as any file: it may be about several.
                    Err(ImportError::SeveralPatients { .. }) if !is_own => continue,
                    imported => imported.unwrap(),
                };
                let report = match import(vault, &imported) {
                    Err(Error::ImportAsks { .. }) if !is_own => continue,
                    report => report.unwrap(),
                };
                assert_eq!(
                    report.added.len() + report.kept_raw.len(),
                    0,
                    "{what} {form:?} {where_to} own {is_own}"
                );
                assert_eq!(report.amended.len(), 0, "{what} {form:?} {where_to} own {is_own}");
                if is_own {
                    assert_eq!(report.unchanged, before, "{what} {form:?} {where_to}");
                    assert_eq!(vault.epoch(), epoch, "{what} {form:?} {where_to}");
                }
            }
        }
    }
}
