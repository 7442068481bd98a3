//! Random bytes from the operating system, drawn in batches.
//!
//! A deterministic source exists in this crate's own tests and fuzz targets only.

use rand::rngs::{ChaCha12Rng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng as _};
use subrosa_excerpt::salts::{NoSalts, Salts};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;

const BATCH: usize = 1024;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the operating system gave no random bytes: try again")]
pub struct RandomError;

/// A source of random bytes that lives as long as one operation.
pub(crate) struct Randomness {
    batch: Zeroizing<Vec<u8>>,
    used: usize,
    #[cfg(any(test, fuzzing))]
    seed: Option<(u64, u64)>,
}

impl Randomness {
    /// The operating system's source.
    pub(crate) fn from_system() -> Self {
        Self {
            batch: Zeroizing::new(Vec::new()),
            used: 0,
            #[cfg(any(test, fuzzing))]
            seed: crate::seams::next_seed().map(|seed| (seed, 0)),
        }
    }

    /// Fills `out` with fresh random bytes.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out.chunks_mut(BATCH) {
            if self.batch.len() - self.used < byte.len() {
                self.refill()?;
            }
            let end = self.used + byte.len();
            let fresh = self.batch.get_mut(self.used..end).ok_or(RandomError)?;
            byte.copy_from_slice(fresh);
            fresh.fill(0);
            self.used = end;
        }
        Ok(())
    }

    /// Fills `out` with what nobody can tell from random bytes: filler, and what is written
    /// over what is erased. It is the key stream of ChaCha with 12 rounds under a fresh key,
    /// which is what the crate `rand` draws from by default; fast where the system's source
    /// is slow.
    pub(crate) fn noise(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        ChaCha12Rng::from_seed(self.bytes()?).fill_bytes(out);
        Ok(())
    }

    /// Fresh random bytes that are not secret: salts, identifiers.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        let mut out = [0; N];
        self.fill(&mut out)?;
        Ok(out)
    }

    /// A fresh random secret.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn secret(&mut self) -> Result<SecretBytes, RandomError> {
        let mut result = Ok(());
        let secret = SecretBytes::filled(|bytes| result = self.fill(bytes));
        result.map(|()| secret)
    }

    /// The bytes of so many fresh random secrets of 32 bytes, one behind the other.
    pub(crate) fn secrets(&mut self, count: usize) -> Result<Zeroizing<Vec<u8>>, RandomError> {
        let mut secrets = Zeroizing::new(vec![0; count.saturating_mul(32)]);
        secrets.chunks_mut(32).try_for_each(|secret| self.fill(secret))?;
        Ok(secrets)
    }

    fn refill(&mut self) -> Result<(), RandomError> {
        self.batch.resize(BATCH, 0);
        // Used up until fresh bytes are there: a failure must not leave zeros to be drawn.
        self.used = self.batch.len();
        #[cfg(any(test, fuzzing))]
        if let Some((seed, counter)) = &mut self.seed {
            for block in self.batch.chunks_mut(32) {
                let digest = super::digest::Digest::of(&[&seed.to_le_bytes(), &counter.to_le_bytes()]);
                block.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
                *counter += 1;
            }
            self.used = 0;
            return Ok(());
        }
        SysRng.try_fill_bytes(&mut self.batch).map_err(|_| RandomError)?;
        self.used = 0;
        Ok(())
    }

    /// A source that always gives the same bytes, for golden files.
    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { seed: Some((seed, 0)), ..Self::from_system() }
    }
}

impl Salts for Randomness {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoSalts> {
        Randomness::fill(self, out).map_err(|_| NoSalts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_given_twice() {
        let mut source = Randomness::from_system();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            assert!(seen.insert(source.bytes::<24>().unwrap()));
        }
        let mut long = vec![0; 5000];
        source.fill(&mut long).unwrap();
        assert!(long.windows(16).all(|window| window != [0; 16]));
    }

    #[test]
    fn noise_of_any_length_repeats_nothing() {
        let mut source = Randomness::from_system();
        let mut seen = std::collections::HashSet::new();
        for length in [0, 1, 15, 16, 17, 4096, 4105, 100_000] {
            let mut noise = vec![0; length];
            source.noise(&mut noise).unwrap();
            let blocks = noise.as_chunks::<16>().0.to_vec();
            assert!(blocks.into_iter().all(|block| seen.insert(block)), "{length}");
            assert!(noise.windows(4).filter(|bytes| **bytes == [0; 4]).count() < 3, "{length}");
        }
    }
}
