//! Spans and events for the feature `tracing`: what was done, to which vault, how
//! long it took and how it ended.
//!
//! Only what is [`Harmless`] gets out: no text of a record, a name or a secret has
//! a type that does. Without the feature nothing of this is compiled in.

use crate::error::Error;
use crate::id::VaultId;

/// Types whose values tell nothing of a record: numbers, ids, fixed words.
#[cfg(feature = "tracing")]
pub(crate) trait Harmless: std::fmt::Display {}

#[cfg(feature = "tracing")]
mod harmless {
    use crate::id::{EntryId, Epoch, VaultId};

    impl super::Harmless for bool {}
    impl super::Harmless for u64 {}
    impl super::Harmless for usize {}
    impl super::Harmless for Epoch {}
    impl super::Harmless for EntryId {}
    impl super::Harmless for VaultId {}
}

/// Passes what is harmless.
#[cfg(feature = "tracing")]
pub(crate) fn harmless<T: Harmless>(value: T) -> T {
    value
}

/// An event with harmless fields.
#[cfg(feature = "tracing")]
macro_rules! event {
    ($name:literal $(, $field:ident = $value:expr)* $(,)?) => {
        tracing::info!(target: "subrosa", $($field = %$crate::engine::trace::harmless($value),)* $name)
    };
}

/// Nothing: the feature `tracing` is off.
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($name:literal $(, $field:ident = $value:expr)* $(,)?) => {{
        // Not evaluated; keeps the values in use.
        $(let _ = || { let _ = &$value; };)*
    }};
}

pub(crate) use event;

/// Runs an operation in a span of its own and tells how long it took and, by its
/// stable code, how it ended.
#[cfg(feature = "tracing")]
pub(crate) fn operation<T>(
    operation: &'static str,
    vault: VaultId,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let span = tracing::info_span!(target: "subrosa", "operation", operation, vault = %vault);
    span.in_scope(|| {
        let start = std::time::Instant::now();
        let result = run();
        let outcome = result.as_ref().err().map_or("ok", Error::code);
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "subrosa", operation, outcome, micros, "done");
        result
    })
}

/// Runs an operation.
#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(crate) fn operation<T>(
    _operation: &'static str,
    _vault: VaultId,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    run()
}
