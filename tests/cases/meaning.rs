//! What a record means, and what was not read of it.
