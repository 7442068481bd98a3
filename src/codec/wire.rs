//! The inner wire encoding: bincode 2.0.1, legacy configuration (little-endian,
//! fixed width), with a length limit per type.
//!
//! Decoding accepts exactly one byte string per value: what is left over and what
//! exceeds the limit is refused. Nothing else can encode to other bytes: every number
//! and length has its fixed width, and bincode refuses a flag that is neither 0 nor 1, a
//! variant that is not there and a text that is not UTF-8. A wire struct holds no map, no
//! float and no `char`, of which this would not be true. Tests and fuzz targets encode
//! again whatever was decoded.

use bincode::enc::write::SizeWriter;
#[cfg(any(test, fuzzing))]
use bincode::{enc::write::Writer as BincodeWriter, error::EncodeError};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why authenticated bytes are not the wire struct they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes do not decode as this type, or exceed its limit.
    #[error("{type_name} does not decode")]
    Malformed {
        /// The wire type.
        type_name: &'static str,
    },
    /// Bytes are left over behind the value.
    #[error("bytes are left over behind {type_name}")]
    TrailingBytes {
        /// The wire type.
        type_name: &'static str,
    },
    /// The value breaks the rules of its type: an order, a count.
    #[error("{type_name} is not in its canonical encoding")]
    NotCanonical {
        /// The wire type.
        type_name: &'static str,
    },
    /// The value is larger than its type may be.
    #[error("{type_name} is larger than its limit of {limit} bytes")]
    TooLarge {
        /// The wire type.
        type_name: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
}

/// A versioned wire struct with its size limit.
pub(crate) trait Wire: Serialize {
    /// The name used in errors and in the format document.
    const NAME: &'static str;
    /// Largest encoding in bytes.
    const LIMIT: usize;

    /// Whether sequences that must be sorted are, and so on: what the type
    /// system does not say.
    fn is_canonical(&self) -> bool {
        true
    }
}

/// A wire struct that is read too.
pub(crate) trait WireRead: Wire + DeserializeOwned {}

impl<T: Wire + DeserializeOwned> WireRead for T {}

/// Largest encoding of any type. bincode reserves what a length claims before it
/// reads, so that without a limit a hostile length would abort the process.
pub(crate) const LARGEST: usize = 64 << 20;

fn config<T: Wire>() -> impl bincode::config::Config {
    const { assert!(T::LIMIT <= LARGEST) };
    bincode::config::legacy().with_limit::<LARGEST>()
}

/// Something that is written to bytes, of a length known before.
pub(crate) trait Content {
    /// Its length in bytes.
    fn len(&self) -> usize;

    /// Writes it to `room`, which has this length.
    fn write(&self, room: &mut [u8]) -> Result<(), WireError>;
}

impl Content for [u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn write(&self, room: &mut [u8]) -> Result<(), WireError> {
        room.copy_from_slice(self);
        Ok(())
    }
}

impl Content for Zeroizing<Vec<u8>> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn write(&self, room: &mut [u8]) -> Result<(), WireError> {
        Content::write(self.as_slice(), room)
    }
}

/// A wire struct that may be encoded, and how long that will be. Measured first: a buffer
/// that grew would leave copies of keys and texts behind.
pub(crate) struct Measured<T> {
    value: T,
    len: usize,
}

impl<T: Wire> Measured<T> {
    /// Measures a value.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] when the encoding exceeds the type's limit,
    /// [`WireError::NotCanonical`] when the value breaks its type's rules.
    pub(crate) fn new(value: T) -> Result<Self, WireError> {
        let len = measure(&value)?;
        Ok(Self { value, len })
    }
}

impl<T: Wire> Content for Measured<T> {
    fn len(&self) -> usize {
        self.len
    }

    fn write(&self, room: &mut [u8]) -> Result<(), WireError> {
        write(&self.value, room)
    }
}

fn measure<T: Wire>(value: &T) -> Result<usize, WireError> {
    if !value.is_canonical() {
        return Err(WireError::NotCanonical { type_name: T::NAME });
    }
    let mut size = SizeWriter::default();
    bincode::serde::encode_into_writer(value, &mut size, config::<T>())
        .map_err(|_| WireError::Malformed { type_name: T::NAME })?;
    match size.bytes_written <= T::LIMIT {
        true => Ok(size.bytes_written),
        false => Err(WireError::TooLarge { type_name: T::NAME, limit: T::LIMIT }),
    }
}

fn write<T: Wire>(value: &T, room: &mut [u8]) -> Result<(), WireError> {
    let malformed = WireError::Malformed { type_name: T::NAME };
    let length = room.len();
    let written = bincode::serde::encode_into_slice(value, room, config::<T>()).map_err(|_| malformed)?;
    if written == length { Ok(()) } else { Err(malformed) }
}

/// Encodes a wire struct.
///
/// # Errors
/// As [`Measured::new`].
pub(crate) fn encode<T: Wire>(value: &T) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let mut bytes = Zeroizing::new(vec![0; measure(value)?]);
    write(value, &mut bytes)?;
    Ok(bytes)
}

/// Decodes a wire struct from exactly these bytes.
///
/// # Errors
/// Every [`WireError`] but [`WireError::TooLarge`].
pub(crate) fn decode<T: WireRead>(bytes: &[u8]) -> Result<T, WireError> {
    // A sequence claims its memory only as far as the input can back it: no
    // element is zero-sized, so the claimed length is bounded by the limit.
    if bytes.len() > T::LIMIT {
        return Err(WireError::Malformed { type_name: T::NAME });
    }
    let (value, consumed): (T, usize) = bincode::serde::decode_from_slice(bytes, config::<T>())
        .map_err(|_| WireError::Malformed { type_name: T::NAME })?;
    if consumed != bytes.len() {
        return Err(WireError::TrailingBytes { type_name: T::NAME });
    }
    #[cfg(any(test, fuzzing))]
    assert!(encodes_to(&value, bytes), "{} was decoded from other bytes than its own", T::NAME);
    if value.is_canonical() { Ok(value) } else { Err(WireError::NotCanonical { type_name: T::NAME }) }
}

/// Whether a value encodes to exactly these bytes.
#[cfg(any(test, fuzzing))]
fn encodes_to<T: Wire>(value: &T, bytes: &[u8]) -> bool {
    let mut rest = Compared { rest: bytes };
    bincode::serde::encode_into_writer(value, &mut rest, config::<T>()).is_ok() && rest.rest.is_empty()
}

/// Compares what is written with what should be, and keeps no copy of it.
#[cfg(any(test, fuzzing))]
struct Compared<'a> {
    rest: &'a [u8],
}

#[cfg(any(test, fuzzing))]
impl BincodeWriter for &mut Compared<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(EncodeError::UnexpectedEnd)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Shape {
        Nothing,
        Pair(u8, u64),
        Named { text: String, keys: Vec<[u8; 16]> },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Sample {
        shapes: Vec<Shape>,
        option: Option<i64>,
        pairs: Vec<(u16, String)>,
        flag: bool,
    }

    impl Wire for Sample {
        const NAME: &'static str = "Sample";
        const LIMIT: usize = 400;
    }

    fn sample(text: usize) -> Sample {
        let named = Shape::Named { text: "ü".repeat(text), keys: vec![[7; 16]; 3] };
        let pairs = vec![(1, "one".into()), (2, String::new())];
        let shapes = vec![Shape::Nothing, Shape::Pair(9, u64::MAX), named];
        Sample { shapes, option: Some(-2), pairs, flag: true }
    }

    #[test]
    fn measuring_first_changes_no_byte_and_the_buffer_never_grew() {
        for text in [0, 1, 17, 60] {
            let encoded = encode(&sample(text)).unwrap();
            let grown = bincode::serde::encode_to_vec(sample(text), config::<Sample>()).unwrap();
            assert_eq!(*encoded, grown);
            assert_eq!(encoded.capacity(), encoded.len());
            assert_eq!(decode::<Sample>(&encoded).unwrap(), sample(text));
        }
    }

    #[test]
    fn a_value_above_its_limit_is_too_large() {
        let too_large = WireError::TooLarge { type_name: "Sample", limit: 400 };
        assert_eq!(encode(&sample(400)).unwrap_err(), too_large);
    }

    #[test]
    fn only_exactly_the_encoding_is_the_encoding() {
        let encoded = encode(&sample(3)).unwrap();
        assert!(encodes_to(&sample(3), &encoded));
        assert!(!encodes_to(&sample(3), &[&encoded[..], &[0]].concat()), "something is left over");
        assert!(!encodes_to(&sample(3), &encoded[..encoded.len() - 1]), "something is missing");
        assert!(!encodes_to(&sample(3), &[]), "all is missing");
        assert!(!encodes_to(&sample(4), &encoded));
    }

    #[test]
    fn what_would_encode_to_other_bytes_is_refused_while_it_is_read() {
        let encoded = encode(&sample(3)).unwrap();
        let mut taken = 0;
        for (at, byte) in (0..encoded.len()).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let mut changed = encoded.to_vec();
            changed[at] = byte;
            if let Ok(value) = decode::<Sample>(&changed) {
                assert_eq!(*encode(&value).unwrap(), changed, "byte {at} made {byte}");
                taken += 1;
            }
        }
        // The number of a pair, the text's letters, the keys: there any byte is another value.
        assert!(taken > 256 * (8 + 48));
        let last = encoded.len() - 1;
        for flag in 2..=u8::MAX {
            let mut changed = encoded.to_vec();
            changed[last] = flag;
            assert_eq!(decode::<Sample>(&changed).unwrap_err(), WireError::Malformed { type_name: "Sample" });
        }
    }

    #[test]
    fn a_value_at_its_limit_is_taken_and_one_beyond_is_not() {
        /// One byte for each unit, and the length before them.
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Units(Vec<u8>);
        impl Wire for Units {
            const NAME: &'static str = "Units";
            const LIMIT: usize = 20;
        }
        let whole = encode(&Units(vec![1; 12])).unwrap();
        assert_eq!(whole.len(), 20);
        assert_eq!(decode::<Units>(&whole), Ok(Units(vec![1; 12])));
        assert!(matches!(encode(&Units(vec![1; 13])), Err(WireError::TooLarge { limit: 20, .. })));
        let beyond = bincode::serde::encode_to_vec(Units(vec![1; 13]), config::<Units>()).unwrap();
        assert_eq!(decode::<Units>(&beyond), Err(WireError::Malformed { type_name: "Units" }));
        let trailing = [&encode(&Units(vec![1])).unwrap()[..], &[0]].concat();
        assert_eq!(decode::<Units>(&trailing), Err(WireError::TrailingBytes { type_name: "Units" }));
        assert_eq!(decode::<Units>(&whole[..19]), Err(WireError::Malformed { type_name: "Units" }));
    }

    #[test]
    fn a_value_that_breaks_its_rules_is_neither_written_nor_read() {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Even(u8);
        impl Wire for Even {
            const NAME: &'static str = "Even";
            const LIMIT: usize = 1;
            fn is_canonical(&self) -> bool {
                self.0.is_multiple_of(2)
            }
        }
        assert_eq!(decode::<Even>(&encode(&Even(4)).unwrap()), Ok(Even(4)));
        assert_eq!(encode(&Even(5)).err(), Some(WireError::NotCanonical { type_name: "Even" }));
        assert_eq!(decode::<Even>(&[5]), Err(WireError::NotCanonical { type_name: "Even" }));
    }
}
