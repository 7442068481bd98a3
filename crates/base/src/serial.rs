//! How values are written and read by serde, and the texts among them: the feature `serde`.
//!
//! What is written reads back the same. What is read is held to the types' own limits,
//! a member that is not known is refused, and no error repeats what it read. The form is
//! described in `docs/json.md`; it is not how a vault stores anything.

pub mod error;
pub mod node;
pub mod shape;
pub mod text;

pub use shape::moment;
pub use text::parse;
