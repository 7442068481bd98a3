//! The bytes of a fuzzer, read as numbers; what is missing is zero.

/// What of an input was not read yet.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most so many bytes.
    pub(super) fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) | u32::from(self.u16()) << 16
    }

    /// A position in something of this length.
    pub(super) fn position(&mut self, length: usize) -> usize {
        self.u32() as usize % length.max(1)
    }

    /// Bytes with their number before them.
    pub(super) fn counted(&mut self) -> &'a [u8] {
        let count = self.u8();
        self.take(usize::from(count))
    }
}
