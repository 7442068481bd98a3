//! Checkpoints: a commit's number and its root's digest, kept elsewhere to
//! tell a rolled-back or forked vault.

use std::fmt;
use std::str::FromStr;

use thiserror::Error as ThisError;

use super::core::{Snapshot, StateReader};
use crate::crypto::digest::Digest;
use crate::error::Error;
use crate::id::Epoch;

/// A state of a vault that its owner can keep elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    epoch: Epoch,
    root: Digest,
}

/// A text that is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("a checkpoint is a number, a colon and 64 hexadecimal digits")]
pub struct ParseCheckpointError;

impl Checkpoint {
    /// Whether it is the checkpoint of the commit with this number, whose stored root has
    /// this digest.
    pub(crate) fn is_of(&self, epoch: Epoch, root: &Digest) -> bool {
        self.epoch == epoch && self.root == *root
    }

    /// The commit's number.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.root)
    }
}

impl FromStr for Checkpoint {
    type Err = ParseCheckpointError;

    fn from_str(text: &str) -> Result<Self, ParseCheckpointError> {
        let (epoch, digest) = text.trim().split_once(':').ok_or(ParseCheckpointError)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digest.len() != 64 || !digits(digest) || !digits(epoch) {
            return Err(ParseCheckpointError);
        }
        let mut root = [0; 32];
        for (byte, at) in root.iter_mut().zip((0..64).step_by(2)) {
            let pair = digest.get(at..at + 2).ok_or(ParseCheckpointError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ParseCheckpointError)?;
        }
        let epoch = epoch.parse().map_err(|_| ParseCheckpointError)?;
        Ok(Self { epoch: Epoch::new(epoch), root: Digest::from_bytes(root) })
    }
}

#[cfg(feature = "serde")]
crate::serial::text_only!(Checkpoint);

impl Snapshot {
    /// The checkpoint of this state.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { epoch: self.root.epoch, root: self.root_digest() }
    }
}

impl Snapshot {
    /// The checkpoint of the state before, which was durable before this one was begun; of
    /// the first state its own.
    pub(crate) fn checkpoint_before(&self) -> Checkpoint {
        match self.root.epoch.number() {
            0 | 1 => self.checkpoint(),
            number => Checkpoint { epoch: Epoch::new(number - 1), root: self.root.previous },
        }
    }
}

impl StateReader<'_> {
    pub(crate) fn expect_checkpoint(&self, expected: &Checkpoint) -> Result<(), Error> {
        let current = self.snapshot.root.epoch;
        let root = match expected.epoch.cmp(&current) {
            std::cmp::Ordering::Greater => return Err(Error::RolledBack),
            std::cmp::Ordering::Equal => self.snapshot.root_digest(),
            std::cmp::Ordering::Less => {
                let link = expected.epoch.next().map(|next| self.link(next)).transpose()?.flatten();
                let link = link.ok_or(Error::Damaged { what: "history" })?;
                Digest::from_bytes(link.previous_root)
            }
        };
        if root == expected.root { Ok(()) } else { Err(Error::Forked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back() {
        let checkpoint = Checkpoint { epoch: Epoch::new(17), root: Digest::of(&[b"root"]) };
        assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        for text in [
            "",
            "17",
            "17:",
            ":00",
            "x:00",
            &format!("1:{}", "g".repeat(64)),
            &format!("+1:{}", "0".repeat(64)),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(ParseCheckpointError), "{text}");
        }
    }
}
