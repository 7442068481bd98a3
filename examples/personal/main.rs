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
mod documents;
mod entries;
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
mod other_file;
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
use clap::error::{ContextKind, ContextValue};

use arguments::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| {
        if let Some(advice) = meant(&error) {
            output::note(&format!("personal: {advice}"));
            std::process::exit(i32::from(failure::Exit::Usage as u8));
        }
        if let Some(advice) = target::unquoted().filter(|_| error.use_stderr()) {
            output::note(&format!("personal: {advice}"));
        }
        output::explain(&error.render().to_string(), error.use_stderr());
        std::process::exit(error.exit_code());
    });
    match run(&arguments) {
        Ok(()) => failure::exit(),
        Err(failure) => failure.report(),
    }
}

/// What to say of a command that there is not, where another does what its name says.
fn meant(error: &clap::Error) -> Option<&'static str> {
    let word = match error.get(ContextKind::InvalidSubcommand)? {
        ContextValue::String(word) => word.as_str(),
        _ => return None,
    };
    Some(match word {
        "delete" | "remove" | "rm" | "erase" | "destroy" => {
            "nothing was deleted: `personal retract VAULT ID` withdraws an entry and keeps it as history; `personal \
             expunge VAULT ID` destroys it for good"
        }
        "undo" => "an import is taken back with `personal import VAULT --undo`",
        "accounting" | "log" | "history" | "disclosures" => {
            "what was done with the vault: `personal ledger VAULT`; what was handed out: `personal ledger VAULT \
             --released`"
        }
        _ if std::env::args().any(|argument| argument == "access") => {
            "say what to do with the ways in: `personal access list VAULT`, `personal access add VAULT NAME` or \
             `personal access revoke VAULT NAME`"
        }
        _ => return None,
    })
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
        Command::Documents(command) => documents::run(common, command),
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
