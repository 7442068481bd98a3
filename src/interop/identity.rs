//! What a resource is called, and how wide that name is.
//!
//! A name is only as wide as its source: two files may both have a `Patient/1`, and
//! they are two. Random UUIDs and addresses are names everywhere.

use crate::crypto::digest::Digest;

/// The identity of a resource beside another one that has its own.
pub(crate) fn beside(identity: &str, digest: &Digest) -> String {
    format!("{identity}#{}", digest.to_string().get(..16).unwrap_or_default())
}

/// Whether no two sources give the same identity to two resources: it has a server's
/// address or a random UUID.
pub(crate) fn is_global(identity: &str) -> bool {
    if identity.starts_with("http://") || identity.starts_with("https://") {
        return !is_of_this_network(identity);
    }
    let name = identity.split_once('#').map_or(identity, |(name, _)| name);
    let id = match name.strip_prefix("urn:uuid:") {
        Some(id) => id,
        None => name.split_once('/').map_or("", |(_, id)| id),
    };
    is_random_uuid(id)
}

/// Names below which nobody can register a server: RFC 2606, RFC 6761, RFC 6762, RFC 8375,
/// and those that networks of their own are built with.
const NOT_REGISTERED: [&str; 17] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "test",
    "example",
    "invalid",
    "onion",
    "arpa",
    "example.com",
    "example.net",
    "example.org",
];

/// Whether an address may mean another server elsewhere: a number, a name without a dot,
/// or one that nobody has registered.
fn is_of_this_network(address: &str) -> bool {
    let authority = address.split("//").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = authority.unwrap_or_default().rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let Some((_, last)) = host.rsplit_once('.') else { return true };
    let is_word = last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    let is_below =
        |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !(is_word || last.starts_with("xn--")) || NOT_REGISTERED.iter().any(|name| is_below(name))
}

/// Whether a text is a version 4 UUID (RFC 9562 section 5.4) that looks drawn at random:
/// placeholders such as `00000000-0000-4000-8000-000000000001` are made in many places.
pub(crate) fn is_random_uuid(id: &str) -> bool {
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    if lengths != [8, 4, 4, 4, 12] || !id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()) {
        return false;
    }
    let at = |position: usize| id.as_bytes().get(position).map(u8::to_ascii_lowercase);
    if at(14) != Some(b'4') || !matches!(at(19), Some(b'8' | b'9' | b'a' | b'b')) {
        return false;
    }
    let digits: Vec<u8> = id.bytes().filter(|b| *b != b'-').map(|b| b.to_ascii_lowercase()).collect();
    let mut different = digits.clone();
    different.sort_unstable();
    different.dedup();
    // Of random UUIDs, one in 10^6 has fewer than 8 different digits, one in 10^5 a run of 7.
    different.len() >= FEWEST_DIGITS && longest_run(&digits) < LONGEST_RUN && !counts_up(&digits)
}

const FEWEST_DIGITS: usize = 8;
const LONGEST_RUN: usize = 7;

fn longest_run(digits: &[u8]) -> usize {
    digits.chunk_by(|one, next| one == next).map(<[u8]>::len).max().unwrap_or_default()
}

/// Whether the digits are in order, as in `12345678-1234-4234-8234-123456789abc`.
fn counts_up(digits: &[u8]) -> bool {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default();
    let follows = |pair: &[u8]| matches!(pair, [one, next] if value(*next) == value(*one) + 1);
    digits.windows(2).filter(|pair| follows(pair)).count() >= MOST_IN_ORDER
}

/// Of random UUIDs, one in 10^7 has as many digits that follow on the one before.
const MOST_IN_ORDER: usize = 11;

/// The part of a RESTful address before `Type/id`.
pub(crate) fn base_of(url: &str) -> Option<&str> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return None;
    }
    let url = without_version(url);
    let id = url.rfind('/')?;
    let before = url.get(..id)?;
    let start = before.rfind('/')? + 1;
    url.get(..start)
}

pub(crate) fn without_version(reference: &str) -> &str {
    reference.split_once("/_history/").map_or(reference, |(plain, _)| plain)
}
