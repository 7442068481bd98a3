//! Where the inputs are.

use std::path::PathBuf;

/// The bytes of a case, or `None`, said loudly, where the data is absent.
#[allow(dead_code, reason = "not every module has cases yet")]
pub(crate) fn case(name: &str) -> Option<Vec<u8>> {
    let path = folder().join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is absent, so this test proves nothing", path.display());
        return None;
    }
    Some(std::fs::read(path).expect("the case can be read"))
}

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cases")
}
