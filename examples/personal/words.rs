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

/// ISO 8601 for a date as lists write it, such as `3 May 2024` or `May 2024`.
pub(crate) fn iso(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let (day, month, year) = match parts.as_slice() {
        [month, year] => (None, month, year),
        [day, month, year] => (Some(day.parse::<u8>().ok()?), month, year),
        _ => return None,
    };
    let month = month.trim_end_matches('.').to_lowercase();
    let is_meant = |name: &&str| {
        name.to_lowercase() == month || (month.len() == 3 && name.to_lowercase().starts_with(&month))
    };
    let month = MONTHS.iter().position(is_meant)? + 1;
    let is_year = year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit());
    let day = day.map(|day| format!("-{day:02}")).unwrap_or_default();
    is_year.then(|| format!("{year}-{month:02}{day}"))
}
