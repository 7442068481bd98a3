//! Fixed-width little-endian fields, for the outer bytes of a vault.

use thiserror::Error;

/// Bytes that are not the fixed layout they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} does not have its fixed layout")]
pub struct LayoutError {
    /// What was read.
    pub what: &'static str,
}

/// Reads fields in order; nothing is read twice, and [`Reader::finish_zero`]
/// says what is left over.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`, which errors call `what`.
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// The fault of this reader.
    pub(crate) fn fault(&self) -> LayoutError {
        LayoutError { what: self.what }
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], LayoutError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(self.fault())?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// The next `length` bytes.
    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], LayoutError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(self.fault())?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, LayoutError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, LayoutError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, LayoutError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, LayoutError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A byte that must be 0 or 1.
    pub(crate) fn flag(&mut self) -> Result<bool, LayoutError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.fault()),
        }
    }

    /// Bytes that are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether all was read.
    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the reading: only zeros may be left.
    pub(crate) fn finish_zero(self) -> Result<(), LayoutError> {
        if self.rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(self.fault()) }
    }
}

/// Writes fields in order.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: zeroize::Zeroizing<Vec<u8>>,
}

impl Writer {
    /// A writer with room for `length` bytes, so that growing leaves no copies.
    pub(crate) fn with_capacity(length: usize) -> Self {
        Self { bytes: zeroize::Zeroizing::new(Vec::with_capacity(length)) }
    }

    pub(crate) fn slice(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.slice(&value.to_le_bytes())
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.slice(&value.to_le_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.slice(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.slice(&value.to_le_bytes())
    }

    /// The bytes so far.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, filled with zeros up to `length`.
    pub(crate) fn finish_zero(mut self, length: usize) -> zeroize::Zeroizing<Vec<u8>> {
        self.bytes.resize(length, 0);
        self.bytes
    }
}
