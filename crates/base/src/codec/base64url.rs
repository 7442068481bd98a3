//! Base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
//!
//! Exactly one text decodes to each byte string: padding, white space, other
//! alphabets and non-zero trailing bits are refused.

use base64::Engine as _;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use thiserror::Error;

/// A text that is not strict base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not base64url without padding")]
pub struct Base64UrlError;

/// The base64url text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The plain base64 text of `bytes`, with padding (RFC 4648 section 4).
pub fn encode_padded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a base64url text.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64UrlError)
}

/// The bytes of a plain base64 text with padding.
pub fn decode_padded(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    STANDARD.decode(text).map_err(|_| Base64UrlError)
}

/// Base64 as other programs write it: bits behind the last byte are not looked at.
const FOREIGN: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The same, of a text that another program wrote: it may be broken into lines (as FHIR
/// `base64Binary` may be), and bits behind its last byte say nothing.
pub fn decode_foreign(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    let decoded = match text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        true => FOREIGN.decode(text.split_ascii_whitespace().collect::<String>()),
        false => FOREIGN.decode(text),
    };
    decoded.map_err(|_| Base64UrlError)
}

/// The bytes of a base64url text that must be exactly 32.
pub fn decode_32(text: &str) -> Result<[u8; 32], Base64UrlError> {
    decode(text)?.try_into().map_err(|_| Base64UrlError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        for length in 0..36 {
            let bytes: Vec<u8> = (0..length).map(|i| 255 - 7 * i).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in ["A", "AB", "AA==", "AA=", "AA ", " AA", "A\nA", "+/+/", "AAB", "AAAAA", "ÄÄÄÄ"] {
            assert_eq!(decode(text), Err(Base64UrlError), "accepted {text:?}");
        }
    }
}
