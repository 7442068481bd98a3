//! What tests and fuzz targets do to a vault on a disk of their own.

use std::sync::Arc;

use super::session::state::Unlocked;
use super::upkeep::backup::{self, BackupReport};
use super::upkeep::compact::{self, Closed, Watch};
use super::upkeep::repair::{self, RepairReport};
use super::{LockedVault, Vault};
use crate::engine::actor::Actor;
use crate::error::Error;
use crate::keys::Credential;
use crate::store::{Destination, Store};

impl Vault {
    pub(crate) fn unlocked(&self) -> Result<Unlocked, Error> {
        self.session.unlocked()
    }

    pub(crate) fn backup_to(
        &self,
        actor: &Actor,
        to: &Destination,
        name: &str,
        progress: &mut Watch<'_>,
    ) -> Result<BackupReport, Error> {
        backup::backup_to(&self.session, actor, to, name, progress)
    }

    pub(crate) fn repair_from_store(&self, copy: Arc<dyn Store>) -> Result<RepairReport, Error> {
        repair::repair_from_store(&self.session, copy)
    }

    pub(crate) fn settle_down(&self, progress: &mut Watch<'_>) -> Result<Closed, Error> {
        compact::settle_down(&self.session, progress)
    }
}

impl LockedVault {
    pub(crate) fn restore_to(
        self,
        credential: &Credential,
        to: &Destination,
        progress: &mut Watch<'_>,
    ) -> Result<BackupReport, Error> {
        backup::restore_to(self.locked, credential, to, progress)
    }
}
