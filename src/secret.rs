//! Secret bytes: filled in place, wiped on drop, never printed or copied.

use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) use subrosa_base::redacted_debug;

/// A 32-byte secret on the heap, so that moving it leaves no copy behind.
pub(crate) struct SecretBytes(Box<[u8; 32]>);

impl ZeroizeOnDrop for SecretBytes {}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        // As a slice: an array is wiped byte by byte.
        self.0.as_mut_slice().zeroize();
    }
}

impl SecretBytes {
    /// A secret filled in place by `fill`.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut secret = Self(Box::new([0; 32]));
        fill(&mut secret.0);
        #[cfg(test)]
        crate::testing::record_secret(&secret.0);
        secret
    }

    /// A second copy, on the heap like the first.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn duplicate(&self) -> Self {
        Self::filled(|out| out.copy_from_slice(self.0.as_slice()))
    }

    /// The one way to read the secret.
    pub(crate) fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Bytes that are wiped on drop, at the speed of memory: a `Vec` is wiped byte by byte.
#[derive(Default)]
pub(crate) struct WipedBytes(Vec<u8>);

impl WipedBytes {
    /// Takes the bytes over.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for WipedBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for WipedBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for WipedBytes {
    fn drop(&mut self) {
        // What is spare is wiped as one piece: then all of it is.
        self.0.clear();
        self.0.spare_capacity_mut().zeroize();
    }
}

/// A part of bytes that several values share, such as the rows of one page, so that they are
/// neither allocated nor copied one by one. The bytes are wiped when the last part is dropped.
#[derive(Default)]
pub(crate) struct SharedBytes {
    whole: Option<Arc<WipedBytes>>,
    start: u32,
    end: u32,
}

impl SharedBytes {
    /// A copy of these bytes.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }

    /// Copies of these, each a part of the same bytes.
    pub(crate) fn copies_of<B: AsRef<[u8]>>(parts: &[B]) -> Vec<Self> {
        let lengths = parts.iter().map(|part| part.as_ref().len());
        // As long as they are together: bytes that grow would leave a copy behind.
        let mut bytes = Vec::with_capacity(lengths.clone().sum());
        parts.iter().for_each(|part| bytes.extend_from_slice(part.as_ref()));
        let (whole, mut end) = (Self::from(bytes), 0);
        let cut = |length: usize| {
            let start = end;
            end += length;
            whole.part(start..end).unwrap_or_default()
        };
        lengths.map(cut).collect()
    }

    /// The same bytes, for one more value.
    pub(crate) fn share(&self) -> Self {
        Self { whole: self.whole.clone(), ..*self }
    }

    /// These bytes of it, if it has them.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let at = |offset: usize| self.start.checked_add(u32::try_from(offset).ok()?);
        Some(Self { whole: self.whole.clone(), start: at(range.start)?, end: at(range.end)? })
    }
}

impl From<Vec<u8>> for SharedBytes {
    /// Takes the bytes over. Nothing that is shared is as long as 4 GiB.
    fn from(bytes: Vec<u8>) -> Self {
        let end = u32::try_from(bytes.len()).expect("shared bytes are few");
        let whole = (end > 0).then(|| Arc::new(WipedBytes::new(bytes)));
        Self { whole, start: 0, end }
    }
}

impl From<Zeroizing<Vec<u8>>> for SharedBytes {
    fn from(mut bytes: Zeroizing<Vec<u8>>) -> Self {
        Self::from(std::mem::take(&mut *bytes))
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let whole = self.whole.as_ref().map_or(&[][..], |whole| whole.as_slice());
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A secret text (a password, a recovery key's words), wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The one way to read the secret.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

redacted_debug!(SecretText);

/// Wipes the stack below the frame that holds it when that frame ends: ciphers
/// and hashes leave their key schedules in frames that have returned.
#[must_use]
pub(crate) struct WipesStack;

impl Drop for WipesStack {
    fn drop(&mut self) {
        overwrite_stack();
    }
}

/// Does the work of one box and wipes the stack that it used at once, not only when
/// the operation ends: a value that is built there next, and then moved to the heap,
/// takes along what lies between its fields.
pub(crate) fn wiping_its_stack<R>(work: impl FnOnce() -> R) -> R {
    // Frames of its own, so that they lie below what overwrites them.
    #[inline(never)]
    fn below<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
    let result = below(work);
    overwrite_cipher_stack();
    result
}

#[inline(never)]
fn overwrite_cipher_stack() {
    // Twice what the deepest box takes and more: 7 KiB where it is barely optimised.
    const DEPTH: usize = if cfg!(debug_assertions) { 2048 } else { 1024 };
    std::hint::black_box(&mut [0u128; DEPTH]);
}

#[inline(never)]
fn overwrite_stack() {
    // As deep as the deepest call under a vault's operation, with room to spare;
    // frames that are not optimised are several times as large. A thread's stack is
    // 2 MiB unless it was made smaller.
    const DEPTH: usize = if cfg!(debug_assertions) { 16 * 1024 } else { 4 * 1024 };
    std::hint::black_box(&mut [0u128; DEPTH]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_shared_bytes_are_those_bytes_and_no_others() {
        let whole = SharedBytes::copy_of(b"0123456789");
        let middle = whole.part(2..7).unwrap();
        assert_eq!(&*middle, b"23456");
        assert_eq!(&*middle.part(1..3).unwrap(), b"34");
        assert_eq!(&*middle.share(), b"23456");
        assert!(middle.part(1..6).is_none(), "what lies behind it belongs to others");
        assert!(whole.part(9..11).is_none());
        assert!(whole.part(0..0).unwrap().is_empty() && SharedBytes::default().is_empty());
        drop(whole);
        assert_eq!(&*middle, b"23456");
        let copies = SharedBytes::copies_of(&["ab", "", "cde"]);
        let copies: Vec<&[u8]> = copies.iter().map(|copy| &**copy).collect();
        assert_eq!(copies, [b"ab".as_slice(), b"", b"cde"]);
    }
}
