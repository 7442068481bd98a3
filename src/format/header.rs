//! The header: fixed, immutable, the first 4 KiB of a vault file.

use super::{FORMAT_VERSION, FormatError, SUITE, area, root};
use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::digest::{Digest, RunningDigest};
use crate::id::VaultId;

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 4096;
/// The first bytes of every vault: a high byte, the name, line ends and an
/// end-of-file mark, so that a text transfer or a pager shows itself.
pub(crate) const MAGIC: [u8; 16] = *b"\x93SUBROSA VLT\r\n\x1a\0";
const DIGESTED: usize = HEADER_LEN - 32;

/// Where the fixed parts of a file of format 1 stand.
pub(crate) mod geometry {
    use super::{HEADER_LEN, area, root};

    /// Offset of credential area A.
    pub(crate) const AREA_A: u64 = HEADER_LEN as u64;
    /// Offset of credential area B.
    pub(crate) const AREA_B: u64 = AREA_A + area::AREA_LEN as u64;
    /// Offset of root A.
    pub(crate) const ROOT_A: u64 = AREA_B + area::AREA_LEN as u64;
    /// Offset of root B, 16 KiB behind root A: never in the same flash page.
    pub(crate) const ROOT_B: u64 = ROOT_A + 16 * 1024;
    /// Offset of the append area.
    pub(crate) const APPEND: u64 = ROOT_B + root::ROOT_LEN as u64;
}

/// SHA-256 of a whole header: bound to every box of its vault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeaderDigest(Digest);

impl HeaderDigest {
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// A header of format 1.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) vault: VaultId,
}

impl Header {
    /// magic ‖ format ‖ suite ‖ vault id ‖ geometry ‖ zeros ‖ SHA-256 of all that.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(HEADER_LEN);
        writer.slice(&MAGIC).u16(FORMAT_VERSION).u16(SUITE).slice(self.vault.as_bytes());
        for offset in geometry_fields() {
            writer.u64(offset);
        }
        let mut bytes = writer.finish_zero(DIGESTED);
        let digest = Digest::of(&[&bytes]);
        bytes.extend_from_slice(digest.as_bytes());
        bytes.to_vec()
    }

    /// Parses a header; its geometry must be that of format 1.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, HeaderDigest), FormatError> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(FormatError::Empty);
        }
        // Shorter than the magic: as far as it goes.
        if bytes.len() < HEADER_LEN && (MAGIC.starts_with(bytes) || bytes.starts_with(&MAGIC)) {
            return Err(FormatError::CutOff);
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(FormatError::NotAVault);
        }
        let version = Reader::new(bytes.get(MAGIC.len()..).unwrap_or_default(), "header").u16();
        match version {
            Ok(found) if found > FORMAT_VERSION => {
                return Err(FormatError::NewerFormat { found, supported: FORMAT_VERSION });
            }
            Ok(FORMAT_VERSION) if bytes.len() == HEADER_LEN => {}
            _ => return Err(FormatError::DamagedHeader),
        }
        let (digested, digest) = bytes.split_at(DIGESTED);
        let mut hash = RunningDigest::default();
        hash.update(digested);
        if hash.clone().finish().as_bytes() != digest {
            return Err(FormatError::DamagedHeader);
        }
        let header = Self::parse_fields(digested).map_err(|_| FormatError::DamagedHeader)?;
        hash.update(digest);
        Ok((header, HeaderDigest(hash.finish())))
    }

    fn parse_fields(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes, "header");
        reader.slice(MAGIC.len() + 2)?;
        if reader.u16()? != SUITE {
            return Err(reader.fault());
        }
        let vault = VaultId::from_bytes(reader.array()?);
        for offset in geometry_fields() {
            if reader.u64()? != offset {
                return Err(reader.fault());
            }
        }
        reader.finish_zero()?;
        Ok(Self { vault })
    }
}

fn geometry_fields() -> [u64; 7] {
    [
        geometry::AREA_A,
        geometry::AREA_B,
        area::AREA_LEN as u64,
        geometry::ROOT_A,
        geometry::ROOT_B,
        root::ROOT_LEN as u64,
        geometry::APPEND,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<u8> {
        Header { vault: VaultId::from_bytes([7; 16]) }.encode()
    }

    #[test]
    fn a_header_parses_back() {
        let (parsed, _) = Header::parse(&header()).unwrap();
        assert_eq!(parsed.vault, VaultId::from_bytes([7; 16]));
    }

    #[test]
    fn other_files_newer_formats_and_damage_are_told_apart() {
        let error = |bytes: &[u8]| Header::parse(bytes).err().unwrap();
        assert_eq!(error(b"{}"), FormatError::NotAVault);
        for empty in [&[][..], &[0; 7], &[0; HEADER_LEN]] {
            assert_eq!(error(empty), FormatError::Empty);
        }
        for length in [1, 15, 16, 18, 100, HEADER_LEN - 1] {
            assert_eq!(error(&header()[..length]), FormatError::CutOff);
        }
        let mut newer = header();
        newer[MAGIC.len()] = 2;
        assert_eq!(error(&newer), FormatError::NewerFormat { found: 2, supported: 1 });
        for byte in MAGIC.len()..HEADER_LEN {
            let mut damaged = header();
            damaged[byte] ^= 1;
            let found = error(&damaged);
            assert!(matches!(found, FormatError::DamagedHeader | FormatError::NewerFormat { .. }), "{byte}");
        }
    }

    #[test]
    fn the_parts_do_not_overlap() {
        assert_eq!(geometry::AREA_A, 4096);
        assert_eq!(geometry::ROOT_A % 4096, 0);
        assert_eq!(geometry::ROOT_B - geometry::ROOT_A, 16 * 1024);
        assert_eq!(geometry::APPEND, 81920);
    }
}
