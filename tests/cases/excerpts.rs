//! Excerpt files that are not what they seem.
