//! What an import holds until all inputs are read.

use super::found::Found;
use super::index::{Place, Scope};
use crate::crypto::digest::Digest;
use crate::interop::imported::Piece;
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
}

impl Held {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { address: self.found.full_url.as_deref(), scope: self.scope }
    }

    pub(crate) fn resource_type(&self) -> &str {
        self.found.resource_type.as_deref().unwrap_or("Resource")
    }
}

/// An input, its pieces pointing to resources.
pub(crate) struct HeldInput {
    pub(crate) name: Option<String>,
    pub(crate) pieces: Vec<Piece>,
}

/// A type as part of a path: input chooses its text.
pub(crate) fn path_of(resource_type: &str) -> &str {
    let is_name = resource_type.len() <= 64 && resource_type.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_name { resource_type } else { "Resource" }
}
