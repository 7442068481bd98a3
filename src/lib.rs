//! Subrosa keeps a person's health records as encrypted entries under
//! password-derived keys and releases from them only redacted excerpts that a
//! third party can verify without seeing the rest.

mod codec;
mod crypto;
mod excerpt;
mod id;
mod release;
mod secret;
