//! Elements that change the meaning of what holds them.
//!
//! FHIR calls them modifiers: a reader that does not know one must not read the rest as if
//! it were not there (R4 2.1.0.7, `conformance-rules.html#isModifier`). What is listed here
//! was taken from `Is Modifier` in the detailed descriptions of R4 (`*-definitions.html`),
//! and of DSTU2, STU3 and R5 where they differ; some that FHIR does not call so deny all
//! the same.

/// Elements that negate or change what holds them wherever they are, in some version of
/// FHIR, and the values with which each says nothing new.
const ANYWHERE: [(&str, &[&str]); 21] = [
    ("doNotPerform", &["false"]),
    ("prohibited", &["false"]),
    ("notDone", &["false"]),
    ("notPerformed", &["false"]),
    ("notGiven", &["false"]),
    ("wasNotGiven", &["false"]),
    ("wasNotTaken", &["false"]),
    ("isSubpotent", &["false"]),
    ("isSubPotent", &["false"]),
    ("estimatedAge", &["false"]),
    ("deleted", &["false"]),
    ("exclude", &["false"]),
    ("excluded", &["false"]),
    ("abatementBoolean", &["false"]),
    ("taken", &["y"]),
    ("docStatus", &["final", "amended", "appended", "corrected"]),
    ("adherence", &[]),
    ("animal", &[]),
    ("emptyReason", &[]),
    ("modifierExtension", &[]),
    ("implicitRules", &[]),
];

/// How elements begin that give a reason against what holds them, `[x]` at the end or not.
const REASONS_AGAINST: [&str; 4] = ["reasonNot", "notDoneReason", "notGivenReason", "notPerformedReason"];

/// Words of a status that take back what they stand beside, at any depth.
const NEGATING: [&str; 9] = [
    "entered-in-error",
    "not-done",
    "not-taken",
    "not-given",
    "refuted",
    "nullified",
    "cancelled",
    "rejected",
    "revoked",
];

/// Words of a status with which a resource says that what it is about is so.
const PLAIN: [&str; 14] = [
    "active",
    "final",
    "amended",
    "corrected",
    "appended",
    "completed",
    "current",
    "finished",
    "in-progress",
    "accepted",
    "available",
    "fulfilled",
    "confirmed",
    "recorded",
];

const ORDERS: [&str; 6] =
    ["order", "original-order", "reflex-order", "filler-order", "instance-order", "directive"];

/// Modifiers of a resource type (`*` for any): the element, and the values with which it
/// says nothing new. Those that the entry carries are not looked at.
const OF_TYPE: [(&str, &str, &[&str]); 19] = [
    ("*", "status", &PLAIN),
    ("*", "lifecycleStatus", &PLAIN),
    ("*", "intent", &ORDERS),
    ("*", "active", &["true"]),
    ("Patient", "deceasedBoolean", &["false"]),
    ("Patient", "deceasedDateTime", &[]),
    ("Patient", "link.type", &["seealso", "replaces"]),
    ("CarePlan", "activity.detail.status", &["not-started", "scheduled", "in-progress", "completed"]),
    ("Location", "mode", &["instance"]),
    ("Composition", "section.mode", &["working", "snapshot"]),
    // DSTU2 and STU3: a document that appends to another is incomplete on its own.
    ("DocumentReference", "relatesTo.code", &["replaces", "transforms", "signs"]),
    ("List", "mode", &["working", "snapshot"]),
    ("Claim", "use", &["claim", "complete"]),
    ("ClaimResponse", "use", &["claim", "complete"]),
    ("ExplanationOfBenefit", "use", &["claim", "complete"]),
    ("AdverseEvent", "actuality", &["actual"]),
    ("Consent", "decision", &["permit"]),
    ("Consent", "provision.type", &["permit"]),
    ("Consent", "except.type", &[]),
];

/// A name without what writers change of it: case, hyphens and underscores.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase())
}

/// The values with which an element that changes the meaning says nothing new; `None`
/// where it changes nothing. What is said of its value, beside it, counts as it does.
pub(super) fn harmless_values(name: &str) -> Option<&'static [&'static str]> {
    let name = name.strip_prefix('_').unwrap_or(name);
    if REASONS_AGAINST.iter().any(|start| name.starts_with(start)) {
        return Some(&[]);
    }
    // Some write it in another case, which no reader of FHIR takes for it.
    let is_it = |modifier: &str| plain(modifier).eq(plain(name));
    ANYWHERE.iter().find(|(modifier, _)| is_it(modifier)).map(|(_, harmless)| *harmless)
}

/// Whether a value that nothing carries takes back or puts off what it stands beside.
pub(super) fn is_negating(word: Option<&str>, path: &[&str]) -> bool {
    let Some((resource_type, names)) = path.split_first() else { return false };
    let word = word.unwrap_or_default();
    let is_at = |element: &str| element.split('.').eq(names.iter().copied());
    let of_type =
        OF_TYPE.iter().filter(|(of, element, _)| (*of == "*" || of == resource_type) && is_at(element));
    if of_type.map(|(_, _, harmless)| harmless).any(|harmless| !harmless.contains(&word)) {
        return true;
    }
    match names.last() {
        // Changes to a list are no list, in whatever holds one.
        Some(&"mode") => word == "changes",
        Some(&"type") if names.contains(&"provision") => word == "deny",
        _ => {
            let of_status = |name: &&str| name.to_lowercase().ends_with("status");
            names.iter().any(of_status) && NEGATING.contains(&word)
        }
    }
}
