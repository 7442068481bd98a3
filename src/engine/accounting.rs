//! The accounting of releases (45 CFR 164.528): when, to whom and for what, in the compartments
//! that a release held entries of.
//!
//! It can itself tell what an expunged entry was. So its summary goes with the first of the
//! entries that it held, and once none of them is left, all of it goes: destroyed, or kept in
//! `custody` for a holder who has to account for it.

use std::fmt;
use std::time::SystemTime;

use super::core::StateReader;
use super::facts::Action;
use super::time::from_milliseconds;
use super::vault_record::HolderRole;
use crate::codec::wire;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::payload::story::AccountingV1;
use crate::tree::Row;

/// What becomes of the accounting of a release once everything that it held is expunged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Accounting {
    /// It is destroyed too: the recipient and the purpose can tell what went.
    Destroy,
    /// It is kept where only those read it who see the ways in.
    Keep,
}

impl Accounting {
    /// What a holder does who does not choose: covered entities and Part 2 programs account
    /// for what they disclosed (45 CFR 164.528, 42 CFR 2.25).
    pub(crate) fn of(role: Option<HolderRole>) -> Self {
        match role {
            Some(HolderRole::CoveredEntity | HolderRole::Part2Program) => Self::Keep,
            _ => Self::Destroy,
        }
    }
}

/// What became of the accounting of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SettledAccount {
    /// The commit that released.
    pub epoch: Epoch,
    /// What became of it.
    pub accounting: Accounting,
}

/// An excerpt or an export that holds what was expunged.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HandedOut {
    /// The commit.
    pub epoch: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// [`Action::Released`] or [`Action::Exported`].
    pub action: Action,
    /// Who received the excerpt.
    pub recipient: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// The id of the excerpt's copy, as its envelope has it.
    pub excerpt: Option<String>,
}

/// The commit and the act, without names.
impl fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, action, .. } = self;
        f.debug_struct("HandedOut").field("epoch", epoch).field("action", action).finish_non_exhaustive()
    }
}

impl HandedOut {
    pub(crate) fn new(epoch: Epoch, time: i64, action: Action) -> Self {
        let time = from_milliseconds(time);
        Self { epoch, time, action, recipient: None, purpose: None, excerpt: None }
    }

    pub(super) fn to(mut self, account: &AccountingV1) -> Self {
        self.recipient = Some(account.recipient.clone());
        self.purpose = Some(account.purpose.clone());
        self.excerpt = Some(account.excerpt.clone());
        self
    }
}

/// A release as one compartment accounts for it.
pub(crate) struct Account(pub(crate) AccountingV1);

/// An account that this commit changes.
pub(crate) struct PendingAccount {
    /// The row as it is stored, if it is.
    pub(super) row: Option<Row>,
    /// What it says before; of one that is not stored, of no entry yet.
    pub(super) before: AccountingV1,
    /// How many of its entries leave the compartment.
    pub(super) gone: u64,
    /// How many others come.
    pub(super) come: u64,
    /// Whether one of those that leave is destroyed.
    pub(super) is_destroyed: bool,
}

/// Why an entry leaves its compartment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It is destroyed.
    Destroyed,
    /// It goes to another compartment.
    Moved,
}

impl StateReader<'_> {
    pub(crate) fn account_in(&self, compartment: Compartment, row: &Row) -> Result<Account, Error> {
        let account: AccountingV1 = wire::decode(&self.core.open_row(compartment, row)?)?;
        let its_own = account.epoch == row.epoch.number();
        if its_own { Ok(Account(account)) } else { Err(Error::Damaged { what: "accounting" }) }
    }
}
