//! What the embedder chooses: costs, limits, the clock, who acts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::audit::AuditEvent;
use crate::crypto::kdf::{KdfCost, KdfLimits};
use crate::engine::time::to_milliseconds;
use crate::engine::version::WriterVersion;
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
    /// Whether closing compacts the file once it holds more dead bytes than live ones,
    /// and more than 16 MiB of them.
    pub compact_at_close: bool,
    pub(crate) clock: Clock,
    pub(crate) audit: Option<AuditHook>,
    pub(crate) auto_lock: Option<Duration>,
    /// The version that this handle writes for. What it writes, that version can read.
    pub writer: WriterVersion,
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            kdf_cost: KdfCost::STANDARD,
            kdf_limits: KdfLimits::default(),
            lock_wait: Duration::from_secs(10),
            compact_at_close: true,
            writer: WriterVersion::LATEST,
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

    /// The same options with a hook that is told of every read: what was read, of
    /// which entries, and by whom where the call says so. The ledger has the changes
    /// and releases already; this is for an access log.
    ///
    /// The hook is called on the thread of the read, with nothing locked, before
    /// the caller gets what was read: it may use the vault, and its own reads are
    /// not told. If it panics, so does the call, and nothing is handed out; the
    /// vault goes on.
    #[must_use]
    pub fn with_audit(mut self, hook: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Self {
        self.audit = Some(Arc::new(hook));
        self
    }

    /// The same options with a vault that locks itself: after this long without a
    /// call its keys, decrypted pages included, are wiped from memory, and every
    /// later call answers [`Error::Locked`].
    ///
    /// A call under way keeps the vault open and holds the keys until it returns.
    /// The time is the clock's ([`VaultOptions::with_clock`]), so that a computer
    /// that was suspended finds the vault locked. A small thread watches, and ends
    /// with the vault. Entries that the embedder was given are the embedder's.
    #[must_use]
    pub fn with_auto_lock(mut self, after: Duration) -> Self {
        self.auto_lock = Some(after);
        self
    }

    /// The same options, writing nothing that a reader of this version does not
    /// know: for as long as older programs open the same vault.
    #[must_use]
    pub fn pinned_to(mut self, version: WriterVersion) -> Self {
        self.writer = version;
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
