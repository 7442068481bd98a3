//! What the embedder chooses: costs, limits, the clock, who acts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::audit::AuditEvent;
use crate::crypto::kdf::{KdfCost, KdfLimits};
use crate::engine::time::to_milliseconds;
use crate::error::Error;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
/// Is told of every read.
pub(crate) type AuditHook = Arc<dyn Fn(&AuditEvent) + Send + Sync>;

/// How a handle opens and writes a vault. The defaults suit most programs.
#[derive(Clone)]
#[non_exhaustive]
pub struct VaultOptions {
    /// The cost of new passwords.
    pub kdf_cost: KdfCost,
    /// The costs of existing passwords that an opening accepts.
    pub kdf_limits: KdfLimits,
    /// How long a change waits for another writer.
    pub lock_wait: Duration,
    /// Whether closing compacts the file once that gives back more than half of it, and more
    /// than 16 MiB.
    pub compact_at_close: bool,
    /// Whether a handle that can write hidden compartments makes a commit when it closes, if it
    /// made none like it and some way in does not open them.
    pub renew_at_close: bool,
    pub(crate) clock: Clock,
    pub(crate) audit: Option<AuditHook>,
    pub(crate) auto_lock: Option<Duration>,
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            kdf_cost: KdfCost::STANDARD,
            kdf_limits: KdfLimits::default(),
            lock_wait: Duration::from_secs(10),
            compact_at_close: true,
            renew_at_close: true,
            clock: Arc::new(SystemTime::now),
            audit: None,
            auto_lock: None,
        }
    }
}

impl VaultOptions {
    /// The same options with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same options with this cost for new passwords. Setting a password fails if the
    /// cost is below [`KdfCost::SMALL_DEVICE`].
    #[must_use]
    pub fn with_kdf_cost(mut self, cost: KdfCost) -> Self {
        self.kdf_cost = cost;
        self
    }

    /// The same options with these limits for existing passwords.
    #[must_use]
    pub fn with_kdf_limits(mut self, limits: KdfLimits) -> Self {
        self.kdf_limits = limits;
        self
    }

    /// The same options with this wait for another writer.
    #[must_use]
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// The same options, with or without compaction at closing.
    #[must_use]
    pub fn with_compaction_at_close(mut self, compact: bool) -> Self {
        self.compact_at_close = compact;
        self
    }

    /// The same options, with or without a commit at closing by a handle that can write hidden
    /// compartments (`sealed`, `custody`) and made none of which the history says *renewed*. With it, whoever does not open these
    /// learns that such a handle was there and not whether it wrote there. A vault whose ways in
    /// open the same hidden compartments makes no such commit. Nor does a handle that is dropped
    /// without being closed, or locks itself.
    #[must_use]
    pub fn with_renewal_at_close(mut self, renew: bool) -> Self {
        self.renew_at_close = renew;
        self
    }

    /// The same options with a hook for every read. It learns what was read, of which
    /// entries, and by whom if the call says so. Use it for an access log; the ledger already
    /// has the changes and releases.
    ///
    /// The hook runs on the thread of the read, with nothing locked, before the caller gets
    /// what was read. It may use the vault, and its own reads do not call it again. If it
    /// panics, the call panics too and returns nothing; the vault stays usable.
    #[must_use]
    pub fn with_audit(mut self, hook: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Self {
        self.audit = Some(Arc::new(hook));
        self
    }

    /// The same options with a vault that locks itself. After this long without a call, its
    /// keys and decrypted pages are wiped from memory, and every later call fails with
    /// [`Error::Locked`].
    ///
    /// A call in progress keeps the vault open, and holds the keys until it returns. The
    /// clock ([`VaultOptions::with_clock`]) measures the time, so a computer that slept finds
    /// the vault locked. A small thread watches, and ends with the vault. Entries that you
    /// already hold are not wiped.
    #[must_use]
    pub fn with_auto_lock(mut self, after: Duration) -> Self {
        self.auto_lock = Some(after);
        self
    }

    /// Milliseconds since 1970-01-01T00:00:00Z by the clock.
    pub(crate) fn now(&self) -> i64 {
        to_milliseconds((self.clock)())
    }

    /// The cost of a new password, if local policy allows it.
    pub(crate) fn new_password_cost(&self) -> Result<KdfCost, Error> {
        let (cost, floor) = (self.kdf_cost, KdfCost::SMALL_DEVICE);
        self.kdf_limits.check(&[cost])?;
        let weak = cost.memory_kib < floor.memory_kib || cost.passes < floor.passes;
        // Limits that accept weaker existing passwords accept weaker new ones too.
        let accepted = cost.memory_kib >= self.kdf_limits.min_memory_kib
            && self.kdf_limits.min_memory_kib < KdfLimits::default().min_memory_kib;
        if weak && !accepted {
            return Err(Error::Invalid {
                what: "a new password needs at least 64 MiB and 3 passes of Argon2id",
            });
        }
        Ok(cost)
    }
}

crate::secret::redacted_debug!(VaultOptions);
