//! Making a record fit: no field has more values than it carries, no entry more than it may
//! have in all.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Field, MOST_ITEMS, Record, Token, shorten};

/// Most values of one field that are carried over.
pub(crate) const MOST: usize = 4096;

/// Leaves out values beyond the most that a field carries: lists within lists may
/// have gathered more. `too_large` and `not_understood` are called with the names of fields.
pub(crate) fn within_limits(
    record: Record,
    too_large: impl Fn(&str),
    not_understood: impl Fn(&str),
) -> Record {
    let kind = record.kind();
    let (kept, beyond): (Vec<_>, Vec<_>) =
        record.into_fields().into_iter().partition(|field| usize::from(field.index) < MOST);
    beyond.iter().for_each(|field| too_large(field.name));
    let kept = few_enough(kept, not_understood).into_iter();
    let kept = kept.map(|field| (field.tag, field.index, field.value));
    Record::from_fields(kind, kept).expect("fields of a record, cut at their ends, are fields of a record")
}

/// Leaves out what would make more of an entry than it may have in all. Nobody's record comes
/// near that; of one that does, each field keeps its first values, and its meaning is not
/// understood.
fn few_enough(fields: Vec<Field>, not_understood: impl Fn(&str)) -> Vec<Field> {
    let items = |field: &Field| 1 + field.value.lent().items();
    if fields.iter().map(items).sum::<usize>() <= MOST_ITEMS / 2 {
        return fields;
    }
    let mut of_field: BTreeMap<u16, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for field in fields {
        let sum = of_field.entry(field.tag).or_default();
        let was_kept = *sum <= MOST_ITEMS_OF_FIELD;
        *sum += items(&field);
        if *sum <= MOST_ITEMS_OF_FIELD {
            kept.push(field);
        } else if was_kept {
            not_understood(field.name);
        }
    }
    kept
}

/// Most values of a field, and items in them, where all are too many.
const MOST_ITEMS_OF_FIELD: usize = 1024;

/// Most paths that an entry names; the rest of them is one path more.
const MOST_NOT_UNDERSTOOD: usize = 64;

/// The paths of what was not understood, as an entry names them.
pub(crate) fn not_understood(paths: BTreeSet<String>) -> Vec<Token> {
    let mut paths: Vec<String> = paths.into_iter().collect();
    if paths.len() > MOST_NOT_UNDERSTOOD {
        paths.truncate(MOST_NOT_UNDERSTOOD);
        paths.push("…".to_owned());
    }
    paths.iter().filter_map(|path| Token::new(shorten(path, Token::LIMIT)).ok()).collect()
}
