//! Shortcuts past the X-Wing encapsulation: a slot's shared secret again, under a
//! key that the slot's seed gives.
//!
//! A shortcut only spares its owner the decapsulation. It is bound to the
//! encapsulation and the granted box beside it, and what does not lead to that
//! granted box is passed over: the encapsulation decides.

use crate::crypto::boxes::{decrypt_committed, encrypt_committed};
use crate::crypto::digest::Digest;
use crate::crypto::key::{GrantKey, ShortcutKey};
use crate::crypto::random::{RandomError, Randomness};
use crate::format::area::{ShortcutBox, Slot};
use crate::format::context::{CONTEXT_LEN, Context, Purpose, Scope};
use crate::secret::SecretBytes;

pub(super) fn granted_context(scope: Scope) -> [u8; CONTEXT_LEN] {
    scope.context(Purpose::GrantedBox).bytes()
}

/// The context of a shortcut: its object id is SHA-256(encapsulation ‖ granted box)[..16].
fn context(scope: Scope, slot: &Slot) -> Context {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        *Digest::of(&[&slot.encapsulation, &slot.granted]).as_bytes();
    scope.context(Purpose::Shortcut).object(id, 0)
}

/// The shortcut of a slot, for whoever has its seed.
pub(super) fn shortcut_to(
    random: &mut Randomness,
    scope: Scope,
    key: &ShortcutKey,
    slot: &Slot,
    grant: &GrantKey,
) -> Result<ShortcutBox, RandomError> {
    let secret = grant.secret().expose_secret();
    let shortcut = encrypt_committed(random, key, &context(scope, slot).bytes(), secret)?;
    shortcut.try_into().map_err(|_| RandomError)
}

/// What a slot grants, by its shortcut; `None` where that leads nowhere.
pub(super) fn follow(scope: Scope, key: &ShortcutKey, slot: &Slot) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let secret = decrypt_committed(key, &context(scope, slot).bytes(), &slot.shortcut).ok()?;
    let secret = secret.first_chunk::<32>()?;
    let grant = GrantKey::from_secret(SecretBytes::filled(|out| *out = *secret));
    decrypt_committed(&grant, &granted_context(scope), &slot.granted).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::kdf::{KdfCost, KdfLimits, KdfParameters};
    use crate::format::area::{Area, SLOTS};
    use crate::format::header::Header;
    use crate::id::VaultId;
    use crate::keys::{
        AreaPlan, Credential, Grant, Keyring, NewSlot, OpenedSlot, RawKey, SlotPlan, Tried, UnlockKeys,
    };

    fn scope() -> Scope {
        let vault = VaultId::from_bytes([5; 16]);
        Scope { header: Header::parse(&Header { vault }.encode()).unwrap().1, vault }
    }

    fn key(byte: u8) -> Credential {
        RawKey::from_bytes(&[byte; 32]).into()
    }

    fn tried(area: &Area, credential: &Credential) -> Tried {
        let keys = UnlockKeys::derive(credential, scope(), area.kdf, &KdfLimits::default()).unwrap();
        keys.open(&mut Randomness::from_system(), scope(), area)
    }

    fn open(area: &Area, credential: &Credential) -> OpenedSlot {
        tried(area, credential).opened().unwrap()
    }

    fn root_of(keyring: &Keyring) -> [u8; 32] {
        *keyring.vault_root().secret().expose_secret()
    }

    /// An area of keys 1 and 2, and its keys.
    struct Granted {
        random: Randomness,
        plan: AreaPlan,
        keyring: Keyring,
        run: KdfParameters,
    }

    impl Granted {
        fn new() -> Self {
            let mut random = Randomness::from_system();
            let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
            let run = KdfParameters::generate(&mut random, KdfCost::SMALL_DEVICE).unwrap();
            let (one, two) = (key(1), key(2));
            let slots = [&one, &two].map(|credential| NewSlot { credential, grant: Grant::ALL });
            let plan = AreaPlan::generate(&mut random, scope(), &keyring, run, &slots).ok().unwrap();
            Self { random, plan, keyring, run }
        }

        /// Grants everybody anew, as the owner of key 1; slot 1 goes if it is revoked.
        fn anew(&mut self, is_revoked: bool) {
            self.keyring = self.keyring.renewed(&mut self.random, Grant::ALL).unwrap();
            let own = open(&self.plan.area, &key(1)).keys.shortcut;
            let publics = self.plan.publics.iter().enumerate();
            let slots: Vec<_> = publics
                .map(|(index, public)| match index {
                    1 if is_revoked => SlotPlan::Unused,
                    index => SlotPlan::Kept(public.clone(), (index < 2).then_some(Grant::ALL)),
                })
                .collect();
            let (before, known) = (&self.plan.area, [(0, &own)]);
            let keyring = &self.keyring;
            let plan =
                AreaPlan::regrant(&mut self.random, scope(), keyring, before, &self.run, &slots, &known);
            self.plan = plan.ok().unwrap();
        }

        fn area(&mut self) -> &mut Area {
            &mut self.plan.area
        }
    }

    #[test]
    fn a_new_slot_has_a_shortcut_and_nobody_tells_a_used_one_from_another() {
        let granted = Granted::new();
        let area = &granted.plan.area;
        for number in [1, 2] {
            let opened = open(area, &key(number));
            assert!(opened.restored.is_none(), "it led to the granted box");
            assert_eq!(root_of(&opened.keyring), root_of(&granted.keyring));
        }
        let distinct: std::collections::HashSet<_> = area.slots.iter().map(|slot| slot.shortcut).collect();
        assert_eq!(distinct.len(), SLOTS);
    }

    #[test]
    fn a_shortcut_that_disagrees_with_the_granted_box_is_passed_over() {
        let mut granted = Granted::new();
        let older = granted.area().slots[1].clone();
        granted.anew(false);
        let root = root_of(&granted.keyring);
        let shortcut_key = open(granted.area(), &key(2)).keys.shortcut;
        let slot = granted.area().slots[1].clone();
        let of_another_secret = {
            let other = GrantKey::from_secret(SecretBytes::filled(|out| *out = [9; 32]));
            shortcut_to(&mut granted.random, scope(), &shortcut_key, &slot, &other).unwrap()
        };
        let of_another_slot = granted.area().slots[0].shortcut;
        for shortcut in [older.shortcut, of_another_secret, of_another_slot, [0; 104], [0xff; 104]] {
            granted.area().slots[1].shortcut = shortcut;
            let opened = open(granted.area(), &key(2));
            assert_eq!(root_of(&opened.keyring), root, "the encapsulation decides");
            granted.area().slots[1].shortcut = opened.restored.unwrap();
            assert!(open(granted.area(), &key(2)).restored.is_none());
        }
        let mut both_older = granted.area().clone();
        both_older.slots[1] = older;
        assert_ne!(root_of(&open(&both_older, &key(2)).keyring), root, "keys that no MAC is under");
    }

    #[test]
    fn a_shortcut_does_not_open_beside_a_changed_encapsulation() {
        let granted = Granted::new();
        for change in [
            |slot: &mut Slot| slot.encapsulation[700] ^= 1,
            |slot: &mut Slot| slot.encapsulation[1100] ^= 1,
            |slot: &mut Slot| slot.granted[300] ^= 1,
        ] {
            let mut area = granted.plan.area.clone();
            change(&mut area.slots[1]);
            assert!(matches!(tried(&area, &key(2)), Tried::Damaged));
        }
    }

    #[test]
    fn whoever_grants_anew_keeps_a_shortcut_and_the_others_get_theirs_back() {
        let mut granted = Granted::new();
        granted.anew(false);
        assert!(open(granted.area(), &key(1)).restored.is_none());
        let opened = open(granted.area(), &key(2));
        assert_eq!(root_of(&opened.keyring), root_of(&granted.keyring));
        granted.area().slots[1].shortcut = opened.restored.expect("nobody else has the seed");
        assert!(open(granted.area(), &key(2)).restored.is_none());
    }

    #[test]
    fn no_older_shortcut_is_of_use_to_whoever_was_revoked() {
        let mut granted = Granted::new();
        let older = granted.area().slots[1].clone();
        granted.anew(true);
        let area = granted.area();
        area.slots[1].shortcut = older.shortcut;
        assert!(matches!(tried(area, &key(2)), Tried::Refused));
        (area.slots[1].selector, area.slots[1].own) = (older.selector, older.own);
        assert!(matches!(tried(area, &key(2)), Tried::Damaged), "the granted box is another's");
        area.slots[1] = older;
        let old_keys = open(area, &key(2)).keyring;
        assert_ne!(root_of(&old_keys), root_of(&granted.keyring), "keys that no MAC is under");
    }

    #[test]
    fn a_selector_is_of_its_own_box_alone() {
        let [first, second] = [Granted::new(), Granted::new()];
        let selectors = |granted: &Granted| granted.plan.area.slots[0].selector;
        assert_ne!(selectors(&first), selectors(&second), "the same key in the same vault");
        let mut area = first.plan.area.clone();
        area.slots[0].selector = area.slots[1].selector;
        assert!(matches!(tried(&area, &key(1)), Tried::Refused));
        assert!(matches!(tried(&area, &key(2)), Tried::Opened(opened) if opened.index == 1));
        area.slots.swap(0, 15);
        assert!(matches!(tried(&area, &key(2)), Tried::Opened(opened) if opened.index == 1));
    }

    #[test]
    fn slots_that_all_fit_cost_one_trial_and_open_nothing_else() {
        let granted = Granted::new();
        let mut area = granted.plan.area.clone();
        let own = area.slots[1].clone();
        for slot in &mut area.slots {
            (slot.selector, slot.own) = (own.selector, own.own);
        }
        assert!(matches!(tried(&area, &key(2)), Tried::Damaged), "the first one that commits counts");
        // Fitting selectors of boxes that do not commit are tried and passed over.
        let mut area = granted.plan.area.clone();
        let unlock = super::super::unlock::unlock_key(&key(2), scope(), &granted.run).unwrap();
        let selectors = unlock.derive_selector_key(scope().vault.as_bytes());
        for slot in &mut area.slots {
            slot.selector = selectors.selectors()(crate::crypto::boxes::committed_salt(&slot.own));
        }
        assert!(matches!(tried(&area, &key(2)), Tried::Opened(opened) if opened.index == 1));
    }
}
