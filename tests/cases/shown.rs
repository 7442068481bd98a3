//! What a reader is shown is what was signed.
