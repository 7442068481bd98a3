//! The vault's own record and the directory of its credentials.

use serde::{Deserialize, Serialize};

use super::secret::SecretV1;
use crate::codec::wire::Wire;
use crate::crypto::kem::PUBLIC_LEN;
use crate::format::area::SLOTS;

/// The numbers of the holder roles: by its role a holder keeps or destroys what accounts for
/// releases, so that nobody goes on who does not know it.
const HOLDER_ROLES: std::ops::RangeInclusive<u16> = 1..=6;

/// What the vault knows of itself: in `record`, open to every credential.
#[derive(Serialize, Deserialize)]
pub(crate) struct VaultRecordV1 {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) created: i64,
    pub(crate) holder_role: u16,
    pub(crate) holder_name: String,
    /// Where the holder is, as an ISO 3166 code such as `US-NJ`; empty if not said.
    pub(crate) jurisdiction: String,
    /// What excerpts are signed with: 1 ES256, 2 Ed25519.
    pub(crate) signing_algorithm: u16,
}

impl Wire for VaultRecordV1 {
    const NAME: &'static str = "VaultRecordV1";
    const LIMIT: usize = 16 * 1024;

    fn is_canonical(&self) -> bool {
        HOLDER_ROLES.contains(&self.holder_role)
    }
}

/// The key that turns a source's identity into the id of an entry of its compartment.
#[derive(Serialize, Deserialize)]
pub(crate) struct IdentityKeyV1 {
    pub(crate) key: SecretV1,
}

impl Wire for IdentityKeyV1 {
    const NAME: &'static str = "IdentityKeyV1";
    const LIMIT: usize = 32;
}

/// All 16 slots, used or not: in `custody`.
#[derive(Serialize, Deserialize)]
pub(crate) struct DirectoryV1 {
    pub(crate) slots: Vec<DirectorySlotV1>,
}

/// What the directory says of one slot.
#[derive(Serialize, Deserialize)]
pub(crate) struct DirectorySlotV1 {
    /// The X-Wing public half, 1216 bytes.
    pub(crate) public: Vec<u8>,
    /// 0 unused, 1 password, 2 recovery key, 3 raw key.
    pub(crate) kind: u8,
    /// Which KDF parameters of the area its password uses: 1 the first or the
    /// second, 2 the second; 0 if it is not a password's.
    pub(crate) generation: u8,
    pub(crate) grant: u8,
    /// What the owner calls this access.
    pub(crate) name: String,
    /// Milliseconds since 1970-01-01T00:00:00Z; 0 if unused.
    pub(crate) created: i64,
    /// What verifies the excerpts that it signs; of a slot in use.
    pub(crate) signing: Option<SigningV1>,
}

/// The public halves of a slot's signing keys, in the bytes that a JSON Web Key has.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct SigningV1 {
    /// The coordinates of the point of P-256.
    pub(crate) es256_x: [u8; 32],
    pub(crate) es256_y: [u8; 32],
    /// The encoded point of edwards25519.
    pub(crate) ed25519: [u8; 32],
}

impl Wire for DirectoryV1 {
    const NAME: &'static str = "DirectoryV1";
    const LIMIT: usize = 32 * 1024;

    fn is_canonical(&self) -> bool {
        self.slots.len() == SLOTS
            && self
                .slots
                .iter()
                .all(|slot| slot.public.len() == PUBLIC_LEN && slot.name.len() <= 256 && slot.fits_its_kind())
    }
}

impl DirectorySlotV1 {
    /// The kind of a slot that a password opens.
    pub(crate) const PASSWORD: u8 = 1;

    /// Whether what is listed is what a slot of its kind has. A way in of a kind or a grant
    /// that nobody knows would open the vault and be in no list.
    fn fits_its_kind(&self) -> bool {
        let generation = match self.kind {
            Self::PASSWORD => (1..=2).contains(&self.generation),
            _ => self.generation == 0,
        };
        let is_unused =
            || self.grant == 0 && self.name.is_empty() && self.created == 0 && self.signing.is_none();
        generation
            && match self.kind {
                0 => is_unused(),
                1..=3 => self.grant & 1 == 1 && self.signing.is_some(),
                _ => false,
            }
    }
}
