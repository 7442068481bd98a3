//! Wrappers, lines and texts.
