//! The credential area: KDF parameters and 16 slots, always full.
//!
//! Before a key is known only its unkeyed digest and these fixed fields are
//! read; the MAC under the vault root key is checked right after unlocking.
//! Behind both stand the shortcuts, which only spare work: each proves itself.

use super::place::PLACES;
use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::committed_len;
use crate::crypto::kdf::{KdfCost, KdfParameters};
use crate::crypto::kem::ENCAPSULATION_LEN;
use crate::crypto::key::{AreaMacKey, SELECTOR_LEN};
use crate::crypto::object_digest::{ObjectDigest, RunningLongDigest};

/// Bytes of a credential area.
pub(crate) const AREA_LEN: usize = 28 * 1024;
/// Slots in every area.
pub(crate) const SLOTS: usize = 16;
/// Plaintext bytes of an own box: the slot's private seed.
pub(crate) const OWN_LEN: usize = 32;
/// Plaintext bytes of a granted box: vault root key, grant mask, 7 compartment keys.
pub(crate) const GRANTED_LEN: usize = 32 + 1 + 32 * (PLACES - 1);
/// Plaintext bytes of a shortcut: the shared secret of the slot's encapsulation.
pub(crate) const SHORTCUT_LEN: usize = 32;
const OWN_BOX_LEN: usize = committed_len(OWN_LEN);
/// An own box as stored.
pub(crate) type OwnBox = [u8; OWN_BOX_LEN];
const GRANTED_BOX_LEN: usize = committed_len(GRANTED_LEN);
const SHORTCUT_BOX_LEN: usize = committed_len(SHORTCUT_LEN);
/// A shortcut as stored.
pub(crate) type ShortcutBox = [u8; SHORTCUT_BOX_LEN];
const DIGEST_LEN: usize = 32;
/// Where the shortcuts stand, behind everything that the digest covers.
const SHORTCUTS: usize = AREA_LEN - SLOTS * SHORTCUT_BOX_LEN;
const DIGESTED: usize = SHORTCUTS - DIGEST_LEN;
const MACED: usize = DIGESTED - 32;

/// One credential's way in, as stored.
#[derive(Clone)]
pub(crate) struct Slot {
    /// What tells the credential that the slot is its own.
    pub(crate) selector: [u8; SELECTOR_LEN],
    /// The slot's private seed, under the unlock key.
    pub(crate) own: OwnBox,
    /// The X-Wing encapsulation to the slot's public half.
    pub(crate) encapsulation: [u8; ENCAPSULATION_LEN],
    /// What the slot grants, under the encapsulated key.
    pub(crate) granted: [u8; GRANTED_BOX_LEN],
    /// The encapsulated key, under one that the seed gives; random where nobody
    /// who had the seed wrote it.
    pub(crate) shortcut: ShortcutBox,
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

/// An area whose digest is right and whose MAC is still to be checked.
pub(crate) struct StoredArea {
    pub(crate) area: Area,
    /// The digest of what the MAC covers.
    maced: ObjectDigest,
    mac: [u8; 32],
    digest: ObjectDigest,
}

impl Area {
    /// The stored bytes: fields ‖ zeros ‖ MAC ‖ digest ‖ shortcuts.
    pub(crate) fn encode(&self, key: &AreaMacKey) -> Vec<u8> {
        let mut writer = Writer::with_capacity(AREA_LEN);
        writer.u64(self.generation);
        for KdfParameters { cost, salt } in &self.kdf {
            writer.u32(cost.memory_kib).u32(cost.passes).u32(cost.lanes).slice(salt);
        }
        for slot in &self.slots {
            writer.slice(&slot.selector).slice(&slot.own).slice(&slot.encapsulation).slice(&slot.granted);
        }
        let mut bytes = writer.finish_zero(MACED).to_vec();
        let mut hash = RunningLongDigest::default();
        hash.update(&bytes);
        let mac = key.mac(hash.digest().as_bytes());
        hash.update(&mac);
        bytes.extend_from_slice(&mac);
        bytes.extend_from_slice(hash.digest().as_bytes());
        self.slots.iter().for_each(|slot| bytes.extend_from_slice(&slot.shortcut));
        bytes
    }

    /// Parses stored bytes whose unkeyed digest is right; the MAC is not checked yet.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, LayoutError> {
        StoredArea::parse(bytes).map(|stored| stored.area)
    }

    fn parse_fields(fields: &[u8], shortcuts: &[u8], what: &'static str) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(fields, what);
        let mut shortcuts = Reader::new(shortcuts, what);
        let generation = reader.u64()?;
        let kdf = [Self::parse_kdf(&mut reader)?, Self::parse_kdf(&mut reader)?];
        let mut slots = Vec::with_capacity(SLOTS);
        for _ in 0..SLOTS {
            slots.push(Slot {
                selector: reader.array()?,
                own: reader.array()?,
                encapsulation: reader.array()?,
                granted: reader.array()?,
                shortcut: shortcuts.array()?,
            });
        }
        reader.finish_zero()?;
        Ok(Self { generation, kdf, slots })
    }

    fn parse_kdf(reader: &mut Reader<'_>) -> Result<KdfParameters, LayoutError> {
        let cost = KdfCost { memory_kib: reader.u32()?, passes: reader.u32()?, lanes: reader.u32()? };
        Ok(KdfParameters { cost, salt: reader.array()? })
    }

    /// The digest that bytes which [`Area::encode`] gave carry, as a root names it.
    pub(crate) fn digest(bytes: &[u8]) -> ObjectDigest {
        let stored = bytes.get(DIGESTED..).and_then(<[u8]>::first_chunk);
        ObjectDigest::from_bytes(*stored.expect("an area that was encoded has its digest"))
    }

    /// Whether two copies are the same but for their shortcuts.
    pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
        one.len() == other.len() && one.get(..SHORTCUTS) == other.get(..SHORTCUTS)
    }

    /// The stored bytes with another shortcut of this slot. Nothing else of them changes.
    pub(crate) fn with_shortcut(bytes: &[u8], slot: usize, shortcut: &ShortcutBox) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let at = SHORTCUTS + slot * SHORTCUT_BOX_LEN;
        if let Some(stored) = bytes.get_mut(at..at + SHORTCUT_BOX_LEN) {
            stored.copy_from_slice(shortcut);
        }
        bytes
    }

    /// The distinct KDF runs that unlocking with a password needs.
    pub(crate) fn kdf_runs(&self) -> Vec<KdfParameters> {
        let [first, second] = self.kdf;
        if first == second { vec![first] } else { vec![first, second] }
    }
}

impl StoredArea {
    /// Parses stored bytes whose unkeyed digest is right. They are hashed here, once,
    /// for this check, for the MAC and for the roots that name them.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, LayoutError> {
        let fault = LayoutError { what: "credential area" };
        let fields = bytes.get(..MACED).filter(|_| bytes.len() == AREA_LEN).ok_or(fault)?;
        let mut reader = Reader::new(bytes.get(MACED..).unwrap_or_default(), fault.what);
        let (mac, digest) = (reader.array()?, ObjectDigest::from_bytes(reader.array()?));
        let shortcuts = reader.slice(SLOTS * SHORTCUT_BOX_LEN)?;
        let mut hash = RunningLongDigest::default();
        hash.update(fields);
        let maced = hash.digest();
        hash.update(&mac);
        if hash.digest() != digest {
            return Err(fault);
        }
        Ok(Self { area: Area::parse_fields(fields, shortcuts, fault.what)?, maced, mac, digest })
    }

    /// Whether the area carries the MAC of this key.
    pub(crate) fn verify(&self, key: &AreaMacKey) -> bool {
        key.verify(self.maced.as_bytes(), &self.mac)
    }

    /// What a root names the area by.
    pub(crate) fn digest(&self) -> &ObjectDigest {
        &self.digest
    }
}

#[cfg(any(test, fuzzing))]
#[allow(clippy::indexing_slicing, dead_code, reason = "in tests and fuzz targets only")]
pub(crate) mod testing {
    //! The layout, for tests that change stored bytes.

    use super::{AREA_LEN, DIGESTED, MACED, ObjectDigest, SHORTCUT_BOX_LEN, SHORTCUTS, SLOTS};
    use crate::crypto::key::AreaMacKey;

    /// Where the first slot stands, and how long each is.
    pub(crate) const FIRST_SLOT: usize = 96;
    pub(crate) const SLOT_LEN: usize = 1569;
    /// Where the MAC stands: behind everything that it covers.
    pub(crate) const MAC_AT: usize = MACED;

    /// The range of a slot without its shortcut.
    pub(crate) fn slot(index: usize) -> std::ops::Range<usize> {
        FIRST_SLOT + index * SLOT_LEN..FIRST_SLOT + (index + 1) * SLOT_LEN
    }

    /// The range of a slot's shortcut.
    pub(crate) fn shortcut(index: usize) -> std::ops::Range<usize> {
        assert!(index < SLOTS);
        SHORTCUTS + index * SHORTCUT_BOX_LEN..SHORTCUTS + (index + 1) * SHORTCUT_BOX_LEN
    }

    /// The range of all shortcuts: what digest and MAC do not cover.
    pub(crate) fn shortcuts() -> std::ops::Range<usize> {
        SHORTCUTS..AREA_LEN
    }

    /// Makes the unkeyed digest of changed bytes right again, as anybody can.
    pub(crate) fn digest_anew(area: &mut [u8]) {
        let digest = ObjectDigest::of(&area[..DIGESTED]);
        area[DIGESTED..SHORTCUTS].copy_from_slice(digest.as_bytes());
    }

    /// Makes MAC and digest right again, as a holder of the key can.
    pub(crate) fn mac_anew(area: &mut [u8], key: &AreaMacKey) {
        let mac = key.mac(ObjectDigest::of(&area[..MACED]).as_bytes());
        area[MACED..DIGESTED].copy_from_slice(&mac);
        digest_anew(area);
    }
}
