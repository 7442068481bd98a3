//! Which entry each row of a section's narrative belongs to.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::narrative;
use super::part::Made;
use crate::codec::xml::El;
use crate::record::{Concept, Record};

/// Gives each entry the rows of the narrative that tell the same fact: those to which it alone
/// refers, and what it alone is called in. Of a row that several refer to, each gets what it
/// refers to. The numbers of what was given away, in order.
pub(super) fn share<'t>(text: El<'t>, made: &mut [Made<'t>]) -> Vec<u32> {
    let mut owners: HashMap<u32, HashSet<usize>> = HashMap::new();
    for (at, one) in made.iter().enumerate() {
        for element in &one.fragments {
            owners.entry(narrative::row_of(*element).number()).or_default().insert(at);
        }
    }
    let mut taken: HashSet<u32> = HashSet::new();
    for one in made.iter_mut() {
        let mut fragments: Vec<El<'t>> = Vec::new();
        for element in std::mem::take(&mut one.fragments) {
            let row = narrative::row_of(element);
            let is_own = owners.get(&row.number()).is_some_and(|owners| owners.len() == 1);
            let fragment = if is_own { row } else { element };
            if !fragments.contains(&fragment) {
                fragments.push(fragment);
            }
        }
        // What stands within another fragment of the same entry is there already.
        let spans: Vec<Range<usize>> = fragments.iter().map(|fragment| fragment.span()).collect();
        fragments.retain(|fragment| {
            let own = fragment.span();
            !spans.iter().any(|span| *span != own && span.start <= own.start && own.end <= span.end)
        });
        taken.extend(fragments.iter().map(|fragment| fragment.number()));
        one.fragments = fragments;
    }
    by_name(text, made, &mut taken);
    let are_of_substances = made.iter().all(|one| matches!(one.record, Record::SubstanceUse(_)));
    if let (true, Some(first)) = (are_of_substances, made.first_mut()) {
        // What stands beside entries about the use of substances only is kept as apart as they.
        let left = narrative::rows(text).into_iter().filter(|row| within(*row).is_disjoint(&taken));
        let left: Vec<El<'t>> = left.collect();
        taken.extend(left.iter().map(|row| row.number()));
        first.fragments.extend(left);
    }
    let mut taken: Vec<u32> = taken.into_iter().collect();
    taken.sort_unstable();
    taken
}

/// Rows that nothing refers to, and that hold the title of one entry only.
fn by_name<'t>(text: El<'t>, made: &mut [Made<'t>], taken: &mut HashSet<u32>) {
    let titles: Vec<Option<String>> = made
        .iter()
        .map(|one| {
            let title = one.record.code().and_then(Concept::title).map(str::to_lowercase);
            title.filter(|title| title.chars().count() >= SHORTEST_TITLE)
        })
        .collect();
    // Each row is held against each title: only as far as documents of people go.
    let rows = narrative::rows(text);
    if rows.len().saturating_mul(titles.len()) > MOST_COMPARED {
        return;
    }
    for row in rows {
        let numbers: HashSet<u32> = within(row);
        if !numbers.is_disjoint(taken) || row.span().len() > LONGEST_ROW {
            continue;
        }
        let said = narrative::plain(row, &[]).to_lowercase();
        let is_in =
            |title: &Option<String>| title.as_ref().is_some_and(|title| said.contains(title.as_str()));
        let mut owners = titles.iter().enumerate().filter(|(_, title)| is_in(title)).map(|(at, _)| at);
        if let (Some(owner), None) = (owners.next(), owners.next())
            && let Some(one) = made.get_mut(owner)
        {
            one.fragments.push(row);
            taken.insert(row.number());
        }
    }
}

fn within(element: El<'_>) -> HashSet<u32> {
    let mut numbers = HashSet::new();
    let mut open = vec![element];
    while let Some(element) = open.pop() {
        numbers.insert(element.number());
        open.extend(element.elements());
    }
    numbers
}

/// Shorter titles are in other words too.
const SHORTEST_TITLE: usize = 5;
const MOST_COMPARED: usize = 250_000;
const LONGEST_ROW: usize = 8 * 1024;
