//! Sessions: how a vault is created, opened, changed and locked.

pub(crate) mod audit;
pub(crate) mod create;
pub(crate) mod handle;
pub(crate) mod open;
pub(crate) mod options;
pub(crate) mod reads;
pub(crate) mod state;
mod telling;
pub(crate) mod update;
pub(crate) mod watch;
pub(crate) mod writing;
