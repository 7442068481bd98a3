//! A key inside a wire struct: 32 bytes that are read and written one by one in
//! their own place on the heap, so that no copy of them is left on a stack.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeTuple as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::SecretBytes;

const LENGTH: usize = 32;

/// 32 secret bytes.
pub(crate) struct SecretV1(SecretBytes);

impl SecretV1 {
    /// A copy of a secret, for a parent that is about to be encrypted.
    pub(crate) fn of(secret: &SecretBytes) -> Self {
        Self(secret.duplicate())
    }

    /// The secret itself.
    pub(crate) fn into_secret(self) -> SecretBytes {
        self.0
    }
}

impl Serialize for SecretV1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_bytes(self.0.expose_secret(), serializer)
    }
}

/// Writes a secret from where it is.
pub(super) fn as_bytes<S: Serializer>(secret: &[u8; LENGTH], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = serializer.serialize_tuple(LENGTH)?;
    secret.iter().try_for_each(|byte| bytes.serialize_element(byte))?;
    bytes.end()
}

impl<'de> Deserialize<'de> for SecretV1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(LENGTH, InPlace)
    }
}

struct InPlace;

impl<'de> Visitor<'de> for InPlace {
    type Value = SecretV1;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<SecretV1, A::Error> {
        let mut read = Ok(());
        let secret = SecretBytes::filled(|out| {
            read = out.iter_mut().try_for_each(|byte| {
                *byte = bytes.next_element()?.ok_or_else(|| de::Error::invalid_length(LENGTH, &self))?;
                Ok(())
            });
        });
        read.map(|()| SecretV1(secret))
    }
}
