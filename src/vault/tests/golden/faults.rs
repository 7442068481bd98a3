//! Faults that only a holder of the keys can make: every box opens, and what
//! is inside breaks one rule.

mod area;
mod card;
mod content;
mod custody;
mod document;
mod entry;
mod history;
mod import;
mod object;
mod page;
mod place;
mod root;
mod story;

use super::bytes::Case;
use super::forge::Forge;

/// Every fault that needs keys, with the changed file; the first changes nothing. Beside the
/// vault stand the bytes that the commit before its last one left.
pub(super) fn all(file: &[u8], before: &[u8]) -> Vec<(Case, Vec<u8>)> {
    let faults = [
        root::FAULTS,
        area::FAULTS,
        place::FAULTS,
        place::ERASE,
        page::FAULTS,
        page::TRIE,
        object::FAULTS,
        entry::FAULTS,
        card::FAULTS,
        custody::FAULTS,
        history::FAULTS,
        story::FAULTS,
        content::FAULTS,
        import::FAULTS,
        document::FAULTS,
    ];
    let made = faults.into_iter().flatten().map(|(name, make, expect, why)| {
        let mut forge = Forge::open(file, Some(before));
        make(&mut forge);
        (Case { name: (*name).into(), expect, why }, forge.file)
    });
    made.collect()
}
