//! The credential area: KDF parameters and 16 slots, always full.
//!
//! Before a key is known only its unkeyed SHA-256 and these fixed fields are
//! read; the MAC under the vault root key is checked right after unlocking.

use super::place::PLACES;
use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::committed_len;
use crate::crypto::digest::Digest;
use crate::crypto::kdf::{KdfCost, KdfParameters};
use crate::crypto::kem::ENCAPSULATION_LEN;
use crate::crypto::key::AreaMacKey;

/// Bytes of a credential area.
pub(crate) const AREA_LEN: usize = 28 * 1024;
/// Slots in every area.
pub(crate) const SLOTS: usize = 16;
/// Plaintext bytes of an own box: the slot's private seed.
pub(crate) const OWN_LEN: usize = 32;
/// Plaintext bytes of a granted box: vault root key, grant mask, 7 compartment keys.
pub(crate) const GRANTED_LEN: usize = 32 + 1 + 32 * (PLACES - 1);
const OWN_BOX_LEN: usize = committed_len(OWN_LEN);
/// An own box as stored.
pub(crate) type OwnBox = [u8; OWN_BOX_LEN];
const GRANTED_BOX_LEN: usize = committed_len(GRANTED_LEN);
const MAC_LEN: usize = 32;
const MACED: usize = AREA_LEN - MAC_LEN - 32;
const DIGESTED: usize = AREA_LEN - 32;

/// One credential's way in, as stored.
#[derive(Clone)]
pub(crate) struct Slot {
    /// The slot's private seed, under the unlock key.
    pub(crate) own: OwnBox,
    /// The X-Wing encapsulation to the slot's public half.
    pub(crate) encapsulation: [u8; ENCAPSULATION_LEN],
    /// What the slot grants, under the encapsulated key.
    pub(crate) granted: [u8; GRANTED_BOX_LEN],
}

/// A credential area without its MAC and digest.
#[derive(Clone)]
pub(crate) struct Area {
    /// One more with every change of credentials.
    pub(crate) generation: u64,
    /// Two generations of KDF parameters; equal unless passwords are migrating.
    pub(crate) kdf: [KdfParameters; 2],
    pub(crate) slots: Vec<Slot>,
}

impl Area {
    /// The stored bytes: fields ‖ zeros ‖ MAC ‖ SHA-256.
    pub(crate) fn encode(&self, key: &AreaMacKey) -> Vec<u8> {
        let mut writer = Writer::with_capacity(AREA_LEN);
        writer.u64(self.generation);
        for KdfParameters { cost, salt } in &self.kdf {
            writer.u32(cost.memory_kib).u32(cost.passes).u32(cost.lanes).slice(salt);
        }
        for slot in &self.slots {
            writer.slice(&slot.own).slice(&slot.encapsulation).slice(&slot.granted);
        }
        let mut bytes = writer.finish_zero(MACED).to_vec();
        bytes.extend_from_slice(&key.mac(&bytes));
        let digest = Digest::of(&[&bytes]);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    /// Parses stored bytes whose unkeyed digest is right; the MAC is not checked yet.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, LayoutError> {
        let fault = LayoutError { what: "credential area" };
        if bytes.len() != AREA_LEN {
            return Err(fault);
        }
        let (digested, digest) = bytes.split_at(DIGESTED);
        if Digest::of(&[digested]).as_bytes() != digest {
            return Err(fault);
        }
        let mut reader = Reader::new(bytes.get(..MACED).unwrap_or_default(), fault.what);
        let generation = reader.u64()?;
        let kdf = [Self::parse_kdf(&mut reader)?, Self::parse_kdf(&mut reader)?];
        let mut slots = Vec::with_capacity(SLOTS);
        for _ in 0..SLOTS {
            slots.push(Slot {
                own: reader.array()?,
                encapsulation: reader.array()?,
                granted: reader.array()?,
            });
        }
        reader.finish_zero()?;
        Ok(Self { generation, kdf, slots })
    }

    fn parse_kdf(reader: &mut Reader<'_>) -> Result<KdfParameters, LayoutError> {
        let cost = KdfCost { memory_kib: reader.u32()?, passes: reader.u32()?, lanes: reader.u32()? };
        Ok(KdfParameters { cost, salt: reader.array()? })
    }

    /// Whether stored bytes carry the MAC of this key.
    pub(crate) fn verify(bytes: &[u8], key: &AreaMacKey) -> bool {
        match (bytes.get(..MACED), bytes.get(MACED..DIGESTED)) {
            (Some(maced), Some(mac)) => key.verify(maced, mac),
            _ => false,
        }
    }

    /// SHA-256 of the stored bytes, as a root names it.
    pub(crate) fn digest(bytes: &[u8]) -> Digest {
        Digest::of(&[bytes])
    }

    /// The distinct KDF runs that unlocking with a password needs.
    pub(crate) fn kdf_runs(&self) -> Vec<KdfParameters> {
        let [first, second] = self.kdf;
        if first == second { vec![first] } else { vec![first, second] }
    }
}
