//! Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files",
//! PoPETs 2019) with a 256-byte floor: a size tells at most log log of itself.

use zeroize::Zeroizing;

use super::fixed::LayoutError;

/// Shortest padded content.
pub(crate) const FLOOR: usize = 256;
/// Bytes of the length before the content.
const PREFIX: usize = 8;
/// Room that is left behind the padding.
const TAG_ROOM: usize = 16;

/// The padded size of `length` bytes.
pub(crate) const fn padme(length: usize) -> usize {
    if length <= FLOOR {
        return FLOOR;
    }
    let exponent = length.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1usize << (exponent - significant)) - 1;
    (length + mask) & !mask
}

/// The padded size of `content` bytes with their length before them.
pub(crate) const fn padded_len(content: usize) -> usize {
    padme(PREFIX + content)
}

/// length (u64) ‖ content ‖ zeros, padded to [`padme`].
pub(crate) fn pad(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let padded = padded_len(content.len());
    // With room for the tag of a short box, which is encrypted in place.
    let mut out = Zeroizing::new(Vec::with_capacity(padded + TAG_ROOM));
    out.extend_from_slice(&(content.len() as u64).to_le_bytes());
    out.extend_from_slice(content);
    out.resize(padded, 0);
    out
}

/// The content of a padded plaintext; the length, the size and every zero are checked.
pub(crate) fn unpad(padded: &[u8]) -> Result<&[u8], LayoutError> {
    let fault = LayoutError { what: "padded content" };
    let (length, rest) = padded.split_first_chunk::<PREFIX>().ok_or(fault)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| fault)?;
    let (content, zeros) = rest.split_at_checked(length).ok_or(fault)?;
    let exact = padded.len() == padme(PREFIX + length) && zeros.iter().all(|byte| *byte == 0);
    if exact { Ok(content) } else { Err(fault) }
}

/// Leaves of a padded plaintext its content, in its own buffer; checks as [`unpad`].
pub(crate) fn unpad_in_place(padded: &mut Vec<u8>) -> Result<(), LayoutError> {
    let length = unpad(padded)?.len();
    padded.copy_within(PREFIX..PREFIX + length, 0);
    padded.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padme_of_the_paper() {
        // Table values computed from the paper's Algorithm 1.
        for (length, padded) in [(0, 256), (256, 256), (257, 272), (1000, 1024), (1025, 1088), (9000, 9216)] {
            assert_eq!(padme(length), padded, "{length}");
        }
        for length in 257..100_000 {
            let padded = padme(length);
            assert!(padded >= length && padded * 100 <= length * 112, "{length} -> {padded}");
            assert_eq!(padme(padded), padded);
        }
    }

    #[test]
    fn padding_is_removed_exactly_and_checked() {
        for length in [0, 1, 248, 249, 1000, 70_000] {
            let content = vec![9; length];
            let mut padded = pad(&content);
            assert_eq!(unpad(&padded), Ok(&content[..]));
            let mut in_place = padded.to_vec();
            assert_eq!((unpad_in_place(&mut in_place), &in_place), (Ok(()), &content));
            let last = padded.len() - 1;
            if 8 + length < padded.len() {
                padded[last] = 1;
                assert!(unpad(&padded).is_err());
            }
        }
        assert!(unpad(&[]).is_err());
        assert!(unpad(&[0xff; 256]).is_err());
        assert!(unpad(&[0; 257]).is_err());
    }
}
