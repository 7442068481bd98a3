//! One line of what is shown, and why there is none.

/// What is shown where the claim is there and nothing below it was disclosed.
pub(super) const NOTHING: &str = "nothing of it is disclosed";

/// Why an entry is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsound {
    /// A known field does not have the shape of its type, or a name is none.
    Malformed,
    /// The words take more bytes than they may.
    TooMuch,
}

/// One line of what is shown of an entry.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ShownLine {
    /// The field of which it is a part, by the name that masks use, such as `onset`.
    pub field: String,
    /// How deep it stands below a field, from 0.
    pub depth: usize,
    /// What it says something of.
    pub label: String,
    /// What it says, in one line or several.
    pub text: String,
    /// It stands for what is withheld of the field, and says nothing else.
    pub withheld: bool,
}

subrosa_base::redacted_debug!(ShownLine);
