//! Kinds and dates in the words of people; JSON keeps the names and ISO 8601.

use subrosa::Kind;

/// Kinds that people call something else than their names do.
const KINDS: [(&str, &str); 6] = [
    ("hospitalization", "hospital stay"),
    ("encounter", "visit"),
    ("assessment", "questionnaire"),
    ("observation", "result"),
    ("substance-use", "alcohol, tobacco, drugs"),
    ("other", "other record"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A kind as people call it.
pub(crate) fn kind(kind: Kind) -> String {
    let known = KINDS.iter().find(|(name, _)| name.replace('-', "_") == kind.name().replace('-', "_"));
    known.map_or_else(|| kind.name().replace(['-', '_'], " "), |(_, words)| (*words).to_owned())
}

/// The kind of this name, or that people call so.
pub(crate) fn kind_called(text: &str) -> Option<Kind> {
    let text = text.trim().to_lowercase();
    Kind::from_name(&text).or_else(|| Kind::all().iter().copied().find(|known| kind(*known) == text))
}

/// The day, month or year of an ISO 8601 date, such as `3 May 2024`.
pub(crate) fn day(date: &str) -> String {
    let day = date.split_once('T').map_or(date, |(day, _)| day);
    let mut parts = day.split('-');
    let year = parts.next().unwrap_or_default();
    let month = parts
        .next()
        .and_then(|month| month.parse::<usize>().ok())
        .and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match (month, parts.next()) {
        (Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        (Some(month), None) => format!("{month} {year}"),
        _ => day.to_owned(),
    }
}
