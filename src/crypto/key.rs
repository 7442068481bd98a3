//! One type per key role, and the derivations between them, so that the wrong
//! secret cannot be used or derived at the wrong stage.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::random::{RandomError, Randomness};
use crate::secret::{SecretBytes, SharedBytes};

/// Bytes of a slot's selector.
pub(crate) const SELECTOR_LEN: usize = 16;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(SecretBytes);
    )+};
}

keys! {
    /// What a credential unlocks: the key of one slot's own box.
    UnlockKey;
    /// What tells a credential its slot before the slot's own box is tried.
    SelectorKey;
    /// The key of one slot's shortcut.
    ShortcutKey;
    /// What one slot's signing keys are derived from.
    SigningSeed;
    /// The X-Wing shared secret of one encapsulation: the key of one granted box.
    GrantKey;
    /// The key that every slot is granted; the rest of the vault hangs from it.
    VaultRootKey;
    /// The key of the root boxes.
    RootKey;
    /// The key of the credential areas' MACs.
    AreaMacKey;
    /// The key of one compartment: of its place in the root.
    CompartmentKey;
    /// The key that turns a source's identity of a record into an entry's id.
    IdentityKey;
}

macro_rules! taken_over {
    ($($name:ident),+) => {$(
        impl $name {
            /// Takes over secret bytes that were decrypted or derived for this role.
            pub(crate) fn from_secret(secret: SecretBytes) -> Self {
                Self(secret)
            }
        }
    )+};
}

macro_rules! handed_on {
    ($($name:ident),+) => {$(
        impl $name {
            /// The bytes, to be wrapped or written into a parent's box.
            pub(crate) fn secret(&self) -> &SecretBytes {
                &self.0
            }
        }
    )+};
}

taken_over!(UnlockKey, GrantKey, VaultRootKey, CompartmentKey, IdentityKey);
handed_on!(GrantKey, VaultRootKey, CompartmentKey, IdentityKey);

/// The key of one single-use box. A trie's root image has the epoch key. There are as many as
/// objects, so the keys that are drawn or read together share their place in memory.
pub(crate) struct ContentKey(SharedBytes);

impl ContentKey {
    /// Bytes of a key.
    pub(crate) const LEN: usize = 32;

    /// Takes 32 bytes over that were drawn or decrypted for this role; none of another length.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn shared(bytes: SharedBytes) -> Option<Self> {
        #[cfg(test)]
        crate::testing::record_secret(bytes.first_chunk()?);
        (bytes.len() == Self::LEN).then_some(Self(bytes))
    }

    /// A key that has its bytes alone.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn from_secret(secret: &SecretBytes) -> Self {
        #[cfg(test)]
        crate::testing::record_secret(secret.expose_secret());
        Self(SharedBytes::copy_of(secret.expose_secret()))
    }

    /// The same key, for one more parent.
    pub(crate) fn share(&self) -> Self {
        Self(self.0.share())
    }

    /// The one way to read the key.
    pub(crate) fn expose_secret(&self) -> &[u8; Self::LEN] {
        self.0.first_chunk().expect("a content key has 32 bytes")
    }
}

/// A key that committed boxes may be made under.
pub(crate) trait CommittedKey {
    /// The input key of the box.
    fn input_key(&self) -> &SecretBytes;
}

macro_rules! committed_keys {
    ($($name:ident),+) => {$(
        impl CommittedKey for $name {
            fn input_key(&self) -> &SecretBytes {
                &self.0
            }
        }
    )+};
}

committed_keys!(UnlockKey, ShortcutKey, GrantKey, RootKey, CompartmentKey);

impl VaultRootKey {
    /// Draws a vault root key.
    pub(crate) fn generate(random: &mut Randomness) -> Result<Self, RandomError> {
        random.secret().map(Self)
    }

    /// HKDF-Expand-SHA-256(vault root key, "subrosa/v1 root" ‖ vault id).
    pub(crate) fn derive_root_key(&self, vault: &[u8; 16]) -> RootKey {
        RootKey(self.derive("subrosa/v1 root", vault))
    }

    /// HKDF-Expand-SHA-256(vault root key, "subrosa/v1 area" ‖ vault id).
    pub(crate) fn derive_area_mac_key(&self, vault: &[u8; 16]) -> AreaMacKey {
        AreaMacKey(self.derive("subrosa/v1 area", vault))
    }

    /// HKDF-Expand-SHA-256(vault root key, "subrosa/v1 record" ‖ vault id).
    pub(crate) fn derive_record_key(&self, vault: &[u8; 16]) -> CompartmentKey {
        CompartmentKey(self.derive("subrosa/v1 record", vault))
    }

    #[cfg_attr(test, track_caller)]
    fn derive(&self, label: &str, vault: &[u8; 16]) -> SecretBytes {
        expanded(&self.0, label, vault)
    }
}

impl CompartmentKey {
    /// Draws a compartment key.
    pub(crate) fn generate(random: &mut Randomness) -> Result<Self, RandomError> {
        random.secret().map(Self)
    }

    /// The same key, for another keyring.
    pub(crate) fn duplicate(&self) -> Self {
        Self(SecretBytes::filled(|out| *out = *self.0.expose_secret()))
    }
}

impl UnlockKey {
    /// HKDF-SHA-256(salt = vault id, ikm = the raw key, info = label) (RFC 5869).
    pub(crate) fn derive(raw: &SecretBytes, vault: &[u8; 16], label: &str) -> Self {
        Self(SecretBytes::filled(|out| hkdf_sha256(vault, raw.expose_secret(), label.as_bytes(), out)))
    }

    /// HKDF-Expand-SHA-256(unlock key, "subrosa/v1 selector" ‖ vault id).
    pub(crate) fn derive_selector_key(&self, vault: &[u8; 16]) -> SelectorKey {
        SelectorKey(expanded(&self.0, "subrosa/v1 selector", vault))
    }
}

impl SelectorKey {
    /// HMAC-SHA-256(selector key, salt of the own box)[..16], for one salt after the other.
    pub(crate) fn selectors(&self) -> impl Fn(&[u8]) -> [u8; SELECTOR_LEN] {
        let keyed = keyed_hmac_sha256(self.0.expose_secret());
        move |salt| {
            let mut mac = keyed.clone();
            mac.update(salt);
            let [selector @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
                <[u8; 32]>::from(mac.finalize().into_bytes());
            selector
        }
    }
}

/// Whether two selectors are the same, compared in constant time.
pub(crate) fn selects(selector: &[u8; SELECTOR_LEN], stored: &[u8; SELECTOR_LEN]) -> bool {
    selector.ct_eq(stored).into()
}

impl ShortcutKey {
    /// HKDF-Expand-SHA-256(seed of the slot, "subrosa/v1 shortcut" ‖ vault id).
    #[cfg_attr(test, track_caller)]
    pub(super) fn derive(seed: &SecretBytes, vault: &[u8; 16]) -> Self {
        Self(expanded(seed, "subrosa/v1 shortcut", vault))
    }
}

impl SigningSeed {
    /// HKDF-Expand-SHA-256(seed of the slot, "subrosa/v1 signing" ‖ vault id).
    #[cfg_attr(test, track_caller)]
    pub(super) fn derive(seed: &SecretBytes, vault: &[u8; 16]) -> Self {
        Self(expanded(seed, "subrosa/v1 signing", vault))
    }

    /// HKDF-Expand-SHA-256(signing seed, label ‖ number: u8): what may be a signing key.
    #[cfg_attr(test, track_caller)]
    pub(super) fn derive_candidate(&self, label: &str, number: u8) -> SecretBytes {
        SecretBytes::filled(|out| {
            hkdf_sha256_expand(self.0.expose_secret(), &[label.as_bytes(), &[number]], out);
        })
    }
}

impl IdentityKey {
    /// HMAC-SHA-256(identity key, identity)[..16]: the same record gets the same
    /// id at every import, and nobody without the key can tell which.
    pub(crate) fn derive_id(&self, identity: &[u8]) -> [u8; 16] {
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            hmac_sha256(self.0.expose_secret(), identity);
        id
    }
}

impl AreaMacKey {
    /// HMAC-SHA-256 (RFC 2104).
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        hmac_sha256(self.0.expose_secret(), message)
    }

    /// Compares the MAC in constant time.
    pub(crate) fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        self.mac(message).ct_eq(mac).into()
    }
}

/// HKDF-Expand-SHA-256(secret, label ‖ vault id).
#[cfg_attr(test, track_caller)]
fn expanded(secret: &SecretBytes, label: &str, vault: &[u8; 16]) -> SecretBytes {
    SecretBytes::filled(|out| hkdf_sha256_expand(secret.expose_secret(), &[label.as_bytes(), vault], out))
}

fn hkdf_sha256(salt: &[u8], ikm: &[u8], info: &[u8], out: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, out)
        .expect("an output of at most 255 blocks is allowed");
}

fn hkdf_sha256_expand(prk: &[u8; 32], info: &[&[u8]], out: &mut [u8]) {
    Hkdf::<Sha256>::from_prk(prk)
        .expect("32 bytes are a whole SHA-256 output")
        .expand_multi_info(info, out)
        .expect("an output of at most 255 blocks is allowed");
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed_hmac_sha256(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn keyed_hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, wycheproof};

    #[test]
    fn wycheproof_hkdf_sha256() {
        let Some(groups) = wycheproof("hkdf_sha256_test.json") else { return };
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let size = usize::try_from(test["size"].as_u64().unwrap()).unwrap();
            if test["result"] != "valid" {
                assert!(size > 255 * 32);
                continue;
            }
            let mut out = vec![0; size];
            hkdf_sha256(&hex(&test["salt"]), &hex(&test["ikm"]), &hex(&test["info"]), &mut out);
            assert_eq!(out, hex(&test["okm"]), "tcId {}", test["tcId"]);
        }
    }

    #[test]
    fn wycheproof_hmac_sha256() {
        let Some(groups) = wycheproof("hmac_sha256_test.json") else { return };
        for group in &groups {
            let length = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let tag = hmac_sha256(&hex(&test["key"]), &hex(&test["msg"]));
                let matches = tag[..length] == hex(&test["tag"])[..];
                assert_eq!(matches, test["result"] == "valid", "tcId {}", test["tcId"]);
            }
        }
    }

    #[test]
    fn a_mac_of_other_bytes_or_another_length_is_refused() {
        let key =
            VaultRootKey::generate(&mut Randomness::from_system()).unwrap().derive_area_mac_key(&[1; 16]);
        let mac = key.mac(b"area");
        assert!(key.verify(b"area", &mac));
        assert!(!key.verify(b"aria", &mac));
        assert!(!key.verify(b"area", &mac[..31]));
    }

    #[test]
    fn derivations_differ_by_label_and_vault() {
        let key = VaultRootKey::generate(&mut Randomness::from_system()).unwrap();
        let derived = [
            key.derive_root_key(&[1; 16]).0,
            key.derive_root_key(&[2; 16]).0,
            key.derive_area_mac_key(&[1; 16]).0,
            key.derive_record_key(&[1; 16]).0,
        ];
        let distinct: std::collections::HashSet<_> = derived.iter().map(SecretBytes::expose_secret).collect();
        assert_eq!(distinct.len(), 4);
    }
}
