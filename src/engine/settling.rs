//! Settling the accounts of releases: put with them, and put anew, moved or destroyed with what
//! they held.

use std::collections::BTreeMap;

use super::accounting::{Accounting, HandedOut, PendingAccount, SettledAccount};
use super::facts::Action;
use super::transaction::Transaction;
use super::vault_record::HolderRole;
use crate::codec::wire;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::payload::story::AccountingV1;
use crate::tree::{Row, RowClass, RowKey};

impl Transaction<'_> {
    /// Puts the account of a release that this commit makes.
    pub(crate) fn put_account(
        &mut self,
        compartment: Compartment,
        account: &AccountingV1,
    ) -> Result<(), Error> {
        let epoch = Epoch::new(account.epoch);
        let row = Row::unnamed(RowKey::accounting(self.core.scope.vault, epoch), RowClass::Accounting, epoch);
        self.put_encrypted(compartment, row, &wire::encode(account)?)
    }

    /// To whom a release went, if that can be read.
    pub(crate) fn recipient_of(&self, compartment: Compartment, epoch: Epoch) -> Result<HandedOut, Error> {
        let time = self.reader().link(epoch)?.map_or(0, |link| link.time);
        let handed_out = HandedOut::new(epoch, time, Action::Released);
        let row = self.row(compartment, &RowKey::accounting(self.core.scope.vault, epoch))?;
        let account = row.map(|row| self.reader().account_in(compartment, &row)).transpose();
        Ok(match account {
            Ok(Some(account)) => handed_out.to(&account.0),
            _ => handed_out,
        })
    }

    /// One of the entries that a release held is withdrawn. Gives to whom it went. An account
    /// that is damaged goes, as it may tell of the entry.
    pub(crate) fn withdraw_from_account(
        &mut self,
        compartment: Compartment,
        epoch: Epoch,
    ) -> Result<HandedOut, Error> {
        let time = self.reader().link(epoch)?.map_or(0, |link| link.time);
        let handed_out = HandedOut::new(epoch, time, Action::Released);
        if !self.work.accounts.contains_key(&(compartment, epoch)) {
            let key = RowKey::accounting(self.core.scope.vault, epoch);
            let Some(row) = self.row(compartment, &key)? else { return Ok(handed_out) };
            let before = match self.reader().account_in(compartment, &row) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    self.remove_row(compartment, &row)?;
                    return Ok(handed_out);
                }
                account => account?.0,
            };
            let entries = before.entries;
            self.work.accounts.insert((compartment, epoch), PendingAccount { row, before, entries });
        }
        let account = self.work.accounts.get_mut(&(compartment, epoch));
        Ok(account.map_or_else(
            || handed_out.clone(),
            |account| {
                account.entries = account.entries.saturating_sub(1);
                handed_out.clone().to(&account.before)
            },
        ))
    }

    /// Puts, destroys or moves the accounts of which this commit withdrew something.
    pub(crate) fn settle_accounts(&mut self) -> Result<(), Error> {
        let accounts = std::mem::take(&mut self.work.accounts);
        if accounts.is_empty() {
            return Ok(());
        }
        let chosen = match self.work.accounting {
            Some(chosen) => chosen,
            None => {
                let record = self.reader().vault_record()?;
                Accounting::of(HolderRole::from_number(record.holder_role))
            }
        };
        let mut kept: BTreeMap<Epoch, AccountingV1> = BTreeMap::new();
        for ((compartment, epoch), PendingAccount { row, before, entries }) in accounts {
            let tells_more = before.policy.is_some() || entries == 0;
            if chosen == Accounting::Keep && tells_more {
                let account = kept.entry(epoch).or_insert_with(|| before.clone());
                account.policy = joined(account.policy.take(), before.policy.clone());
            }
            if entries == 0 {
                self.remove_row(compartment, &row)?;
                let settled = SettledAccount { epoch, accounting: chosen };
                self.work.erasure.accounts.push(settled);
            } else {
                let account = AccountingV1 { entries, policy: None, ..before };
                let row = Row::unnamed(row.key, row.class, epoch);
                self.put_anew(compartment, row, &wire::encode(&account)?)?;
            }
        }
        kept.into_values().try_for_each(|account| self.keep_account(account))
    }

    /// Puts an account where only those read it who see the ways in.
    fn keep_account(&mut self, account: AccountingV1) -> Result<(), Error> {
        self.snapshot.place(Compartment::Custody)?;
        let epoch = Epoch::new(account.epoch);
        let key = RowKey::accounting(self.core.scope.vault, epoch);
        let known = match self.reader().row(Compartment::Custody, &key)? {
            Some(row) => Some(self.reader().account_in(Compartment::Custody, &row)?.0),
            None => None,
        };
        let policy = joined(known.and_then(|known| known.policy), account.policy);
        let account = AccountingV1 { entries: 0, policy, ..account };
        let row = Row::unnamed(key, RowClass::Accounting, epoch);
        self.put_anew(Compartment::Custody, row, &wire::encode(&account)?)
    }
}

/// What was asked for of one compartment and of others, one line each.
fn joined(before: Option<String>, more: Option<String>) -> Option<String> {
    match (before, more) {
        (Some(before), Some(more)) if !before.lines().any(|line| line == more) => {
            Some(format!("{before}\n{more}"))
        }
        (before, more) => before.or(more),
    }
}
