//! What the embedder chooses: costs, limits, the clock, who acts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::audit::AuditEvent;
use super::time::to_milliseconds;
use crate::crypto::kdf::{KdfCost, KdfLimits};
use crate::error::Error;
use crate::format::{CONTENT_READER, FIRST_READER};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
/// Is told of every read.
pub(crate) type AuditHook = Arc<dyn Fn(&AuditEvent) + Send + Sync>;

/// How a vault is opened and written.
#[derive(Clone)]
#[non_exhaustive]
pub struct VaultOptions {
    /// The cost of new passwords.
    pub kdf_cost: KdfCost,
    /// What is accepted as the cost of existing ones.
    pub kdf_limits: KdfLimits,
    /// How long a change waits for another writer.
    pub lock_wait: Duration,
    /// Whether closing compacts a file of which more is dead than live, and
    /// more than 16 MiB.
    pub compact_at_close: bool,
    pub(crate) clock: Clock,
    pub(super) audit: Option<AuditHook>,
    pub(super) auto_lock: Option<Duration>,
    /// The newest version that is written for.
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

    /// The same options with this cost for new passwords; what is below
    /// [`KdfCost::SMALL_DEVICE`] is refused when a password is set.
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
    pub(super) fn now(&self) -> i64 {
        to_milliseconds((self.clock)())
    }

    /// The cost of a new password, if local policy allows it.
    pub(super) fn new_password_cost(&self) -> Result<KdfCost, Error> {
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

/// Which readers a writer writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WriterVersion {
    /// Everything but attachments that are stored beside their entries.
    V1,
    /// The same with stored attachments.
    V2,
}

impl WriterVersion {
    /// The newest version that this library writes.
    pub const LATEST: Self = Self::V2;

    /// The reader version that a vault asks for at most.
    #[must_use]
    pub fn reader(self) -> u16 {
        match self {
            Self::V1 => FIRST_READER,
            Self::V2 => CONTENT_READER,
        }
    }
}

/// Who makes a change, as the ledger names them: a person or a program.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Actor(String);

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Actor")
    }
}

impl Actor {
    /// Longest name in bytes.
    pub const LIMIT: usize = 256;

    /// An actor of this name.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is empty or longer than [`Actor::LIMIT`].
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        if name.trim().is_empty() || name.len() > Self::LIMIT {
            return Err(Error::Invalid { what: "an actor's name has 1 to 256 bytes" });
        }
        Ok(Self(name))
    }

    /// The owner of the vault.
    #[must_use]
    pub fn owner() -> Self {
        Self("owner".into())
    }

    /// What the library does by a rule and nobody's wish.
    pub(super) fn software() -> Self {
        Self("subrosa".into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Whose vault it is: with the jurisdiction it decides which law speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HolderRole {
    /// The person whom the records are about.
    Individual,
    /// A covered entity (45 CFR 160.103).
    CoveredEntity,
    /// A Part 2 program (42 CFR 2.11).
    Part2Program,
    /// A lawful holder of Part 2 records (42 CFR 2.11).
    LawfulHolder,
    /// A school (FERPA, 20 U.S.C. 1232g).
    School,
    /// An employer.
    Employer,
}

impl HolderRole {
    /// All roles; a role's number in the format is its position, from 1.
    const ALL: [Self; 6] = [
        Self::Individual,
        Self::CoveredEntity,
        Self::Part2Program,
        Self::LawfulHolder,
        Self::School,
        Self::Employer,
    ];

    pub(super) fn number(self) -> u16 {
        (1..).zip(Self::ALL).find(|(_, role)| *role == self).map_or(0, |(number, _)| number)
    }

    pub(super) fn from_number(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

crate::secret::redacted_debug!(VaultOptions);
