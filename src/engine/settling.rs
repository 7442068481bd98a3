//! Settling the accounts of releases: put with them, and put anew, moved or destroyed with what
//! they held.

use std::collections::BTreeMap;

use super::accounting::{Accounting, HandedOut, Leaving, PendingAccount, SettledAccount};
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
        why: Leaving,
    ) -> Result<HandedOut, Error> {
        let time = self.reader().link(epoch)?.map_or(0, |link| link.time);
        let handed_out = HandedOut::new(epoch, time, Action::Released);
        match self.pending_account(compartment, epoch) {
            Ok(Some(account)) => {
                account.gone += 1;
                account.is_destroyed |= why == Leaving::Destroyed;
                Ok(handed_out.to(&account.before))
            }
            Ok(None) => Ok(handed_out),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                let row = self.row(compartment, &RowKey::accounting(self.core.scope.vault, epoch))?;
                row.iter().try_for_each(|row| self.remove_row(compartment, row))?;
                Ok(handed_out)
            }
            Err(error) => Err(error),
        }
    }

    /// One of the entries that a release held comes to a compartment from another one, whose
    /// account of it comes along: not what was asked for, which may tell of what stays there.
    pub(crate) fn carry_account(
        &mut self,
        from: Compartment,
        to: Compartment,
        epoch: Epoch,
    ) -> Result<(), Error> {
        let there = self.pending_account(from, epoch)?.map(|account| account.before.clone());
        if self.pending_account(to, epoch)?.is_none()
            && let Some(account) = there
        {
            let before = AccountingV1 { entries: 0, policy: None, ..account };
            let new = PendingAccount { row: None, before, gone: 0, come: 0, is_destroyed: false };
            self.work.accounts.insert((to, epoch), new);
        }
        if let Some(account) = self.pending_account(to, epoch)? {
            account.come += 1;
        }
        Ok(())
    }

    /// An account as this commit changes it, if there is one.
    fn pending_account(
        &mut self,
        compartment: Compartment,
        epoch: Epoch,
    ) -> Result<Option<&mut PendingAccount>, Error> {
        let at = (compartment, epoch);
        if !self.work.accounts.contains_key(&at) {
            let key = RowKey::accounting(self.core.scope.vault, epoch);
            let Some(row) = self.row(compartment, &key)? else { return Ok(None) };
            let before = self.reader().account_in(compartment, &row)?.0;
            let stored = PendingAccount { row: Some(row), before, gone: 0, come: 0, is_destroyed: false };
            self.work.accounts.insert(at, stored);
        }
        Ok(self.work.accounts.get_mut(&at))
    }

    /// Puts, destroys or moves the accounts that this commit changed.
    pub(crate) fn settle_accounts(&mut self) -> Result<(), Error> {
        let mut accounts = std::mem::take(&mut self.work.accounts);
        accounts.retain(|_, account| account.gone > 0 || account.come > 0);
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
        for ((compartment, epoch), account) in accounts {
            let PendingAccount { row, before, gone, come, is_destroyed } = account;
            let entries = before.entries.saturating_sub(gone).saturating_add(come);
            let tells_more = before.policy.is_some() || entries == 0;
            if is_destroyed && chosen == Accounting::Keep && tells_more {
                let account = kept.entry(epoch).or_insert_with(|| before.clone());
                account.policy = joined(account.policy.take(), before.policy.clone());
            }
            if is_destroyed && entries == 0 {
                let settled = SettledAccount { epoch, accounting: chosen };
                self.work.erasure.accounts.push(settled);
            }
            match row {
                Some(row) if entries == 0 => self.remove_row(compartment, &row)?,
                _ => {
                    let policy = before.policy.filter(|_| gone == 0);
                    let account = AccountingV1 { entries, policy, ..before };
                    let key = RowKey::accounting(self.core.scope.vault, epoch);
                    let row = Row::unnamed(key, RowClass::Accounting, epoch);
                    self.put_anew(compartment, row, &wire::encode(&account)?)?;
                }
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
