//! Claims of an entry as a tree in which every node says whether it is released.
//!
//! The tree holds withheld values too, because they are committed to when the
//! entry is signed; only [`Visibility::Disclosed`] nodes ever leave in the clear.

use std::fmt;

use crate::codec::json::Json;

/// Whether a claim is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Part of the signed token itself: anyone who holds the token reads it.
    Always,
    /// Committed to by a salted digest, and disclosed.
    Disclosed,
    /// Committed to by a salted digest, and kept back.
    Withheld,
}

/// One claim: its visibility and its value.
#[derive(Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) visibility: Visibility,
    pub(crate) value: ClaimValue,
}

/// The value of a claim.
#[derive(Clone, PartialEq)]
pub(crate) enum ClaimValue {
    /// A value that is released or withheld as a whole.
    Whole(Json),
    /// Members that are released one by one.
    Object(Vec<(String, Claim)>),
    /// Items that are released one by one.
    Array(Vec<Claim>),
}

impl Claim {
    /// A claim that anyone who holds the token reads.
    pub(crate) fn always(value: ClaimValue) -> Self {
        Self { visibility: Visibility::Always, value }
    }

    /// A claim that can be disclosed, and is if `released`.
    pub(crate) fn disclosable(value: ClaimValue, released: bool) -> Self {
        let visibility = if released { Visibility::Disclosed } else { Visibility::Withheld };
        Self { visibility, value }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}
