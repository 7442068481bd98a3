//! Whose record it is.
