//! What a reader is shown is what was signed.

use subrosa::{TrustedKeys, UnverifiedExcerpt};

use crate::support;

#[test]
fn a_date_beside_another_year_is_refused() {
    let Some(file) = support::case("date-and-year-clash.json") else { return };
    let trusted = TrustedKeys::none();
    let verified = UnverifiedExcerpt::parse(&file)
        .and_then(|excerpt| excerpt.verify_claims_only(&trusted, std::time::SystemTime::now()));
    assert!(verified.is_err());
}
