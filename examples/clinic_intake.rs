//! How an EHR embeds the library: one vault per patient, all opened by the staff
//! keyring's key; a bundle is taken in, and a colleague's request answered.
//!
//! `cargo run --release --example clinic_intake [BUNDLE.json]`

use std::error::Error;
use std::path::{Path, PathBuf};

use subrosa::store::StoreError;
use subrosa::vault::{HolderRole, SignatureAlgorithm};
use subrosa::{
    Access, Actor, Credential, ErrorKind, Import, ImportOptions, Kind, LockedVault, NewVault, Policy, RawKey,
    ReleaseRequest, Vault, VaultOptions,
};

/// The clinic's own table of vaults and keys. Here a folder and a key in memory;
/// in an EHR a database and a key management service.
struct Clinic {
    folder: PathBuf,
    staff_key: RawKey,
}

impl Clinic {
    fn path(&self, record_number: &str) -> PathBuf {
        // A file's name is not encrypted: use a number that says nothing.
        self.folder.join(format!("{record_number}.vault"))
    }

    /// Opens a patient's vault, or creates it with access for the staff and a
    /// recovery key for the safe.
    fn vault(&self, record_number: &str) -> Result<Vault, subrosa::Error> {
        let staff = Credential::from(RawKey::from_bytes(self.staff_key.expose_secret()));
        let path = self.path(record_number);
        match LockedVault::open(&path, VaultOptions::default()) {
            Ok(locked) => locked.unlock(&staff),
            Err(subrosa::Error::Store(StoreError::NotFound)) => create(&path, &staff),
            Err(error) => Err(error),
        }
    }
}

fn create(path: &Path, staff: &Credential) -> Result<Vault, subrosa::Error> {
    let safe = Credential::from(subrosa::RecoveryKey::generate()?);
    let new = NewVault::held_by(HolderRole::CoveredEntity, "Chestnut Street Clinic")
        .in_jurisdiction("US-NJ")
        .signing_with(SignatureAlgorithm::Es256)
        .with_access(Access::to_everything(staff, "staff keyring"))
        .with_access(Access::to_everything(&safe, "recovery key in the safe"));
    Vault::create(path, &new, VaultOptions::default())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let clinic = Clinic { folder: folder.path().to_owned(), staff_key: RawKey::generate()? };
    let bundle = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => include_bytes!("sample/patient.json").to_vec(),
    };

    // Intake: the other hospital's bundle, taken in under the clerk's name.
    let vault = clinic.vault("100482")?;
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("transfer from another hospital"), bundle.as_slice())?;
    let clerk = Actor::new("intake: J. Moreno")?;
    let report = vault.import(&clerk, &import.finish()?)?;
    println!("taken in: {} entries, {} kept as they came", report.added.len(), report.kept_raw.len());
    drop(vault);

    // A pulmonologist asks for what bears on the airways.
    let vault = clinic.vault("100482")?;
    let policy = Policy::everything_of([Kind::Diagnosis, Kind::Allergy, Kind::Observation])
        .with_code("http://hl7.org/fhir/sid/icd-10-cm|J*".parse()?)
        .with_code("http://loinc.org|19935-6".parse()?)
        .with_code("http://www.nlm.nih.gov/research/umls/rxnorm|7980".parse()?);
    let preview = vault.preview(&policy)?;
    for notice in preview.notices() {
        println!("for the releasing physician: {notice}");
    }
    let request = ReleaseRequest::new("Dr. Lindqvist, pulmonology", "consultation", policy)?;
    match vault.release(&Actor::new("Dr. Okafor")?, &request) {
        Ok(excerpt) => {
            println!("excerpt {} with {} entries", excerpt.id(), preview.released().len());
            println!("signed by {}", vault.public_key()?.fingerprint());
        }
        // Other bundles may hold nothing of the kind.
        Err(error) if error.kind() == ErrorKind::Refused => println!("not released: {error}"),
        Err(error) => return Err(error.into()),
    }
    for line in vault.ledger()? {
        let (action, entries) = (line.action.name(), line.entries.len());
        println!("ledger {}: {action} by {}, {entries} entries", line.epoch, line.actor);
    }
    Ok(())
}
