//! Arrays of bytes taken at once; the encoding is that of byte after byte.
//!
//! Sixteen bytes are written as the little-endian number that they are.

use serde::Deserialize as _;
use serde::de::Deserializer;
use serde::ser::{SerializeTuple as _, Serializer};

/// 16 bytes.
pub(super) mod sixteen {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u128(u128::from_le_bytes(*bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        u128::deserialize(from).map(u128::to_le_bytes)
    }
}

/// 32 bytes.
pub(super) mod thirty_two {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        let mut pair = to.serialize_tuple(2)?;
        for half in bytes.as_chunks::<16>().0 {
            pair.serialize_element(&u128::from_le_bytes(*half))?;
        }
        pair.end()
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let (low, high) = <(u128, u128)>::deserialize(from)?;
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(low.to_le_bytes().into_iter().chain(high.to_le_bytes()))
            .for_each(|(to, from)| *to = from);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::wire::{self, Wire};
    use crate::payload::mirror::BytesV1;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Slowly {
        id: [u8; 16],
        digest: [u8; 32],
        bytes: Vec<u8>,
    }

    #[derive(Serialize, Deserialize)]
    struct AtOnce {
        #[serde(with = "super::sixteen")]
        id: [u8; 16],
        #[serde(with = "super::thirty_two")]
        digest: [u8; 32],
        bytes: BytesV1<'static>,
    }

    impl Wire for Slowly {
        const NAME: &'static str = "Slowly";
        const LIMIT: usize = 4096;
    }

    impl Wire for AtOnce {
        const NAME: &'static str = "AtOnce";
        const LIMIT: usize = 4096;
    }

    #[test]
    fn taking_bytes_at_once_changes_no_byte() {
        let id = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let digest = std::array::from_fn(|n| 200 - u8::try_from(n).unwrap());
        for count in [0_u8, 1, 40] {
            let bytes = vec![7; usize::from(count)];
            let slowly = wire::encode(&Slowly { id, digest, bytes: bytes.clone() }).unwrap();
            let at_once = wire::encode(&AtOnce { id, digest, bytes: BytesV1(bytes.clone().into()) }).unwrap();
            assert_eq!(slowly, at_once);
            let back: AtOnce = wire::decode(&at_once).unwrap();
            assert_eq!((back.id, back.digest, back.bytes.0.into_owned()), (id, digest, bytes));
        }
    }
}
