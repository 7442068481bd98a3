//! What a person or a program opens a vault with.

use bip39::{Language, Mnemonic};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_public_assigned;
use zeroize::{Zeroize as _, Zeroizing};

use crate::crypto::digest::Digest;
use crate::crypto::random::{RandomError, Randomness};
use crate::secret::{SecretBytes, SecretText, WipesStack};

/// Longest password in bytes after normalization.
const PASSWORD_LIMIT: usize = 4096;
/// Crockford's base 32: no I, L, O or U, so that it survives handwriting.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 32 key bytes and 3 checksum bytes are exactly 56 digits.
const CHECKSUM_LEN: usize = 3;
const GROUP: usize = 7;

/// Why a text is not a usable credential. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The password is empty.
    #[error("the password is empty")]
    EmptyPassword,
    /// The password is too long.
    #[error("the password is longer than 4096 bytes")]
    LongPassword,
    /// The password has a character that Unicode has not assigned, which a
    /// later version of Unicode could normalize differently.
    #[error("the password has a character that has no meaning in Unicode yet: use another one")]
    UnassignedCharacter,
    /// The text is no recovery key.
    #[error(
        "this is not a recovery key: it is 24 words, or 8 groups of 7 characters; check the spelling and the order"
    )]
    NotARecoveryKey,
}

/// A password.
///
/// It is kept in Unicode Normalization Form C, so it does not matter how a keyboard composes an
/// accented letter. Dropping it wipes it.
pub struct Password(SecretText);

impl Password {
    /// Normalizes a password, and wipes the text it was given as.
    ///
    /// # Errors
    /// [`CredentialError`] if it is empty, too long or has an unassigned character.
    pub fn new(mut text: String) -> Result<Self, CredentialError> {
        let normalized = SecretText::new(normalize(&text));
        let assigned = text.chars().all(|c| c.is_control() || is_public_assigned(c));
        text.zeroize();
        match normalized.expose_secret().len() {
            0 => Err(CredentialError::EmptyPassword),
            length if length > PASSWORD_LIMIT => Err(CredentialError::LongPassword),
            _ if !assigned => Err(CredentialError::UnassignedCharacter),
            _ => Ok(Self(normalized)),
        }
    }

    pub(crate) fn text(&self) -> &SecretText {
        &self.0
    }
}

/// NFC into one allocation that never grows, so that no copy is left behind.
fn normalize(text: &str) -> String {
    let mut normalized = String::with_capacity(text.len().saturating_mul(3).min(3 * PASSWORD_LIMIT + 12));
    for c in text.nfc() {
        if normalized.len() > PASSWORD_LIMIT {
            break;
        }
        normalized.push(c);
    }
    normalized
}

/// 32 random bytes that open the vault when the password is lost.
pub struct RecoveryKey(SecretBytes);

impl RecoveryKey {
    /// Draws a recovery key.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        Randomness::from_system().secret().map(Self)
    }

    /// Reads the key back from its 24 words (BIP-39, English) or its 8 groups,
    /// however they are spaced and cased.
    ///
    /// # Errors
    /// [`CredentialError::NotARecoveryKey`].
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let _wipes = WipesStack;
        Self::from_groups(text).or_else(|| Self::from_words(text)).ok_or(CredentialError::NotARecoveryKey)
    }

    /// The key as 24 English words.
    #[must_use]
    pub fn to_words(&self) -> SecretText {
        let _wipes = WipesStack;
        let mut words = String::with_capacity(24 * 9);
        for word in self.mnemonic().iter().flat_map(Mnemonic::words) {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        SecretText::new(words)
    }

    /// The word at `position`, counted from 1 to 24: to ask one back.
    #[must_use]
    pub fn word(&self, position: usize) -> Option<&'static str> {
        let _wipes = WipesStack;
        self.mnemonic()?.words().nth(position.checked_sub(1)?)
    }

    /// The key as 8 groups of 7 characters, checksum included.
    #[must_use]
    pub fn to_groups(&self) -> SecretText {
        let key = self.0.expose_secret();
        let mut bytes = Zeroizing::new(Vec::with_capacity(key.len() + CHECKSUM_LEN));
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(&checksum(key));
        let mut text = String::with_capacity(64);
        for (index, digit) in base32(&bytes).enumerate() {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(digit);
        }
        SecretText::new(text)
    }

    pub(crate) fn secret(&self) -> &SecretBytes {
        &self.0
    }

    /// The words, which are wiped when they go out of scope.
    fn mnemonic(&self) -> Option<Mnemonic> {
        Mnemonic::from_entropy_in(Language::English, self.0.expose_secret()).ok()
    }

    fn from_words(text: &str) -> Option<Self> {
        let mut words = Zeroizing::new(String::with_capacity(text.len() + 1));
        for word in text.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            word.chars().flat_map(char::to_lowercase).for_each(|c| words.push(c));
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &words).ok()?;
        let (mut entropy, length) = mnemonic.to_entropy_array();
        let key = (length == 32).then(|| {
            SecretBytes::filled(|out| out.iter_mut().zip(entropy).for_each(|(to, from)| *to = from))
        });
        entropy.zeroize();
        key.map(Self)
    }

    fn from_groups(text: &str) -> Option<Self> {
        let bytes = debase32(text)?;
        let (key, check) = bytes.split_first_chunk::<32>()?;
        (check == checksum(key)).then(|| Self(SecretBytes::filled(|out| *out = *key)))
    }
}

fn checksum(key: &[u8; 32]) -> [u8; CHECKSUM_LEN] {
    let digest = Digest::of(&[b"subrosa/v1 recovery checksum", key]);
    let [a, b, c, ..] = *digest.as_bytes();
    [a, b, c]
}

fn base32(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    bytes.chunks(5).flat_map(|block| {
        let number = block.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| {
            let digit = usize::try_from(number >> (place * 5) & 31).unwrap_or_default();
            char::from(DIGITS.get(digit).copied().unwrap_or_default())
        })
    })
}

fn debase32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(35));
    let (mut number, mut digits) = (0u64, 0);
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let digit = DIGITS.iter().position(|d| char::from(*d) == c)?;
        number = number << 5 | digit as u64;
        digits += 1;
        if digits % 8 == 0 {
            bytes.extend_from_slice(number.to_be_bytes().get(3..)?);
            number = 0;
        }
        if digits > 56 {
            return None;
        }
    }
    (digits == 56).then_some(bytes)
}

/// A 32-byte key that a program keeps: a clinic's staff keyring, tests.
pub struct RawKey(SecretBytes);

impl RawKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        Randomness::from_system().secret().map(Self)
    }

    /// Copies a key that the caller keeps and wipes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(SecretBytes::filled(|out| *out = *bytes))
    }

    /// The bytes, for the caller's own keeping.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    pub(crate) fn secret(&self) -> &SecretBytes {
        &self.0
    }
}

/// A password or key that opens a vault.
#[non_exhaustive]
pub enum Credential {
    /// A password, through Argon2id.
    Password(Password),
    /// A recovery key.
    RecoveryKey(RecoveryKey),
    /// A raw 32-byte key.
    RawKey(RawKey),
}

impl Credential {
    /// A password credential.
    ///
    /// # Errors
    /// As [`Password::new`].
    pub fn password(text: impl Into<String>) -> Result<Self, CredentialError> {
        Password::new(text.into()).map(Self::Password)
    }
}

impl From<Password> for Credential {
    fn from(password: Password) -> Self {
        Self::Password(password)
    }
}

impl From<RecoveryKey> for Credential {
    fn from(key: RecoveryKey) -> Self {
        Self::RecoveryKey(key)
    }
}

impl From<RawKey> for Credential {
    fn from(key: RawKey) -> Self {
        Self::RawKey(key)
    }
}

crate::secret::redacted_debug!(Password, RecoveryKey, RawKey, Credential);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_same_however_it_was_typed() {
        let composed = Password::new("Gr\u{fc}\u{df}e".into()).unwrap();
        let decomposed = Password::new("Gru\u{308}\u{df}e".into()).unwrap();
        assert_eq!(composed.text().expose_secret(), decomposed.text().expose_secret());
    }

    #[test]
    fn unusable_passwords_are_refused() {
        let refused = |text: String| Password::new(text).err();
        assert_eq!(refused(String::new()), Some(CredentialError::EmptyPassword));
        assert_eq!(refused("x".repeat(4097)), Some(CredentialError::LongPassword));
        assert_eq!(refused("a\u{378}b".into()), Some(CredentialError::UnassignedCharacter));
        assert_eq!(refused("correct horse 電池 🐎".into()), None);
    }

    #[test]
    fn the_words_of_a_recovery_key_are_wiped() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let key = RecoveryKey::generate().unwrap();
        is_wiped(&key.mnemonic().unwrap());
        let words = key.to_words();
        let asked: Vec<&str> = (1..=24).map(|position| key.word(position).unwrap()).collect();
        assert_eq!(asked.join(" "), words.expose_secret());
        assert!(key.word(0).is_none() && key.word(25).is_none());
    }

    #[test]
    fn a_recovery_key_reads_back_from_words_and_groups() {
        let key = RecoveryKey::generate().unwrap();
        let words = key.to_words().expose_secret().to_owned();
        let groups = key.to_groups().expose_secret().to_owned();
        assert_eq!(words.split(' ').count(), 24);
        assert_eq!(groups.split('-').map(str::len).collect::<Vec<_>>(), [7; 8]);
        assert_eq!(key.word(24), words.split(' ').next_back());
        for text in [
            words.to_uppercase(),
            format!(" {} ", words.replace(' ', "\n")),
            groups.to_lowercase(),
            groups.replace('-', " ").replace('1', "l").replace('0', "o"),
        ] {
            let back = RecoveryKey::parse(&text).unwrap_or_else(|_| panic!("a recovery key reads back"));
            assert_eq!(back.secret().expose_secret(), key.secret().expose_secret());
        }
    }

    #[test]
    fn a_mistyped_recovery_key_is_refused() {
        let key = RecoveryKey::generate().unwrap();
        let groups = key.to_groups().expose_secret().to_owned();
        for position in 0..groups.len() {
            let mut wrong: Vec<char> = groups.chars().collect();
            if wrong[position] == '-' {
                continue;
            }
            wrong[position] = if wrong[position] == '7' { '8' } else { '7' };
            assert!(RecoveryKey::parse(&wrong.into_iter().collect::<String>()).is_err());
        }
        let words = key.to_words().expose_secret().to_owned();
        assert!(RecoveryKey::parse(words.rsplit_once(' ').unwrap().0).is_err());
        for text in ["", "abandon", &"0".repeat(1000), &"abandon ".repeat(24)] {
            assert_eq!(RecoveryKey::parse(text).err(), Some(CredentialError::NotARecoveryKey));
        }
    }

    #[test]
    fn a_raw_key_is_the_bytes_that_the_caller_keeps() {
        let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(RawKey::from_bytes(&bytes).expose_secret(), &bytes);
        let [one, other] = [RawKey::generate().unwrap(), RawKey::generate().unwrap()];
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_ne!(one.expose_secret(), &[0; 32]);
    }

    #[test]
    fn a_recovery_key_has_twenty_four_words_and_none_before_or_behind() {
        let key = RecoveryKey::generate().unwrap();
        let words = key.to_words().expose_secret().to_owned();
        let numbered: Vec<&str> = (1..=24).map(|number| key.word(number).unwrap()).collect();
        assert_eq!(numbered.join(" "), words);
        assert_eq!((key.word(0), key.word(25)), (None, None));
    }
}
