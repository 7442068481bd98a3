//! What a session holds: keys and the newest state that they opened, or neither.

use std::sync::{Arc, PoisonError, RwLock};

use crate::crypto::kdf::KdfParameters;
use crate::crypto::kem::SlotPublic;
use crate::crypto::key::{ShortcutKey, SigningSeed};
use crate::engine::core::{Core, Snapshot, StateReader};
use crate::engine::signing;
use crate::error::Error;
use crate::format::area::ShortcutBox;
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::keys::{Grant, Keyring, OpenedSlot, SlotKeys};
use crate::payload::custody::DirectoryV1;

/// What a handle may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Writing,
    Reading,
    /// Read what can be read, and put back what is damaged.
    Diagnosing,
}

/// What a handle holds.
pub(crate) enum State {
    Unlocked(Unlocked),
    /// The keys were wiped; what is no secret is still known.
    Locked {
        epoch: Epoch,
        grant: Grant,
    },
}

/// Keys, and the newest state that they opened.
#[derive(Clone)]
pub(crate) struct Unlocked {
    pub(crate) core: Arc<Core>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// What opened the vault; `None` once that was taken away.
    pub(crate) way_in: Option<WayIn>,
}

/// The slot that a handle was opened by.
#[derive(Clone)]
pub(crate) struct WayIn {
    pub(crate) slot: usize,
    /// The KDF run of its password.
    pub(crate) run: Option<KdfParameters>,
    /// What the slot's seed gives: to sign, and to make the shortcut when this handle grants
    /// anew.
    pub(crate) keys: Option<Arc<SlotKeys>>,
    /// The public half of the slot, of a way in that opens the directory.
    pub(crate) public: Option<Arc<SlotPublic>>,
    /// The shortcut that the slot lacks, and that the next commit puts back.
    pub(crate) restored: Option<ShortcutBox>,
}

impl WayIn {
    pub(crate) fn of(opened: OpenedSlot) -> (Self, Keyring) {
        // Whoever does not open the directory has nothing to compare it with.
        let is_listed = opened.keyring.compartment(Compartment::Custody).is_some();
        let public = is_listed.then(|| Arc::new(opened.public()));
        let OpenedSlot { index, keyring, run, keys, restored, .. } = opened;
        (Self { slot: index, run, keys: Some(Arc::new(keys)), public, restored }, keyring)
    }

    /// Refuses a directory that lists another public half, another grant or other signing keys
    /// for the slot than it has. The next change of access grants to the public half that is
    /// listed: somebody else's there would open the vault after their own way in was revoked.
    pub(crate) fn expect_listed(&self, directory: &DirectoryV1, grant: Grant) -> Result<(), Error> {
        let slot = directory.slots.get(self.slot).ok_or(Error::Damaged { what: "directory" })?;
        let is_own = |public: &Arc<SlotPublic>| slot.public == public.as_bytes();
        let signs = match self.signing_seed() {
            Some(seed) => slot.signing.as_ref() == Some(&signing::listed(seed)?),
            None => true,
        };
        let fits = signs && slot.grant == grant.mask() && self.public.as_ref().is_none_or(is_own);
        if fits { Ok(()) } else { Err(Error::Damaged { what: "directory" }) }
    }

    /// The key of its shortcut, with the position of its slot.
    pub(crate) fn known_shortcut(&self) -> Option<(usize, &ShortcutKey)> {
        self.keys.as_deref().map(|keys| (self.slot, &keys.shortcut))
    }

    /// What its signing keys are derived from.
    pub(crate) fn signing_seed(&self) -> Option<&SigningSeed> {
        self.keys.as_deref().map(|keys| &keys.signing)
    }
}

impl Unlocked {
    pub(crate) fn reader(&self) -> StateReader<'_> {
        StateReader { core: &self.core, snapshot: &self.snapshot }
    }

    /// The same keys with another state.
    pub(crate) fn with(&self, snapshot: Snapshot) -> Self {
        Self { core: Arc::clone(&self.core), snapshot: Arc::new(snapshot), way_in: self.way_in.clone() }
    }
}

impl State {
    /// Drops the keys, and with them the decrypted pages; calls under way hold
    /// them until they return.
    pub(crate) fn wipe(state: &RwLock<Self>) {
        let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
        if let Self::Unlocked(unlocked) = &*state {
            let (epoch, grant) = (unlocked.snapshot.root.epoch, unlocked.core.keyring.grant());
            *state = Self::Locked { epoch, grant };
        }
    }
}
