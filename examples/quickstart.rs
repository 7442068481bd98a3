//! The whole way in one run: a vault is created, a record imported and listed,
//! an excerpt released, and verified by somebody who has no vault.
//!
//! `cargo run --release --example quickstart`

use std::collections::BTreeSet;
use std::error::Error;
use std::time::SystemTime;

use subrosa::excerpt::{Outcome, SignsAs};
use subrosa::{
    Actor, Credential, Filter, Import, ImportOptions, Kind, LockedVault, Mask, NewVault, Policy,
    ReleaseRequest, TrustedKeys, UnverifiedExcerpt, Vault, VaultOptions,
};

const RECORD: &[u8] = include_bytes!("sample/patient.json");

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wren.vault");
    let owner = Actor::owner();

    println!("1. A vault under a password, and a FHIR record imported into it\n");
    let password = Credential::password("a long sentence that nobody else says")?;
    let vault = Vault::create(&path, &NewVault::individual(&password), VaultOptions::default())?;
    let mut import = Import::new(ImportOptions::default());
    import.read(None, RECORD)?;
    let report = vault.import(&owner, &import.finish()?)?;
    println!("   {} entries, {} kept as they came\n", report.added.len(), report.kept_raw.len());
    drop(vault.lock()?);

    println!("2. Opened again, and listed\n");
    let vault = LockedVault::open(&path, VaultOptions::default())?.unlock(&password)?;
    for entry in vault.list(&Filter::all())? {
        let date = entry.card.dates.start().map_or("", |date| date.as_str());
        let title: String = entry.card.display().unwrap_or_default().chars().take(58).collect();
        println!("   {date:<25.10} {:<16} {title}", entry.card.kind.name());
    }

    println!("\n3. What an employer asks for: vaccinations and allergies, dates as years\n");
    let policy = Policy::everything_of([Kind::Immunization, Kind::Allergy])
        .dates_as_years()
        .mask("birth_date", Mask::Withhold)?;
    let preview = vault.preview(&policy)?;
    let withheld: BTreeSet<String> = preview
        .withheld()
        .iter()
        .filter_map(|w| Some(format!("{} ({})", w.field?.replace('_', " "), w.reason)))
        .collect();
    let request = ReleaseRequest::new("Acme Ltd", "proof of vaccination", policy)?;
    let file = vault.release(&owner, &request)?.to_html()?;
    let page = folder.path().join("excerpt.html");
    std::fs::write(&page, &file)?;

    println!("4. What the employer sees, without any vault\n");
    let (name, role) = vault.issuer()?;
    let trusted = TrustedKeys::none().and(vault.public_key()?, SignsAs::of(role, name.as_str()));
    let verified = UnverifiedExcerpt::parse(file.as_bytes())?.verify(&trusted, SystemTime::now())?;
    for entry in verified.entries() {
        println!("{}", entry.shown());
    }
    println!("\n   What Acme does not see of these:");
    withheld.iter().for_each(|field| println!("   - {field}"));
    println!(
        "   What Acme cannot tell: whether there is anything else. In truth there are {} more entries,",
        { vault.list(&Filter::all())?.len() - verified.entries().len() }
    );
    let secrets = ["Major depressive", "sertraline", "Riverside", "brother"];
    println!(
        "   among them a depression, and the page holds no word of it: {}",
        secrets.iter().all(|word| !file.contains(word))
    );
    println!(
        "\n5. Verified: {}",
        match verified.outcome() {
            Outcome::SignedByTrustedKey => "signed by the key that Acme trusts, and unchanged since.",
            _ => return Err("the excerpt was not signed by the trusted key".into()),
        }
    );
    Ok(())
}
