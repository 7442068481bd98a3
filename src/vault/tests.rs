//! Tests of the vault as its users see it.

mod access;
mod adversary;
mod attachments;
mod audit;
mod auto_lock;
mod backup;
mod basics;
mod bulk;
mod cards;
#[cfg(unix)]
mod compact;
mod crash;
mod custody;
mod documents;
mod export;
mod faults;
mod forget;
mod game;
mod golden;
mod hostile;
mod import;
mod lying;
#[cfg(target_os = "linux")]
mod memory;
mod model;
mod moving;
mod oracle;
mod related;
mod release;
mod repair;
mod replay;
mod rescue;
mod review;
mod roots;
#[cfg(unix)]
mod seams;
mod secrets;
mod signing;
mod space;
#[cfg(target_os = "linux")]
mod sparse;
mod stories;
mod tamper;
mod undo;
mod workload;

use super::disk;

/// Takes an import in, whatever it changes.
fn take_all(
    vault: &crate::Vault,
    actor: &crate::Actor,
    imported: &crate::Imported,
) -> Result<crate::ImportReport, crate::Error> {
    let decisions = crate::ImportDecisions {
        changed_source: Some(crate::ChangedSource::Accept),
        ..crate::ImportDecisions::default()
    };
    vault.import_with(actor, imported, &decisions, |_, _| {})
}
