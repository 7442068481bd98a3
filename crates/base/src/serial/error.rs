//! What is wrong with a text that is not a record: where and what, never the content.

use std::fmt;

/// Why nothing was read. Only names that the library knows itself are in its path.
pub struct Fault {
    /// From the innermost step outwards.
    path: Vec<Step>,
    what: String,
}

enum Step {
    Member(&'static str),
    Item(usize),
}

impl Fault {
    pub fn new(what: impl fmt::Display) -> Self {
        Self { path: Vec::new(), what: what.to_string() }
    }

    pub fn expected(expected: &str, found: &str) -> Self {
        Self::new(format_args!("expected {expected}, found {found}"))
    }

    /// A word that is none of those that may stand there.
    pub fn word(known: &[&str]) -> Self {
        Self::new(format_args!("expected one of: {}", known.join(", ")))
    }

    pub fn in_member(mut self, name: &'static str) -> Self {
        self.path.push(Step::Member(name));
        self
    }

    pub fn in_item(mut self, index: usize) -> Self {
        self.path.push(Step::Item(index));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.path.iter().rev().enumerate() {
            match step {
                Step::Member(name) if depth == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        f.write_str(if self.path.is_empty() { "" } else { ": " })?;
        f.write_str(&self.what)
    }
}

crate::redacted_debug!(Fault);
