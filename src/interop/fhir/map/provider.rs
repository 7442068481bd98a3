//! Who answers for a resource.

use super::super::element::Element;
use crate::record::Party;

/// Who answers for a resource, by the elements that say so, the most direct first.
pub(super) fn provider(root: &Element<'_>) -> Option<Party> {
    const NAMES: [&str; 13] = [
        "asserter",
        "author",
        "requester",
        "orderer",
        "prescriber",
        "sender",
        "assessor",
        "recorder",
        "performer",
        "informationSource",
        "serviceProvider",
        "custodian",
        "provider",
    ];
    // STU3 has an agent within the requester.
    let party = |element: &Element<'_>| element.as_party().or_else(|| element.party("agent"));
    let of_reference = |name: &str| root.elements(name).first().and_then(party);
    NAMES.into_iter().filter(|name| root.has(name) && root.plain(name).is_none()).find_map(of_reference)
}
