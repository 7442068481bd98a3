//! Excerpts verify with implementations that nobody here wrote.
//!
//! Needs `pip install -r tests/interop/requirements.txt`; skipped loudly where
//! that is missing, unless `SUBROSA_REQUIRE_PYTHON` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use subrosa::vault::SignatureAlgorithm;
use subrosa::{
    Actor, Credential, Import, ImportOptions, Kind, Mask, NewVault, Policy, RawKey, ReleaseRequest, Vault,
    VaultOptions,
};

const SAMPLE: &[u8] = include_bytes!("../examples/sample/patient.json");

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn python_is_ready() -> bool {
    let ready = Command::new("python3").args(["-c", "import sd_jwt, jwcrypto"]).output();
    if ready.is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("SUBROSA_REQUIRE_PYTHON").is_none(),
        "python3 with sd-jwt and jwcrypto is required"
    );
    eprintln!("SKIPPED: python3 with the packages of tests/interop/requirements.txt is absent");
    false
}

fn verify(excerpt: &Path) -> (bool, String) {
    let output = Command::new("python3")
        .arg(project().join("tests/interop/verify_sd_jwt.py"))
        .arg(excerpt)
        .output()
        .expect("python3 runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn release(record: &[u8], policy: Policy, signature: SignatureAlgorithm) -> String {
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    let new = NewVault::individual(&key).signing_with(signature);
    let vault = Vault::create_in_memory(&new, VaultOptions::default()).expect("a vault");
    let mut import = Import::new(ImportOptions::default());
    import.read(None, record).expect("the record reads");
    let imported = import.finish().expect("the record imports");
    vault.import(&Actor::owner(), &imported).expect("the record is taken");
    let request = ReleaseRequest::new("A court", "a hearing", policy).expect("texts of one line");
    vault.release(&Actor::owner(), &request).expect("the excerpt is released").to_json()
}

fn everything() -> Policy {
    Policy::everything_of(Kind::all().iter().copied())
}

#[test]
fn foreign_implementations_verify_excerpts_and_see_nothing_withheld() {
    if !python_is_ready() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("excerpt.json");
    for signature in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
        let policy = everything().mask("onset", Mask::Year).expect("onset is a field");
        let excerpt = release(SAMPLE, policy, signature);
        std::fs::write(&file, &excerpt).expect("the file is written");
        let (valid, claims) = verify(&file);
        assert!(valid, "{signature:?}");
        assert!(claims.contains("penicillin") && !claims.contains("brother") && !claims.contains("1998-04"));

        let changed = excerpt.replacen("\"entries\":[\"ey", "\"entries\":[\"eY", 1);
        assert!(changed != excerpt);
        std::fs::write(&file, changed).expect("the file is written");
        assert!(!verify(&file).0, "{signature:?}");
    }
}

#[test]
fn foreign_implementations_verify_an_excerpt_of_a_real_record() {
    let record = project().join("../shared/data/fhir-bundles/uscore_patient_85.json");
    let Ok(record) = std::fs::read(&record) else {
        eprintln!("SKIPPED: ../shared/data is absent");
        return;
    };
    if !python_is_ready() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("excerpt.json");
    std::fs::write(&file, release(&record, everything(), SignatureAlgorithm::Ed25519))
        .expect("the file is written");
    assert!(verify(&file).0);
}
