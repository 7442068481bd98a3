//! Where an issuer's salts and ids come from: the program that issues, never this crate.

/// A source of fresh random bytes.
pub trait Salts {
    /// Fills `out` with them.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoSalts>;
}

/// The source gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes could be drawn")]
pub struct NoSalts;

/// So many fresh bytes.
pub(crate) fn drawn<const N: usize>(salts: &mut dyn Salts) -> Result<[u8; N], NoSalts> {
    let mut out = [0; N];
    salts.fill(&mut out)?;
    Ok(out)
}
