//! Holes: bytes of a file that nobody wrote. They read as zeros, cost no room on the disk, and
//! can be as long as whoever made the file likes.
//!
//! What a vault appends is encrypted or random. So a whole step of zeros was never written,
//! and nobody reads on behind it because a root, a link or a row says that something is there.

use super::StoreError;
use super::disk::Disk;

/// Bytes read at a time when a large part of a file is read.
pub(super) const READ_STEP: usize = 1 << 20;

static ZEROS: [u8; 4096] = [0; 4096];

/// Whether a step is one that nobody wrote: what is shorter costs little.
pub(super) fn is_hole(step: &[u8]) -> bool {
    step.len() >= READ_STEP && step.chunks(ZEROS.len()).all(|part| ZEROS.starts_with(part))
}

/// Fills `buffer` from `offset` with what was written there, a step at a time; the last one
/// takes along what is left, so that a slice of an attachment is read at once.
///
/// # Errors
/// [`StoreError::Missing`] at the first hole.
pub(super) fn read_written(disk: &dyn Disk, mut offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let length = if rest.len() < 2 * READ_STEP { rest.len() } else { READ_STEP };
        let Some((step, behind)) = rest.split_at_mut_checked(length) else { break };
        disk.read_at(offset, step)?;
        if is_hole(step) {
            return Err(StoreError::Missing);
        }
        offset = offset.saturating_add(step.len() as u64);
        rest = behind;
    }
    Ok(())
}
