//! Who acts.

use super::facts::Role;
use crate::error::Error;

/// Who makes a change, as the ledger names them: a person or a program.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Actor(String);

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Actor")
    }
}

impl Actor {
    /// Longest name in bytes.
    pub const LIMIT: usize = 256;

    /// An actor of this name.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is empty or longer than [`Actor::LIMIT`].
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        if name.trim().is_empty() || name.len() > Self::LIMIT {
            return Err(Error::Invalid { what: "an actor's name has 1 to 256 bytes" });
        }
        Ok(Self(name))
    }

    /// The owner of the vault.
    #[must_use]
    pub fn owner() -> Self {
        Self("owner".into())
    }

    /// What the library does by a rule and nobody's wish.
    pub(crate) fn software() -> Self {
        Self("subrosa".into())
    }

    /// What everybody who opens the vault is told of who acted.
    pub(super) fn role(&self) -> Role {
        match self {
            actor if *actor == Self::owner() => Role::Owner,
            actor if *actor == Self::software() => Role::Software,
            _ => Role::Member,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}
