//! Creation: a whole vault with its first commit, or nothing.

use std::path::Path;
use std::sync::Arc;

use super::handle::Session;
use super::options::VaultOptions;
use super::state::WayIn;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::kdf::KdfParameters;
use crate::crypto::random::Randomness;
use crate::crypto::signature::SignatureAlgorithm;
use crate::engine::actor::Actor;
use crate::engine::core::{Core, Snapshot};
use crate::engine::directory::{Access, new_directory};
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::opening::Recovery;
use crate::engine::transaction::{Transaction, Work};
use crate::engine::vault_record::{HolderRole, algorithm_number};
use crate::error::Error;
use crate::format::READER_VERSION;
use crate::format::area::Area;
use crate::format::context::Scope;
use crate::format::header::Header;
use crate::format::place::{Compartment, PLACE_BOX_LEN, PLACES, Place};
use crate::format::root::{PlaceBox, Root};
use crate::id::{CommitId, Epoch, VaultId};
use crate::keys::{AreaPlan, Credential, Grant, Keyring, NewSlot, SlotError};
use crate::payload::custody::VaultRecordV1;
use crate::record::one_line;
use crate::secret::WipesStack;
use crate::store::{
    Chosen, Creation, Destination, FileImage, FileStore, MemoryStore, ObjectRef, Publication, Repairs,
    Segment, Store, StoreError, StoreWriter, proven_writer,
};
use crate::tree::RowClass;

/// The settings of a new vault: whose it is, and what opens it.
///
/// ```
/// # use subrosa::vault::{HolderRole, SignatureAlgorithm};
/// # use subrosa::{Access, Actor, Credential, NewVault, RawKey, Vault, VaultOptions};
/// let staff = Credential::from(RawKey::generate()?);
/// let new = NewVault::held_by(HolderRole::CoveredEntity, "Chestnut Street Clinic")
///     .in_jurisdiction("US-NJ")
///     .signing_with(SignatureAlgorithm::Es256)
///     .with_access(Access::to_everything(&staff, "staff keyring"))
///     .created_by(Actor::new("intake: J. Moreno")?);
/// let vault = Vault::create_in_memory(&new, VaultOptions::default())?;
/// # assert_eq!(vault.ledger()?[0].actor, "intake: J. Moreno");
/// # Ok::<(), subrosa::Error>(())
/// ```
#[non_exhaustive]
pub struct NewVault<'a> {
    /// Whose vault it is.
    pub holder_role: HolderRole,
    /// The holder's name in one line, as excerpts name their issuer; may be empty.
    pub holder_name: &'a str,
    /// Where the holder is, as an ISO 3166 code such as `US-NJ`; may be empty.
    pub jurisdiction: &'a str,
    /// The algorithm that signs its excerpts. Each way in has a key of its own for it.
    pub signature: SignatureAlgorithm,
    /// The ways in, 1 to 16. At least one must open everything; without it, nobody could
    /// change the others. No two may have the same password or key.
    pub access: Vec<Access<'a>>,
    /// Who creates it, as the first line of its ledger names them; the owner if nobody is said.
    pub actor: Actor,
}

impl<'a> NewVault<'a> {
    /// A vault of this holder, whose name excerpts give as their issuer. It needs a way in.
    #[must_use]
    pub fn held_by(role: HolderRole, name: &'a str) -> Self {
        Self {
            holder_role: role,
            holder_name: name,
            jurisdiction: "",
            signature: SignatureAlgorithm::default(),
            access: Vec::new(),
            actor: Actor::owner(),
        }
    }

    /// An individual's vault with one way in.
    #[must_use]
    pub fn individual(credential: &'a Credential) -> Self {
        Self::held_by(HolderRole::Individual, "").with_access(Access::to_everything(credential, "owner"))
    }

    /// The same vault, whose holder has this name.
    #[must_use]
    pub fn named(mut self, name: &'a str) -> Self {
        self.holder_name = name;
        self
    }

    /// The same vault, whose holder is there: an ISO 3166 code such as `US-NJ`.
    #[must_use]
    pub fn in_jurisdiction(mut self, code: &'a str) -> Self {
        self.jurisdiction = code;
        self
    }

    /// The same vault, which signs its excerpts so.
    #[must_use]
    pub fn signing_with(mut self, signature: SignatureAlgorithm) -> Self {
        self.signature = signature;
        self
    }

    /// The same vault with this way in too.
    #[must_use]
    pub fn with_access(mut self, access: Access<'a>) -> Self {
        self.access.push(access);
        self
    }

    /// The same vault, created by this person or program.
    #[must_use]
    pub fn created_by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    fn check(&self) -> Result<(), Error> {
        let invalid = |what| Err(Error::Invalid { what });
        if self.access.is_empty() || self.access.len() > crate::format::area::SLOTS {
            return invalid("a vault has 1 to 16 ways in");
        }
        if !self.access.iter().any(|access| access.grant == Grant::ALL) {
            return invalid("at least one way into a vault must open every compartment");
        }
        self.access.iter().try_for_each(Access::check)?;
        [self.holder_name, self.jurisdiction].into_iter().try_for_each(may_be_empty)?;
        if self.holder_name.len() > 1024 || self.jurisdiction.len() > 32 {
            return invalid("the holder's name has at most 1024 bytes, the jurisdiction 32");
        }
        Ok(())
    }
}

/// The texts of an envelope are of one line.
fn may_be_empty(text: &str) -> Result<(), Error> {
    match text {
        "" => Ok(()),
        text => Ok(one_line(text).map(drop)?),
    }
}

pub(crate) fn in_file(path: &Path, new: &NewVault<'_>, options: VaultOptions) -> Result<Session, Error> {
    if path.symlink_metadata().is_ok() {
        return Err(StoreError::Exists.into());
    }
    in_new_file(&Destination::at(path)?, new, options)
}

/// In a new file of any folder.
pub(crate) fn in_new_file(
    to: &Destination,
    new: &NewVault<'_>,
    options: VaultOptions,
) -> Result<Session, Error> {
    let _wipes = WipesStack;
    let (mut draft, snapshot, image) = draft_file(new, &options)?;
    let unique = draft.core.scope.vault.to_string();
    draft.core.store = Arc::new(FileStore::create(to, &unique, &image)?);
    let way_in = draft.way_in();
    Ok(Session::assemble((draft.core, way_in), snapshot, options, Recovery::NotNeeded))
}

/// A new vault and the bytes of its file.
fn draft_file(new: &NewVault<'_>, options: &VaultOptions) -> Result<(Draft, Snapshot, Vec<u8>), Error> {
    let mut draft = Draft::new(new, options, Randomness::from_system())?;
    let mut image = FileImage::new();
    let snapshot = draft.first_commit(&mut image, new, options)?;
    let image = image.finish(&draft.header, &snapshot.area_bytes);
    Ok((draft, snapshot, image))
}

/// The bytes of a new vault file, for a disk that is not real.
#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, reason = "in tests and fuzz targets only")]
pub(crate) fn file_image(new: &NewVault<'_>, options: &VaultOptions) -> Vec<u8> {
    draft_file(new, options).unwrap().2
}

pub(crate) fn in_store(
    store: Arc<dyn Store>,
    new: &NewVault<'_>,
    options: VaultOptions,
) -> Result<Session, Error> {
    let _wipes = WipesStack;
    match store.header() {
        Err(StoreError::NotFound) => {}
        Ok(_) => return Err(StoreError::Exists.into()),
        Err(error) => return Err(error.into()),
    }
    let mut draft = Draft::new(new, &options, Randomness::from_system())?;
    draft.core.store = Arc::clone(&store);
    let mut writer = proven_writer(&*store, options.lock_wait)?;
    writer.start(0);
    let header = draft.header.clone();
    let snapshot =
        draft.first_commit(&mut Founder { writer: &mut *writer, header: &header }, new, &options)?;
    drop(writer);
    let way_in = draft.way_in();
    Ok(Session::assemble((draft.core, way_in), snapshot, options, Recovery::NotNeeded))
}

/// A writer whose publication founds the vault.
struct Founder<'a> {
    writer: &'a mut dyn StoreWriter,
    header: &'a [u8],
}

impl StoreWriter for Founder<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.writer.sync()
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        self.writer.settle(chosen)
    }

    fn start(&mut self, append_end: u64) {
        self.writer.start(append_end);
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        self.writer.put(objects)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.writer.written(objects)
    }

    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        self.writer.end_segment()
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        self.writer.create(creation)
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        let Publication { area, root, .. } = *publication;
        self.writer.create(&Creation { header: self.header, area, root })
    }
}

/// A vault whose keys and area exist and whose first commit does not.
struct Draft {
    core: Core,
    header: Vec<u8>,
    plan: AreaPlan,
    area: Vec<u8>,
    random: Randomness,
    first_is_password: bool,
}

impl Draft {
    fn new(new: &NewVault<'_>, options: &VaultOptions, mut random: Randomness) -> Result<Self, Error> {
        new.check()?;
        let vault = VaultId::from_bytes(random.bytes()?);
        let header = Header { vault }.encode();
        let (_, digest) = Header::parse(&header)?;
        let scope = Scope { header: digest, vault };
        let keyring = Keyring::generate(&mut random, vault)?;
        let has_password = new.access.iter().any(|a| matches!(a.credential, Credential::Password(_)));
        // A vault without a password shows parameters too: it is not told apart.
        let cost = if has_password { options.new_password_cost()? } else { options.kdf_cost };
        let kdf = KdfParameters::generate(&mut random, cost)?;
        let slots: Vec<NewSlot<'_>> =
            new.access.iter().map(|a| NewSlot { credential: a.credential, grant: a.grant }).collect();
        let plan = AreaPlan::generate(&mut random, scope, &keyring, kdf, &slots)?;
        let area = plan.area.encode(&keyring.area_mac_key());
        // Replaced by the store that the vault is created in: nothing is read before.
        let store = Arc::new(MemoryStore::new());
        let core = Core::new(store, scope, Arc::new(keyring));
        let first = new.access.first().map(|access| access.credential);
        let first_is_password = matches!(first, Some(Credential::Password(_)));
        Ok(Self { core, header, plan, area, random, first_is_password })
    }

    /// The first of the credentials is taken for the one that the handle was opened with.
    fn way_in(&mut self) -> WayIn {
        let [run, _] = self.plan.area.kdf;
        let run = self.first_is_password.then_some(run);
        let keys = self.plan.keys.first_mut().and_then(Option::take).map(Arc::new);
        let public = self.plan.publics.first().cloned().map(Arc::new);
        WayIn { slot: 0, run, keys, public, restored: None }
    }

    fn first_commit(
        &mut self,
        writer: &mut dyn StoreWriter,
        new: &NewVault<'_>,
        options: &VaultOptions,
    ) -> Result<Snapshot, Error> {
        let before = Snapshot::before_creation(self.area.clone(), self.plan.area.generation);
        let actor = &new.actor;
        let time = options.now();
        let mut work = Work::new(writer);
        std::mem::swap(&mut work.random, &mut self.random);
        let mut transaction = Transaction { core: &self.core, snapshot: &before, actor, time, work };
        transaction.put_vault_record(new)?;
        let directory = new_directory(&new.access, &self.plan.publics, &self.plan.keys, time)?;
        transaction.put_named(
            Compartment::Custody,
            "directory",
            RowClass::Directory,
            &wire::encode(&directory)?,
        )?;
        transaction.announce(Action::Created);
        transaction.log(Compartment::Custody, Line::of(Action::Created, actor));
        let published = transaction.commit(None)?;
        published.ok_or(Error::Damaged { what: "first commit" })
    }
}

impl Snapshot {
    /// What the first commit starts from: eight empty compartments.
    fn before_creation(area_bytes: Vec<u8>, area_generation: u64) -> Self {
        let zero = Digest::from_bytes([0; 32]);
        let root = Root {
            epoch: Epoch::new(0),
            commit: CommitId::from_bytes([0; 16]),
            previous: zero,
            area_generation,
            area_digest: Area::digest(&area_bytes),
            least_reader: READER_VERSION,
            segment: Segment::NONE,
            places: std::array::from_fn(|_| PlaceBox([0; PLACE_BOX_LEN])),
        };
        let places: [Option<Place>; PLACES] = std::array::from_fn(|_| Some(Place::empty(Epoch::new(0))));
        Self { root, root_bytes: Vec::new(), area_bytes, places, newer: [None; PLACES], settled: true }
    }
}

impl Transaction<'_> {
    fn put_vault_record(&mut self, new: &NewVault<'_>) -> Result<(), Error> {
        let record = VaultRecordV1 {
            created: self.time,
            holder_role: new.holder_role.number(),
            holder_name: new.holder_name.to_owned(),
            jurisdiction: new.jurisdiction.to_owned(),
            signing_algorithm: algorithm_number(new.signature),
        };
        let content = wire::encode(&record)?;
        self.put_named(Compartment::Record, "vault record", RowClass::VaultRecord, &content)
    }
}

impl From<SlotError> for Error {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Random(error) => Self::Random(error),
            SlotError::Kdf(error) => Self::Kdf(error),
            SlotError::TooMany => Self::Invalid { what: "a vault has 1 to 16 ways in" },
            SlotError::Taken => Self::Invalid {
                what: "another way into this vault has the same password or key: choose a different one",
            },
            SlotError::LastGeneration => Self::Damaged { what: "generation of the credential area" },
        }
    }
}

crate::secret::redacted_debug!(NewVault<'_>);
