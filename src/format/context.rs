//! The context of a box: what it is, where it belongs, so that no box can
//! stand in for another.

use super::header::HeaderDigest;
use super::place::Compartment;
use super::{FORMAT_VERSION, SUITE};
use crate::codec::fixed::Writer;
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
    Segment = 12,
    Content = 13,
    Upload = 14,
    Shortcut = 15,
    Story = 16,
    Accounting = 17,
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

    /// suite ‖ format ‖ header digest ‖ purpose ‖ vault id ‖ place ‖ object id ‖
    /// revision ‖ schema ‖ flags.
    pub(crate) fn bytes(&self) -> [u8; CONTEXT_LEN] {
        let mut writer = Writer::with_capacity(CONTEXT_LEN);
        writer
            .u16(SUITE)
            .u16(FORMAT_VERSION)
            .slice(self.scope.header.as_bytes())
            .u8(self.purpose as u8)
            .slice(self.scope.vault.as_bytes())
            .u8(self.compartment.place())
            .slice(&self.object)
            .u64(self.revision)
            .u16(self.schema)
            .u16(self.flags);
        let mut bytes = [0; CONTEXT_LEN];
        bytes.iter_mut().zip(writer.as_slice()).for_each(|(to, from)| *to = *from);
        debug_assert_eq!(writer.as_slice().len(), CONTEXT_LEN);
        bytes
    }
}
