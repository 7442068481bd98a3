//! The context of a box: what it is, where it belongs, so that no box can
//! stand in for another.

use super::header::HeaderDigest;
use super::place::Compartment;
use super::segment::Tier;
use super::{FORMAT_VERSION, SUITE};
use crate::id::VaultId;

/// Bytes of a context.
pub(crate) const CONTEXT_LEN: usize = 82;

/// Where the purpose stands in a context: behind suite, format and header digest.
#[cfg(test)]
pub(crate) const PURPOSE_AT: usize = 2 + 2 + 32;
/// Where the object id stands: behind purpose, vault id and place.
#[cfg(test)]
pub(crate) const OBJECT_AT: usize = PURPOSE_AT + 1 + 16 + 1;

/// What a box holds.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    OwnBox = 1,
    GrantedBox = 2,
    Root = 3,
    Place = 4,
    Page = 5,
    Entry = 6,
    Ledger = 7,
    VaultRecord = 8,
    Directory = 9,
    EraseList = 10,
    Document = 11,
    Slice = 12,
    Content = 13,
    Upload = 14,
    Shortcut = 15,
    Story = 16,
    Accounting = 17,
    IdentityKey = 18,
    Import = 19,
    Tombstone = 20,
    Documents = 21,
}

/// The vault that a box belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) header: HeaderDigest,
    pub(crate) vault: VaultId,
}

/// What is bound to a box besides its key.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    scope: Scope,
    purpose: Purpose,
    compartment: Compartment,
    object: [u8; 16],
    revision: u64,
    schema: u16,
    flags: u16,
}

impl Scope {
    /// A context of this vault; object, revision, schema and flags are zero
    /// until set, the compartment is `record`.
    pub(crate) fn context(self, purpose: Purpose) -> Context {
        Context {
            scope: self,
            purpose,
            compartment: Compartment::Record,
            object: [0; 16],
            revision: 0,
            schema: 0,
            flags: 0,
        }
    }
}

impl Context {
    pub(crate) fn compartment(self, compartment: Compartment) -> Self {
        Self { compartment, ..self }
    }

    pub(crate) fn object(self, object: [u8; 16], revision: u64) -> Self {
        Self { object, revision, ..self }
    }

    pub(crate) fn schema(self, schema: u16) -> Self {
        Self { schema, ..self }
    }

    /// Who is to learn nothing of the box from where it stands.
    pub(crate) fn tier(&self) -> Tier {
        self.compartment.tier()
    }

    /// suite ‖ format ‖ header digest ‖ purpose ‖ vault id ‖ place ‖ object id ‖
    /// revision ‖ schema ‖ flags.
    pub(crate) fn bytes(&self) -> [u8; CONTEXT_LEN] {
        let mut bytes = [0; CONTEXT_LEN];
        let mut rest = bytes.as_mut_slice();
        let fields: [&[u8]; 10] = [
            &SUITE.to_le_bytes(),
            &FORMAT_VERSION.to_le_bytes(),
            self.scope.header.as_bytes(),
            &[self.purpose as u8],
            self.scope.vault.as_bytes(),
            &[self.compartment.place()],
            &self.object,
            &self.revision.to_le_bytes(),
            &self.schema.to_le_bytes(),
            &self.flags.to_le_bytes(),
        ];
        for field in fields {
            let (to, later) = rest.split_at_mut_checked(field.len()).expect("the fields make a context");
            to.copy_from_slice(field);
            rest = later;
        }
        debug_assert!(rest.is_empty());
        bytes
    }
}
