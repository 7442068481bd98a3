//! The individual's own program: keeps a private, encrypted copy of one's health
//! records and hands out only what one chooses.
//!
//! This file is a table of commands; each command group has a module of its own.

mod access;
mod add;
mod amend;
mod arguments;
mod attach;
mod backup;
mod check;
mod export;
mod expunge;
mod extract;
mod failure;
mod findings;
mod form;
mod import;
mod init;
mod ledger;
mod list;
mod near;
mod output;
mod password;
mod progress;
mod prompt;
mod recover;
mod recovery;
mod release;
mod show;
mod target;
mod typed;
mod undo;
mod values;
mod verify;
mod ways_in;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| {
        if let Some(advice) = target::unquoted().filter(|_| error.use_stderr()) {
            output::note(&format!("personal: {advice}"));
        }
        error.exit()
    });
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Init(command) => init::run(common, command),
        Command::Import(command) => import::run(common, command),
        Command::List(command) => list::run(common, command),
        Command::Search(command) => list::search(common, command),
        Command::Show(command) => show::run(common, command),
        Command::Add(command) => add::run(common, command),
        Command::Attach(command) => attach::run(common, command),
        Command::Extract(command) => extract::run(common, command),
        Command::Amend(command) => amend::run(common, command),
        Command::Retract(command) => amend::retract(common, command),
        Command::Expunge(command) => expunge::run(common, command),
        Command::Release(command) => release::run(common, command),
        Command::Verify(command) => verify::run(common, command),
        Command::PublicKey(command) => verify::public_key(common, command),
        Command::Ledger(command) => ledger::run(common, command),
        Command::Check(command) => check::run(common, command),
        Command::Password(command) => password::run(common, command),
        Command::Recover(command) => recover::run(common, command),
        Command::Access(command) => ways_in::run(common, &command.command),
        Command::Export(command) => export::run(common, command),
        Command::Backup(command) => backup::run(common, command),
        Command::Restore(command) => backup::restore(common, command),
        Command::Compact(command) => backup::compact(common, command),
    }
}
