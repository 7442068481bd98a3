//! The inner wire encoding: bincode 2.0.1, legacy configuration (little-endian,
//! fixed width), with a length limit per type.
//!
//! Decoding accepts exactly one byte string per value: what is left over, what
//! exceeds the limit and what would encode to other bytes is refused.

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
    /// The value would encode to other bytes.
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
pub(crate) trait Wire: Serialize + DeserializeOwned {
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

/// Largest encoding of any type. bincode reserves what a length claims before it
/// reads, so that without a limit a hostile length would abort the process.
const LARGEST: usize = 64 << 20;

fn config<T: Wire>() -> impl bincode::config::Config {
    const { assert!(T::LIMIT <= LARGEST) };
    bincode::config::legacy().with_limit::<LARGEST>()
}

/// Encodes a wire struct.
///
/// # Errors
/// [`WireError::TooLarge`] when the encoding exceeds the type's limit,
/// [`WireError::NotCanonical`] when the value breaks its type's rules.
pub(crate) fn encode<T: Wire>(value: &T) -> Result<Zeroizing<Vec<u8>>, WireError> {
    if !value.is_canonical() {
        return Err(WireError::NotCanonical { type_name: T::NAME });
    }
    let bytes = bincode::serde::encode_to_vec(value, config::<T>())
        .map_err(|_| WireError::Malformed { type_name: T::NAME })?;
    if bytes.len() > T::LIMIT {
        return Err(WireError::TooLarge { type_name: T::NAME, limit: T::LIMIT });
    }
    Ok(Zeroizing::new(bytes))
}

/// Decodes a wire struct from exactly these bytes.
///
/// # Errors
/// Every [`WireError`] but [`WireError::TooLarge`].
pub(crate) fn decode<T: Wire>(bytes: &[u8]) -> Result<T, WireError> {
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
    let again = encode(&value).map_err(|_| WireError::NotCanonical { type_name: T::NAME })?;
    if again.as_slice() != bytes {
        return Err(WireError::NotCanonical { type_name: T::NAME });
    }
    Ok(value)
}
