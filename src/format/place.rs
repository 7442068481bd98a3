//! Compartments and their places in the root.

use std::fmt;

use super::READER_VERSION;
use super::object::{KEYED_REF_LEN, KeyedRef};
use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::committed_len;
use crate::crypto::digest::Digest;
use crate::id::Epoch;

/// Number of places in every root.
pub(crate) const PLACES: usize = 8;
/// Plaintext bytes of a place.
pub(crate) const PLACE_LEN: usize = 288;
/// Stored bytes of a place: a committed box.
pub(crate) const PLACE_BOX_LEN: usize = committed_len(PLACE_LEN);

/// Where the least reader version stands in every version of a place.
const LEAST_READER_AT: usize = 8 + 1 + KEYED_REF_LEN + 8 + 8 + 32 + 8;

/// A part of the vault with its own key. There are always eight, so that nobody without its
/// key can tell a used one from an unused one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compartment {
    /// The vault's own record and history. Every credential opens it.
    Record,
    /// The directory of the ways in.
    Custody,
    /// Every entry that has no compartment of its own.
    General,
    /// Psychotherapy notes kept separate (45 CFR 164.501).
    PsychotherapyNotes,
    /// Substance use disorder records (42 CFR part 2).
    SubstanceUse,
    /// Records hidden until an order reverses it.
    Sealed,
    /// Not used yet.
    SpareA,
    /// Not used yet.
    SpareB,
}

impl Compartment {
    /// All compartments, in the order of their places.
    pub const ALL: [Self; PLACES] = [
        Self::Record,
        Self::Custody,
        Self::General,
        Self::PsychotherapyNotes,
        Self::SubstanceUse,
        Self::Sealed,
        Self::SpareA,
        Self::SpareB,
    ];

    /// The compartments that hold entries.
    pub(crate) const HOLDING_ENTRIES: [Self; 4] =
        [Self::General, Self::PsychotherapyNotes, Self::SubstanceUse, Self::Sealed];

    /// The place in the root, 0 to 7.
    pub(crate) const fn place(self) -> u8 {
        self as u8
    }

    /// The place in the root, to index with.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// The compartment's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Custody => "custody",
            Self::General => "general",
            Self::PsychotherapyNotes => "psychotherapy-notes",
            Self::SubstanceUse => "substance-use",
            Self::Sealed => "sealed",
            Self::SpareA => "spare-a",
            Self::SpareB => "spare-b",
        }
    }
}

impl fmt::Display for Compartment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The last link of the history that has a leaf of this compartment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LedgerHead {
    pub(crate) epoch: Epoch,
    pub(crate) link: Digest,
}

/// What a place tells the holder of its compartment's key.
pub(crate) struct Place {
    /// The commit that last changed the compartment.
    pub(crate) epoch: Epoch,
    /// The root image of the trie; its key is the epoch key.
    pub(crate) trie: Option<KeyedRef>,
    /// Rows in the trie.
    pub(crate) rows: u64,
    pub(crate) ledger: LedgerHead,
    /// Stored bytes of all objects that the trie reaches.
    pub(crate) live: u64,
    /// The least reader version that knows every row.
    pub(crate) least_reader: u16,
    /// The list of what the compartment's last commit withdrew from it; every opening that
    /// has the key erases that again.
    pub(crate) erase: Option<KeyedRef>,
}

impl Place {
    /// A place of a compartment that holds nothing.
    pub(crate) fn empty(epoch: Epoch) -> Self {
        let ledger = LedgerHead { epoch: Epoch::new(0), link: Digest::from_bytes([0; 32]) };
        Self { epoch, trie: None, rows: 0, ledger, live: 0, least_reader: READER_VERSION, erase: None }
    }

    /// A copy, keys included.
    pub(crate) fn duplicate(&self) -> Self {
        let [trie, erase] = [&self.trie, &self.erase].map(|named| named.as_ref().map(KeyedRef::duplicate));
        let Self { epoch, rows, ledger, live, least_reader, .. } = *self;
        Self { epoch, trie, rows, ledger, live, least_reader, erase }
    }

    /// The least reader version that a place asks for. It stands where it does in every
    /// version, so that an older reader can tell that it is too old.
    pub(crate) fn least_reader(bytes: &[u8]) -> Result<u16, LayoutError> {
        let mut reader = Reader::new(bytes, "place");
        reader.slice(LEAST_READER_AT)?;
        reader.u16()
    }

    pub(crate) fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(PLACE_LEN);
        writer.u64(self.epoch.number());
        KeyedRef::write_option(self.trie.as_ref(), &mut writer);
        writer.u64(self.rows).u64(self.ledger.epoch.number()).slice(self.ledger.link.as_bytes());
        writer.u64(self.live);
        debug_assert!(writer.as_slice().len() == LEAST_READER_AT);
        writer.u16(self.least_reader);
        KeyedRef::write_or_zeros(self.erase.as_ref(), &mut writer);
        writer.finish_zero(PLACE_LEN)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes, "place");
        let epoch = Epoch::new(reader.u64()?);
        let trie = KeyedRef::read_option(&mut reader)?;
        let rows = reader.u64()?;
        let ledger =
            LedgerHead { epoch: Epoch::new(reader.u64()?), link: Digest::from_bytes(reader.array()?) };
        let live = reader.u64()?;
        let least_reader = reader.u16()?;
        let erase = KeyedRef::read_or_zeros(&mut reader)?;
        if bytes.len() != PLACE_LEN || trie.is_none() != (rows == 0) {
            return Err(reader.fault());
        }
        reader.finish_zero()?;
        Ok(Self { epoch, trie, rows, ledger, live, least_reader, erase })
    }
}
