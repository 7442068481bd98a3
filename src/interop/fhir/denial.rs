//! What denies a resource, in any version of FHIR.

use crate::codec::json::{Json, Object};
use crate::record::{Kind, denies};

/// Elements that deny a resource where they are true, in any version of FHIR.
const DENIALS: [&str; 8] = [
    "doNotPerform",
    "notDone",
    "notPerformed",
    "wasNotGiven",
    "notGiven",
    "wasNotTaken",
    "prohibited",
    "isSubpotent",
];

/// Whether a resource denies what its code names, or says something of it that whoever
/// refers to it must know.
pub(super) fn is_denied(object: &Object) -> bool {
    let kinds = [Kind::Diagnosis, Kind::Treatment, Kind::Other];
    let says = |word: &str| kinds.into_iter().any(|kind| denies(kind, "status", word));
    let puts_off = |word: &str| denies(Kind::Medication, "intent", word);
    let status = ["status", "verificationStatus", "lifecycleStatus"];
    let status = status.into_iter().filter_map(|name| object.member(name));
    let flagged = |name: &&str| {
        let flag = object.member(name);
        flag.is_some_and(|flag| flag.as_bool() == Some(true) || flag.as_str() == Some("true"))
    };
    status.flat_map(words).any(says)
        || object.member("intent").into_iter().flat_map(words).any(puts_off)
        || DENIALS.iter().any(flagged)
        || ["modifierExtension", "implicitRules"].into_iter().any(|name| object.member(name).is_some())
}

/// The words of a status: a code, or a concept's codes, displays and text.
pub(super) fn words(status: &Json) -> Vec<&str> {
    let codings = status.member("coding").and_then(Json::as_array).unwrap_or_default();
    let of_codings = codings.iter().flat_map(|coding| [coding.member("code"), coding.member("display")]);
    let all = of_codings.chain([status.member("text"), Some(status)]).flatten();
    all.filter_map(Json::as_str).collect()
}
