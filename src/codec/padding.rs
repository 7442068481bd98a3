//! Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files",
//! PoPETs 2019) with a 256-byte floor: a size tells at most log log of itself.

use super::fixed::LayoutError;

/// Shortest padded content.
pub(crate) const FLOOR: usize = 256;
/// Bytes of the length before the content.
const PREFIX: usize = 8;

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

/// length (u64) ‖ content ‖ zeros, padded to [`padme`]: in `room`, which has this padded
/// length. `write` fills the room of the content.
pub(crate) fn pad_into<E>(
    room: &mut [u8],
    content: usize,
    write: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    debug_assert_eq!(room.len(), padded_len(content));
    let (length, rest) = room.split_first_chunk_mut().expect("padded content is longer than its length");
    *length = (content as u64).to_le_bytes();
    let (content, zeros) = rest.split_at_mut_checked(content).expect("content is shorter than padded");
    zeros.fill(0);
    write(content)
}

/// The same in a buffer of its own.
#[cfg(any(test, fuzzing))]
pub(crate) fn pad(content: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let mut room = zeroize::Zeroizing::new(vec![0; padded_len(content.len())]);
    let Ok(()) = pad_into(&mut room, content.len(), |to| {
        to.copy_from_slice(content);
        Ok::<_, std::convert::Infallible>(())
    });
    room
}

/// The content of a padded plaintext; the length, the size and every zero are checked.
pub(crate) fn unpad(padded: &[u8]) -> Result<&[u8], LayoutError> {
    let fault = LayoutError { what: "padded content" };
    let (length, rest) = padded.split_first_chunk::<PREFIX>().ok_or(fault)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| fault)?;
    let (content, zeros) = rest.split_at_checked(length).ok_or(fault)?;
    // All of them together: many are compared at once.
    let are_zero = zeros.iter().fold(0, |any, byte| any | byte) == 0;
    let exact = padded.len() == padme(PREFIX + length) && are_zero;
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
