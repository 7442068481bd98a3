//! Whose vault it is, which source amends which, and which version is current.
