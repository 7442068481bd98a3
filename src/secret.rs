//! Secret bytes: filled in place, wiped on drop, never printed or copied.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A 32-byte secret on the heap, so that moving it leaves no copy behind.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretBytes(Box<[u8; 32]>);

impl SecretBytes {
    /// A secret filled in place by `fill`.
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut secret = Self(Box::new([0; 32]));
        fill(&mut secret.0);
        secret
    }

    /// The one way to read the secret.
    pub(crate) fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A secret text (a password, a recovery key's words), wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The one way to read the secret.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}
