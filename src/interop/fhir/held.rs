//! What an import holds until all inputs are read.

use super::found::Found;
use super::index::{Place, Scope};
use crate::crypto::digest::Digest;
use crate::interop::imported::Piece;
use crate::record::Coding;

/// A resource held until all inputs are read.
pub(super) struct Held {
    pub(super) found: Found,
    pub(super) document: Option<String>,
    pub(super) scope: Scope,
    pub(super) server: Option<String>,
    pub(super) last_updated: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) digest: Digest,
    /// The security labels of a file.
    pub(super) labels: Vec<Coding>,
    /// Whether its source deleted it.
    pub(super) is_deleted: bool,
}

impl Held {
    pub(super) fn place(&self) -> Place<'_> {
        Place { address: self.found.full_url.as_deref(), scope: self.scope }
    }

    pub(super) fn resource_type(&self) -> &str {
        self.found.resource_type.as_deref().unwrap_or("Resource")
    }
}

/// An input, its pieces pointing to resources.
pub(super) struct HeldInput {
    pub(super) name: Option<String>,
    pub(super) pieces: Vec<Piece>,
}

/// A type as part of a path: input chooses its text.
pub(super) fn path_of(resource_type: &str) -> &str {
    let is_name = resource_type.len() <= 64 && resource_type.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_name { resource_type } else { "Resource" }
}
