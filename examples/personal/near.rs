//! Words that are nearly the one that was typed.

/// The candidate that differs in the fewest letters, if that is few enough for a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.trim().to_lowercase();
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        _ => 2,
    };
    let measured =
        candidates.into_iter().map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate));
    measured
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// How many letters are to be added, removed or exchanged (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in (1..).zip(one.chars().take(64)) {
        let mut next = vec![line];
        for (known, pair) in other.iter().zip(row.windows(2)) {
            let [diagonal, above] = *pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(*known != letter)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!((distance("bulet", "bullet"), distance("", "ab"), distance("abc", "abc")), (1, 2, 0));
        assert_eq!(nearest("Bulet", ["bulk", "bullet", "abandon"]), Some("bullet"));
        assert_eq!(nearest("xyzzy", ["bulk", "bullet"]), None);
        assert_eq!(nearest("ab", ["abc"]), None);
    }
}
