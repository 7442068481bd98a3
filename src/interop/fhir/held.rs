//! What an import holds until all inputs are read.

use super::claimed::Claimed;
use super::found::{Found, identity_of};
use super::index::{Place, Scope};
use crate::crypto::digest::Digest;
use crate::interop::imported::Piece;
use crate::interop::prepared::Prepared;
use crate::record::Coding;

/// A resource held until all inputs are read.
pub(crate) struct Held {
    pub(crate) found: Found,
    pub(crate) document: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) server: Option<String>,
    pub(crate) last_updated: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) digest: Digest,
    /// The security labels of a file.
    pub(crate) labels: Vec<Coding>,
    /// Whether its source deleted it.
    pub(crate) is_deleted: bool,
    pub(crate) part: Part,
}

/// What a resource is in its input.
pub(crate) enum Part {
    /// A resource by itself.
    Resource,
    /// One that stands for an entry of which an export claims something.
    Claimed(Box<Claimed>),
    /// A part of what an export says beside its resources.
    Beside,
    /// One that its format made into an entry at once.
    Prepared(Box<Prepared>),
}

impl Held {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { address: self.found.full_url.as_deref(), scope: self.scope }
    }

    /// What is claimed of its entry.
    pub(crate) fn claimed(&self) -> Option<&Claimed> {
        match &self.part {
            Part::Claimed(claimed) => Some(claimed),
            Part::Resource | Part::Beside | Part::Prepared(_) => None,
        }
    }

    /// The entry that its format made of it.
    pub(crate) fn prepared(&self) -> Option<&Prepared> {
        match &self.part {
            Part::Prepared(prepared) => Some(prepared),
            _ => None,
        }
    }

    /// What is claimed of its entry, and believed.
    pub(crate) fn believed(&self) -> Option<&Claimed> {
        self.claimed().filter(|claimed| claimed.is_believed)
    }

    pub(crate) fn is_beside(&self) -> bool {
        matches!(self.part, Part::Beside)
    }

    /// It is no resource of its own, and its bytes are not needed any more.
    pub(crate) fn set_beside(&mut self) {
        self.part = Part::Beside;
        self.found.bytes = Vec::new();
    }

    /// What it is called in its source.
    pub(crate) fn identity(&self) -> String {
        self.claimed().map_or_else(|| identity_of(&self.found), Claimed::identity)
    }

    pub(crate) fn resource_type(&self) -> &str {
        self.found.resource_type.as_deref().unwrap_or("Resource")
    }
}

/// An input, its pieces pointing to resources.
pub(crate) struct HeldInput {
    pub(crate) name: Option<String>,
    pub(crate) pieces: Vec<Piece>,
    /// Whether it is kept as it came.
    pub(crate) is_kept: bool,
}

/// A type as part of a path: input chooses its text.
pub(crate) fn path_of(resource_type: &str) -> &str {
    let is_name = resource_type.len() <= 64 && resource_type.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_name { resource_type } else { "Resource" }
}
