//! Argon2id version 0x13 (RFC 9106): costs are checked as raw integers before
//! anything is allocated, and the memory blocks are wiped.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use thiserror::Error;
use zeroize::Zeroize as _;

use super::key::UnlockKey;
use super::random::{RandomError, Randomness};
use crate::secret::{SecretBytes, SecretText};

/// The cost of one Argon2id run (RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct KdfCost {
    /// Memory in KiB (m).
    pub memory_kib: u32,
    /// Passes over the memory (t).
    pub passes: u32,
    /// Degree of parallelism (p).
    pub lanes: u32,
}

impl KdfCost {
    /// 256 MiB, 3 passes, 4 lanes: about a second on a desktop machine.
    pub const STANDARD: Self = Self { memory_kib: 256 * 1024, passes: 3, lanes: 4 };
    /// 64 MiB, 3 passes, 4 lanes: the second recommended option of RFC 9106
    /// section 4, for small devices. New passwords never cost less.
    pub const SMALL_DEVICE: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
}

/// What opening a vault accepts as the cost written in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KdfLimits {
    /// Least memory in KiB. A cheaper file is refused as weak.
    pub min_memory_kib: u32,
    /// Fewest passes.
    pub min_passes: u32,
    /// Most memory in KiB. A dearer file is refused before memory is allocated.
    pub max_memory_kib: u32,
    /// Most passes.
    pub max_passes: u32,
    /// Most lanes.
    pub max_lanes: u32,
    /// Most KiB × passes over all runs of one opening.
    pub max_work: u64,
}

impl KdfLimits {
    /// The same limits, which accept a file that costs no less than this.
    #[must_use]
    pub fn with_least(mut self, memory_kib: u32, passes: u32) -> Self {
        (self.min_memory_kib, self.min_passes) = (memory_kib, passes);
        self
    }

    /// The same limits, which accept one run of up to this cost.
    #[must_use]
    pub fn with_most(mut self, memory_kib: u32, passes: u32) -> Self {
        (self.max_memory_kib, self.max_passes) = (memory_kib, passes);
        self.max_work = self.max_work.max(u64::from(memory_kib) * u64::from(passes));
        self
    }
}

impl Default for KdfLimits {
    fn default() -> Self {
        Self {
            min_memory_kib: 19 * 1024,
            min_passes: 2,
            max_memory_kib: 1024 * 1024,
            max_passes: 16,
            max_lanes: 16,
            max_work: 4 * 1024 * 1024,
        }
    }
}

/// Why a key derivation was refused or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KdfError {
    /// The file asks for less than the accepted minimum.
    #[error(
        "the vault's password protection is weak ({memory_kib} KiB, {passes} passes): accept it explicitly, then change the password"
    )]
    TooWeak {
        /// Memory asked for, in KiB.
        memory_kib: u32,
        /// Passes asked for.
        passes: u32,
    },
    /// The file asks for more than the accepted maximum.
    #[error(
        "the vault asks for more password work than is accepted ({memory_kib} KiB, {passes} passes, {lanes} lanes): raise the limit only if you trust where the file came from"
    )]
    TooCostly {
        /// Memory asked for, in KiB.
        memory_kib: u32,
        /// Passes asked for.
        passes: u32,
        /// Lanes asked for.
        lanes: u32,
    },
    /// The numbers are not Argon2 parameters (RFC 9106 section 3.1).
    #[error("the vault's password parameters are not valid: restore a backup")]
    Invalid,
    /// The memory could not be had.
    #[error(
        "not enough memory to derive the key: {memory_kib} KiB are needed; close other programs, then try again"
    )]
    OutOfMemory {
        /// Memory needed, in KiB.
        memory_kib: u32,
    },
}

/// The salt of all password slots of one generation.
pub(crate) type KdfSalt = [u8; 32];

/// Cost and salt as they stand in a credential area.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KdfParameters {
    pub(crate) cost: KdfCost,
    pub(crate) salt: KdfSalt,
}

impl KdfParameters {
    /// This cost with a fresh salt.
    pub(crate) fn generate(random: &mut Randomness, cost: KdfCost) -> Result<Self, RandomError> {
        Ok(Self { cost, salt: random.bytes()? })
    }
}

impl KdfLimits {
    /// Checks all distinct runs of one opening together, before any is made.
    pub(crate) fn check(&self, runs: &[KdfCost]) -> Result<(), KdfError> {
        let mut work = 0u64;
        for cost in runs {
            let KdfCost { memory_kib, passes, lanes } = *cost;
            work = work.saturating_add(u64::from(memory_kib).saturating_mul(u64::from(passes)));
            let costly = memory_kib > self.max_memory_kib
                || passes > self.max_passes
                || lanes > self.max_lanes
                || work > self.max_work;
            if costly {
                return Err(KdfError::TooCostly { memory_kib, passes, lanes });
            }
            if lanes == 0 || passes == 0 || memory_kib < lanes.saturating_mul(8) {
                return Err(KdfError::Invalid);
            }
            if memory_kib < self.min_memory_kib || passes < self.min_passes {
                return Err(KdfError::TooWeak { memory_kib, passes });
            }
        }
        Ok(())
    }
}

/// Argon2id(password, salt, m, t, p) → 32 bytes. The caller has checked the cost.
pub(crate) fn derive_unlock_key(
    password: &SecretText,
    parameters: &KdfParameters,
) -> Result<UnlockKey, KdfError> {
    let mut result = Ok(());
    let key = SecretBytes::filled(|out| {
        result = argon2id(password.expose_secret().as_bytes(), &parameters.salt, parameters.cost, out);
    });
    result.map(|()| UnlockKey::from_secret(key))
}

fn argon2id(password: &[u8], salt: &[u8], cost: KdfCost, out: &mut [u8; 32]) -> Result<(), KdfError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(out.len()))
        .map_err(|_| KdfError::Invalid)?;
    let mut memory = WipedBlocks::allocate(params.block_count(), cost.memory_kib)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, out, memory.0.as_mut_slice())
        .map_err(|_| KdfError::Invalid)
}

/// Argon2's memory, from which the password could be tested faster: wiped on drop.
struct WipedBlocks(Vec<Block>);

impl WipedBlocks {
    fn allocate(count: usize, memory_kib: u32) -> Result<Self, KdfError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|_| KdfError::OutOfMemory { memory_kib })?;
        blocks.resize_with(count, Block::default);
        Ok(Self(blocks))
    }
}

impl Drop for WipedBlocks {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{data, hex};

    #[test]
    fn argon2id_vectors() {
        let Some(bytes) = data("crypto/argon2id_vectors.json") else { return };
        let vectors: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let mut run = 0;
        for vector in vectors["vectors"].as_array().unwrap() {
            // The RFC's own vector has a secret and associated data, which this suite does not use.
            let (Some(password), Some(salt)) = (vector["password"].as_str(), vector["salt"].as_str()) else {
                continue;
            };
            let number = |name: &str| u32::try_from(vector[name].as_u64().unwrap()).unwrap();
            let cost = KdfCost {
                memory_kib: number("memory_kib"),
                passes: number("passes"),
                lanes: number("lanes"),
            };
            let mut out = [0; 32];
            argon2id(password.as_bytes(), salt.as_bytes(), cost, &mut out).unwrap();
            assert_eq!(out.to_vec(), hex(&vector["tag_hex"]), "{}", vector["name"]);
            run += 1;
        }
        assert!(run >= 5);
    }

    #[test]
    fn rfc_9106_section_5_3_with_secret_and_associated_data() {
        let params = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .output_len(32)
            .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let mut out = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .unwrap()
            .hash_password_into(&[1; 32], &[2; 16], &mut out)
            .unwrap();
        assert_eq!(
            out.to_vec(),
            hex(&"0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659".into())
        );
    }

    #[test]
    fn hostile_costs_are_refused_before_anything_is_allocated() {
        let limits = KdfLimits::default();
        let cost = |memory_kib, passes, lanes| KdfCost { memory_kib, passes, lanes };
        for hostile in [
            cost(u32::MAX, 3, 4),
            cost(1 << 20 | 1, 3, 4),
            cost(64 * 1024, u32::MAX, 4),
            cost(64 * 1024, 17, 4),
            cost(64 * 1024, 3, 17),
            cost(1 << 20, 5, 4),
        ] {
            assert!(matches!(limits.check(&[hostile]), Err(KdfError::TooCostly { .. })), "{hostile:?}");
        }
        assert!(limits.check(&[cost(1 << 20, 4, 4)]).is_ok());
        assert!(matches!(limits.check(&[cost(1 << 20, 3, 4); 2]), Err(KdfError::TooCostly { .. })));
        for weak in [cost(19 * 1024 - 1, 3, 4), cost(64 * 1024, 1, 4)] {
            assert!(matches!(limits.check(&[weak]), Err(KdfError::TooWeak { .. })), "{weak:?}");
        }
        for invalid in [cost(64 * 1024, 3, 0), cost(64 * 1024, 0, 1), cost(7, 3, 1), cost(0, 3, 1)] {
            assert!(limits.check(&[invalid]).is_err(), "{invalid:?}");
        }
        assert!(limits.check(&[KdfCost::STANDARD, KdfCost::SMALL_DEVICE]).is_ok());
    }

    #[test]
    fn each_limit_of_a_password_is_the_most_that_is_accepted() {
        let limits = KdfLimits {
            min_memory_kib: 16,
            max_memory_kib: 64,
            min_passes: 2,
            max_passes: 4,
            max_lanes: 3,
            max_work: 200,
        };
        let cost = |memory_kib, passes, lanes| KdfCost { memory_kib, passes, lanes };
        let check = |memory_kib, passes, lanes| limits.check(&[cost(memory_kib, passes, lanes)]);
        let costly = |memory_kib, passes, lanes| Err(KdfError::TooCostly { memory_kib, passes, lanes });
        assert_eq!(check(64, 3, 3), Ok(()));
        assert_eq!(check(50, 4, 1), Ok(()), "the most work");
        assert_eq!(check(51, 4, 1), costly(51, 4, 1), "more work");
        assert_eq!(check(65, 2, 1), costly(65, 2, 1));
        assert_eq!(check(16, 5, 1), costly(16, 5, 1));
        assert_eq!(check(64, 2, 4), costly(64, 2, 4));
        assert_eq!(check(16, 2, 1), Ok(()));
        assert_eq!(check(15, 2, 1), Err(KdfError::TooWeak { memory_kib: 15, passes: 2 }));
        assert_eq!(check(16, 1, 1), Err(KdfError::TooWeak { memory_kib: 16, passes: 1 }));
        assert_eq!(check(16, 0, 1), Err(KdfError::Invalid));
        assert_eq!(check(16, 2, 0), Err(KdfError::Invalid));
        assert_eq!(check(24, 2, 3), Ok(()), "eight blocks for each lane");
        assert_eq!(check(23, 2, 3), Err(KdfError::Invalid));
        let runs = [cost(50, 2, 1), cost(50, 2, 1)];
        assert_eq!(limits.check(&runs), Ok(()), "together the most work");
        assert_eq!(limits.check(&[runs[0], cost(51, 2, 1)]), costly(51, 2, 1));
    }
}
