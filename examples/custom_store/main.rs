//! An EHR keeps its patients' vaults in its own database, beside its other
//! tables: many vaults, one staff key, no file per patient.
//!
//! `cargo run --release --example custom_store`

mod sqlite;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlite::Database;
use subrosa::record::{Diagnosis, HumanName, Patient};
use subrosa::release::Audience;
use subrosa::store::StoreError;
use subrosa::vault::{HolderRole, SignatureAlgorithm};
use subrosa::{
    Access, Actor, Concept, Credential, Entry, EntryId, Error as VaultError, Filter, Kind, LockedVault,
    NewVault, Policy, Provenance, RawKey, ReleaseRequest, Token, Vault, VaultOptions,
};

/// The clinic's keyring: here in memory, in an EHR with a key management service.
struct Keyring(RawKey);

impl Keyring {
    fn staff(&self) -> Credential {
        Credential::from(RawKey::from_bytes(self.0.expose_secret()))
    }
}

/// One application server of the clinic, with connections of its own.
struct Server<'a> {
    database: Arc<Database>,
    keyring: &'a Keyring,
    wait: Duration,
}

impl<'a> Server<'a> {
    fn start(path: &Path, keyring: &'a Keyring) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(path)?, keyring, wait: Duration::from_secs(10) })
    }

    fn options(&self) -> VaultOptions {
        VaultOptions::default().with_lock_wait(self.wait)
    }

    fn create(&self, patient: i64) -> Result<Vault, VaultError> {
        let staff = self.keyring.staff();
        let new = NewVault::held_by(HolderRole::CoveredEntity, "Chestnut Street Clinic")
            .in_jurisdiction("US-NJ")
            .signing_with(SignatureAlgorithm::Es256)
            .with_access(Access::to_everything(&staff, "staff keyring"));
        Vault::create_in(self.database.store(patient), &new, self.options())
    }

    fn open(&self, patient: i64) -> Result<Vault, VaultError> {
        LockedVault::of(self.database.store(patient), self.options())?.unlock(&self.keyring.staff())
    }
}

fn diagnosis(text: &str, onset: &str) -> Result<Entry, Box<dyn Error>> {
    let mut diagnosis = Diagnosis::default();
    diagnosis.code = Some(Concept::from_text(Token::new(text)?));
    diagnosis.onset = Some(onset.parse()?);
    Ok(Entry::new(diagnosis, Provenance::default()))
}

fn patient(name: &str) -> Result<Entry, Box<dyn Error>> {
    let mut named = HumanName::default();
    named.text = Some(Token::new(name)?);
    let mut patient = Patient::default();
    patient.names = vec![named];
    Ok(Entry::new(patient, Provenance::default()))
}

fn add(vault: &Vault, text: &str, onset: &str) -> Result<EntryId, Box<dyn Error>> {
    let entry = diagnosis(text, onset)?;
    Ok(vault.update(&Actor::new("Dr. Okafor")?, |tx| tx.add(&entry))?.value)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ehr.sqlite");
    let keyring = Keyring(RawKey::generate()?);
    let server = Server::start(&path, &keyring)?;

    println!("1. Three patients, three vaults, one database\n");
    for patient in [100_482, 100_483, 100_484] {
        let vault = server.create(patient)?;
        println!("   patient {patient}: vault {}", vault.id());
    }
    let again = server.create(100_482).err();
    println!("   the same patient again: {}\n", again.map_or_else(String::new, |error| error.to_string()));

    println!("2. A visit: opened with the staff key, written, listed\n");
    let vault = server.open(100_482)?;
    let juniper = patient("Juniper Alvarez")?;
    vault.update(&Actor::new("Dr. Okafor")?, |tx| tx.add(&juniper))?;
    add(&vault, "Asthma", "1998-04")?;
    let mistake = add(&vault, "Gout", "2021")?;
    for listed in vault.list(&Filter::all())? {
        println!("   {}: {}", listed.card.kind.name(), listed.card.display().unwrap_or_default());
    }

    println!("\n3. A colleague asks, and gets a signed excerpt\n");
    let policy = Policy::everything_of([Kind::Diagnosis]).for_audience(Audience::Treatment);
    let request = ReleaseRequest::new("Dr. Lindqvist", "consultation", policy)?;
    let excerpt = vault.release(&Actor::new("Dr. Okafor")?, &request)?;
    println!("   {} bytes, signed by {}\n", excerpt.to_json().len(), vault.public_key()?.fingerprint());

    println!("4. The second entry was another patient's: it is destroyed\n");
    let report = vault.expunge(&Actor::new("Dr. Okafor")?, &[mistake], "another patient's")?;
    println!("   {} bytes erased; the vault: {:?}", report.bytes, report.vault);
    let recipients = report.released_in.len();
    println!("   excerpts that were released before and still hold it: {recipients}\n");

    contend(&path, &keyring, &vault)?;

    println!("6. What the database's operator sees\n");
    let connection = server.database.connection()?;
    let count = "SELECT count(*), sum(length(bytes)) FROM vault_object";
    let (objects, bytes): (i64, i64) =
        connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    println!("   3 vaults, {objects} objects, {bytes} bytes, and in none of the files a word:");
    for file in std::fs::read_dir(folder.path())? {
        let found = std::fs::read(file?.path())?.windows(6).any(|window| window == b"Asthma");
        assert!(!found, "a health value is in the database");
    }
    println!("   \"Asthma\" is not there.");
    Ok(())
}

/// Two servers write to one patient's vault at once.
fn contend(path: &Path, keyring: &Keyring, vault: &Vault) -> Result<(), Box<dyn Error>> {
    println!("5. Two servers write to the same vault\n");
    let hasty = Server { wait: Duration::from_millis(20), ..Server::start(path, keyring)? };
    let patient = Server::start(path, keyring)?;
    let (theirs, hers) = (patient.open(100_482)?, hasty.open(100_482)?);
    let clerk = Actor::new("intake: J. Moreno")?;
    let (first, second) = (diagnosis("Hay fever", "2005")?, diagnosis("Migraine", "2011")?);
    vault.update(&clerk, |tx| {
        // While this change is being made, others read, and do not wait for that.
        println!("   while the first writes, the second reads {} entries", hers.list(&Filter::all())?.len());
        match hers.update(&clerk, |tx| tx.add(&second)) {
            Err(VaultError::Store(StoreError::Busy)) => println!("   and is told: {}", StoreError::Busy),
            _ => return Err(VaultError::Invalid { what: "two writers were at work" }),
        }
        tx.add(&first)
    })?;
    // Afterwards it goes through, on top of what the other did.
    theirs.update(&clerk, |tx| tx.add(&second))?;
    vault.refresh()?;
    println!("   afterwards both are there: {} entries\n", vault.list(&Filter::all())?.len());
    Ok(())
}
