//! What can be typed on the command line, with the help that explains it.
//!
//! No health value need be typed here: `-` instead of a value asks for it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const ABOUT: &str = "Keeps a private, encrypted copy of your health records on your own disk, and hands out only \
                     what you choose.";

const AFTER_HELP: &str = "\
A first hour:
  personal init my.vault                     create a vault; write the recovery key on paper
  personal import my.vault records.json      take in what your clinic or portal gave you (FHIR, as JSON)
  personal list my.vault                     see what is there
  personal search my.vault asthma            find something in it
  personal release my.vault --preview --kind diagnosis
                                             see what somebody would get, before anybody gets it

VAULT may be left out where SUBROSA_VAULT or --vault names the vault.

Shell history and other users of this computer can see what is typed as an argument. Where a value \
would tell something about your health, type - instead of it and you are asked for it (or it is read, \
one line each, from standard input).

Exit codes: 0 done, 1 refused or invalid, 2 usage, 3 wrong password or key, 4 damaged, rolled back or \
forked, 5 the system around it failed (file, disk, memory).";

/// The command line.
#[derive(Parser)]
#[command(name = "personal", version, about = ABOUT, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Common {
    /// The vault, where the command does not name it
    #[arg(long, global = true, value_name = "FILE", env = "SUBROSA_VAULT")]
    pub(crate) vault: Option<PathBuf>,
    /// Read the password from this file instead of asking for it
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "recovery_key_file")]
    pub(crate) password_file: Option<PathBuf>,
    /// Open with the recovery key in this file instead of a password
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) recovery_key_file: Option<PathBuf>,
    /// Open with the recovery key, which is asked for
    #[arg(long, global = true, conflicts_with_all = ["password_file", "recovery_key_file"])]
    pub(crate) recovery_key: bool,
    /// Open a vault whose password is protected less than is usual today
    #[arg(long, global = true)]
    pub(crate) accept_weak: bool,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer every "are you sure?" with yes, for scripts
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a vault, with a password and a recovery key
    #[command(override_usage = "personal init [OPTIONS] VAULT")]
    Init(Init),
    /// Take in records: FHIR R4 as JSON or NDJSON
    #[command(override_usage = "personal import [OPTIONS] [VAULT] FILE...")]
    Import(Import),
    /// List what is in the vault, the newest first
    #[command(override_usage = "personal list [OPTIONS] [VAULT]")]
    List(List),
    /// Find entries by a word: in a title, a note, a name, a code
    #[command(override_usage = "personal search [OPTIONS] [VAULT] TEXT...")]
    Search(Search),
    /// Show one entry
    #[command(override_usage = "personal show [OPTIONS] [VAULT] ID")]
    Show(Show),
    /// Add an entry of your own
    #[command(override_usage = "personal add [OPTIONS] [VAULT] KIND", after_help = ADD_HELP)]
    Add(Add),
    /// Put a file of any size into the vault: a scan, a film, a document
    #[command(override_usage = "personal attach [OPTIONS] [VAULT] FILE")]
    Attach(Attach),
    /// Take a file out of the vault again
    #[command(override_usage = "personal extract [OPTIONS] [VAULT] ID [DEST]")]
    Extract(Extract),
    /// Correct an entry; the earlier version stays readable as history
    #[command(override_usage = "personal amend [OPTIONS] [VAULT] ID", after_help = AMEND_HELP)]
    Amend(Amend),
    /// Withdraw an entry: no longer listed or released, kept as history
    #[command(override_usage = "personal retract [OPTIONS] [VAULT] ID")]
    Retract(Amend),
    /// Destroy entries for good, with their history
    #[command(override_usage = "personal expunge [OPTIONS] [VAULT] ID...")]
    Expunge(Expunge),
    /// Hand out a signed selection; nothing leaves that you did not choose
    #[command(override_usage = "personal release [OPTIONS] [VAULT] --to NAME --purpose TEXT", after_help = RELEASE_HELP)]
    Release(Release),
    /// Check an excerpt that somebody gave you; needs no vault
    #[command(override_usage = "personal verify [OPTIONS] FILE")]
    Verify(Verify),
    /// Print the public key with which others check your excerpts
    #[command(override_usage = "personal public-key [OPTIONS] [VAULT]")]
    PublicKey(PublicKey),
    /// Show everything that was ever done with the vault
    #[command(override_usage = "personal ledger [OPTIONS] [VAULT]")]
    Ledger(Ledger),
    /// Read and authenticate the whole vault
    #[command(override_usage = "personal check [OPTIONS] [VAULT]")]
    Check(Check),
    /// Change the password
    #[command(override_usage = "personal password [OPTIONS] [VAULT]")]
    Password(Password),
    /// Set a new password with the recovery key, where the old one is forgotten
    #[command(override_usage = "personal recover [OPTIONS] [VAULT]")]
    Recover(Recover),
    /// List, add and take away what opens the vault
    Access(Access),
    /// Write everything down in readable form, to take it elsewhere
    #[command(override_usage = "personal export [OPTIONS] [VAULT] FILE")]
    Export(Export),
    /// Copy the vault, encrypted as it is, to a new file that was checked
    #[command(override_usage = "personal backup [OPTIONS] [VAULT] DEST")]
    Backup(Backup),
    /// Make a vault of a backup again, as a new file that was checked
    #[command(override_usage = "personal restore [OPTIONS] BACKUP TO")]
    Restore(Restore),
    /// Make the vault's file smaller: give back what nothing in it uses
    #[command(override_usage = "personal compact [OPTIONS] [VAULT]")]
    Compact(VaultOnly),
}

const ADD_HELP: &str = "\
On a terminal you are asked for each field; Enter leaves one out. Otherwise a JSON object {field: value} is \
read from standard input. `personal add --fields KIND` lists the fields and how each is written.

Dates are written as precisely as you know them: 2019, 2019-04 or 2019-04-27. Codes are written as \
SYSTEM|CODE|DISPLAY, or in plain words.";

const AMEND_HELP: &str = "\
On a terminal you are asked for each field; Enter keeps what is there. Otherwise a JSON object {field: value} \
is read from standard input: fields that it does not name stay, null removes one, and its member \"_reason\" \
can say why.";

const RELEASE_HELP: &str = "\
Everything is withheld that you do not choose. Choose entries with --kind, --code or --entry; --since and \
--until narrow kinds and codes. Free text, attachments, identifiers, addresses and the original documents \
leave only with --include FIELD; a FIELD is named as `show` and the preview name it, or by its name in JSON. So do, for a third party, your date of birth (--include birth_date) and words \
beside a code (--include code). Those who treat you get these with --audience treatment. Look with --preview \
first.

  personal release my.vault --preview --kind diagnosis --kind medication --since 2020
  personal release my.vault --to \"Dr. Lee\" --purpose \"second opinion\" --kind diagnosis --mask onset=year

A code is written as CODE, PREFIX*, SYSTEM|CODE or SYSTEM|PREFIX*, and compared as written: a prefix of \
ICD-10 says nothing about entries coded in SNOMED CT.";

#[derive(Args)]
pub(crate) struct Init {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "Where to create the vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Your name, as the excerpts that you release will show it
    #[arg(long, value_name = "HOLDER")]
    pub(crate) name: Option<String>,
    /// Create no recovery key; a forgotten password then loses everything
    #[arg(long)]
    pub(crate) no_recovery_key: bool,
    /// Write the recovery key to this new file, for scripts
    #[arg(long, value_name = "FILE", conflicts_with = "no_recovery_key")]
    pub(crate) recovery_key_out: Option<PathBuf>,
    /// Use less memory (64 MiB instead of 256) to protect the password
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct Import {
    #[arg(
        value_name = "FILE",
        required_unless_present_any = ["undo", "list", "forget_answers"],
        help = "The files, read as one set; - is standard input"
    )]
    pub(crate) names: Vec<PathBuf>,
    /// The files are about the vault's patient, although name, birth date or sex differ
    #[arg(long)]
    pub(crate) patient_is_same: bool,
    /// Let a newer export, or another file, change what an earlier one brought
    #[arg(long, conflicts_with = "keep_beside")]
    pub(crate) accept_changed_source: bool,
    /// Keep what another file changed beside what was there
    #[arg(long)]
    pub(crate) keep_beside: bool,
    /// Undo an import: the one whose number (as --list shows it) is named after the vault, or `last`
    #[arg(long, conflicts_with_all = ["list", "forget_answers"])]
    pub(crate) undo: bool,
    /// List what was imported: number, date and file
    #[arg(long)]
    pub(crate) list: bool,
    /// Take back what was answered to the import whose number is named after the vault, or to all
    #[arg(long)]
    pub(crate) forget_answers: bool,
    /// Whose records to take, where the files are about several people; - asks
    #[arg(long, value_name = "REF")]
    pub(crate) patient: Option<String>,
    /// Take as this person's what does not say clearly whose it is; not where the files are
    /// about several people
    #[arg(long)]
    pub(crate) unknown_are_same: bool,
    /// Take in again what was expunged from this vault before
    #[arg(long)]
    pub(crate) take_expunged: bool,
    /// List every element that lists and excerpts do not show, by its path
    #[arg(long)]
    pub(crate) report: bool,
    /// Accept files up to this size; needs several times as much memory
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) max_mib: u64,
}

#[derive(Args, Default)]
pub(crate) struct List {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Only this kind, such as diagnosis, or illness in plain words; may be repeated; - asks
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what may have been so at or after this date
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Only what may have been so at or before this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// Only codes that begin so, as PREFIX or SYSTEM|PREFIX; - asks
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Only entries whose provider's name contains this; - asks
    #[arg(long, value_name = "TEXT")]
    pub(crate) provider: Option<String>,
    /// Only entries that contain this text anywhere; - asks
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Retracted entries too
    #[arg(long)]
    pub(crate) all: bool,
    /// Insurance claims and coverage too
    #[arg(long)]
    pub(crate) insurance: bool,
}

#[derive(Args)]
pub(crate) struct Search {
    #[arg(
        value_name = "TEXT",
        required = true,
        help = "What to look for, in any case, as one or more words; - asks"
    )]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "ID", required = true, num_args = 1..=2, help = "The entry: its id, or how it begins")]
    pub(crate) names: Vec<PathBuf>,
    /// All versions, with who changed what when and why
    #[arg(long, conflicts_with = "raw")]
    pub(crate) history: bool,
    /// The original bytes as they were imported, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
    /// An earlier version, by its number
    #[arg(long, value_name = "NUMBER", conflicts_with = "history")]
    pub(crate) revision: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Add {
    #[arg(value_name = "KIND", num_args = 1..=2, required = true, help = "What to add, such as diagnosis; - asks")]
    pub(crate) names: Vec<PathBuf>,
    /// Only list the fields of this kind and how each is written
    #[arg(long)]
    pub(crate) fields: bool,
}

#[derive(Args)]
pub(crate) struct Attach {
    #[arg(value_name = "FILE", num_args = 1..=2, required = true, help = "The file")]
    pub(crate) names: Vec<PathBuf>,
    /// Attach it to this entry instead of making a new one
    #[arg(long, value_name = "ID", conflicts_with = "kind")]
    pub(crate) to: Option<String>,
    /// What to call it; the file's name if not said; - asks
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Make a new entry of this kind, such as note; - asks
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Discard what an interrupted attempt of the same title stored, and begin anew
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Args)]
pub(crate) struct Extract {
    #[arg(value_name = "ID", num_args = 1..=3, required = true, help = "The entry, and where to write the file")]
    pub(crate) names: Vec<PathBuf>,
    /// Which of the entry's attachments, from 1
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) number: u32,
}

#[derive(Args)]
pub(crate) struct Amend {
    #[arg(value_name = "ID", required = true, num_args = 1..=2, help = "The entry: its id, or how it begins")]
    pub(crate) names: Vec<PathBuf>,
    /// Why; - asks
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct Expunge {
    #[arg(value_name = "ID", required = true, help = "The entries: their ids, or how they begin")]
    pub(crate) names: Vec<PathBuf>,
    /// Why; the ledger keeps it, so say nothing about what is destroyed; - asks
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct Release {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Who gets it; - asks
    #[arg(long, value_name = "NAME", required_unless_present = "preview")]
    pub(crate) to: Option<String>,
    /// What for, and the legal basis if there is one; - asks
    #[arg(long, value_name = "TEXT", required_unless_present = "preview")]
    pub(crate) purpose: Option<String>,
    /// Release entries of this kind; may be repeated; - asks
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what certainly lies at or after this date
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Only what certainly lies at or before this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// Release entries with this code; may be repeated; - asks
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Release this entry too; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) entry: Vec<String>,
    /// Release this field's dates as years only, or withhold the field
    #[arg(long, value_name = "FIELD=year|withhold")]
    pub(crate) mask: Vec<String>,
    /// Release a field that is withheld by default, with all its words
    #[arg(long, value_name = "FIELD")]
    pub(crate) include: Vec<String>,
    /// For whom: third-party (if nothing is said), treatment, or patient for your own copy
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// Show a black bar for each field that is withheld
    #[arg(long)]
    pub(crate) bars: bool,
    /// Release, marked, entries of which a part that changes the meaning was not understood
    #[arg(long)]
    pub(crate) not_understood: bool,
    /// The same for one entry of the selection: its id, as the preview says it
    #[arg(long, value_name = "ID")]
    pub(crate) not_understood_of: Vec<String>,
    /// Release, marked, results although words that stand beside them and may take them back stay
    #[arg(long)]
    pub(crate) without_words: bool,
    /// The same for one entry of the selection: its id, as the preview says it
    #[arg(long, value_name = "ID")]
    pub(crate) without_words_of: Vec<String>,
    /// Sign with this computer's date although the vault was last written after it, or years before
    #[arg(long)]
    pub(crate) clock_is_right: bool,
    /// The last day on which the excerpt is valid
    #[arg(long, value_name = "DATE")]
    pub(crate) expires: Option<String>,
    /// Where to write it, as .html or .json; excerpt-YYYYMMDD.html if not said
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show what would leave and what would not; release nothing
    #[arg(long)]
    pub(crate) preview: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    #[arg(
        value_name = "FILE",
        help = "The excerpt: the HTML or JSON file as it was issued; - is standard input"
    )]
    pub(crate) file: PathBuf,
    /// The public key of a signer whom you trust, from `personal public-key`, or its fingerprint in quotes; may be
    /// repeated
    #[arg(long, alias = "fingerprint", value_name = "FILE.jwk|FINGERPRINT")]
    pub(crate) key: Vec<PathBuf>,
    /// The name that those keys may sign under, if no key file says it; may be repeated
    #[arg(long, value_name = "NAME", requires = "key", conflicts_with = "any_name")]
    pub(crate) name: Vec<String>,
    /// The role that goes with --name: provider if not said, or patient
    #[arg(long, value_name = "ROLE", requires = "name", value_parser = ["provider", "patient"])]
    pub(crate) role: Option<String>,
    /// Trust those keys under whatever name they sign: they may call themselves anything
    #[arg(long, requires = "key")]
    pub(crate) any_name: bool,
    /// Be content that it is unchanged, whoever signed it
    #[arg(long)]
    pub(crate) accept_unknown_signer: bool,
}

#[derive(Args)]
pub(crate) struct PublicKey {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Write the key to this new file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VaultOnly {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Ledger {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Only what was handed out: to whom, what for, with the number of each copy
    #[arg(long)]
    pub(crate) released: bool,
    /// Only what was done with this entry, be it one that was expunged; with --released, who has it
    #[arg(long, value_name = "ID")]
    pub(crate) entry: Option<String>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Demand that the vault continues this checkpoint of an earlier check
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) expect: Option<String>,
    /// Read every byte of the file, also those that nothing in the vault uses
    #[arg(long)]
    pub(crate) deep: bool,
    /// Say of each finding what is lost and what can be done
    #[arg(long)]
    pub(crate) explain: bool,
    /// Repair what can be repaired: copies that differ from each other, and with --from damaged parts
    #[arg(long)]
    pub(crate) repair: bool,
    /// Take damaged parts from this backup
    #[arg(long, value_name = "BACKUP", requires = "repair")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Password {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Read the new password from this file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Keep the password and protect it as well as a new one
    #[arg(long, conflicts_with = "new_password_file")]
    pub(crate) upgrade: bool,
    /// Use less memory (64 MiB instead of 256) to protect the password
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct Recover {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// The name of the forgotten password, where there are several; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) replace: Vec<String>,
    /// Read the new password from this file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Keep the recovery key that you have
    #[arg(long, conflicts_with = "new_recovery_key_out")]
    pub(crate) keep_recovery_key: bool,
    /// Write the new recovery key to this new file, for scripts
    #[arg(long, value_name = "FILE")]
    pub(crate) new_recovery_key_out: Option<PathBuf>,
    /// Use less memory (64 MiB instead of 256) to protect the password
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct Access {
    #[command(subcommand)]
    pub(crate) command: AccessCommand,
}

#[derive(Subcommand)]
pub(crate) enum AccessCommand {
    /// List what opens the vault
    #[command(override_usage = "personal access list [OPTIONS] [VAULT]")]
    List(VaultOnly),
    /// Add another password, or another recovery key
    #[command(override_usage = "personal access add [OPTIONS] [VAULT] NAME")]
    Add(AccessAdd),
    /// Take ways in away; those who used them can open the file no more
    #[command(override_usage = "personal access revoke [OPTIONS] [VAULT] NAME...")]
    Revoke(AccessRevoke),
}

#[derive(Args)]
pub(crate) struct AccessAdd {
    #[arg(value_name = "NAME", required = true, num_args = 1..=2, help = "What to call it, such as spouse")]
    pub(crate) names: Vec<PathBuf>,
    /// Open only this compartment, such as general; may be repeated
    #[arg(long, value_name = "COMPARTMENT")]
    pub(crate) only: Vec<String>,
    /// Read the new password from this file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Add a recovery key instead of a password, and write it to this new file
    #[arg(long, value_name = "FILE", conflicts_with = "new_password_file")]
    pub(crate) recovery_key_out: Option<PathBuf>,
    /// Use less memory (64 MiB instead of 256) to protect the password
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct AccessRevoke {
    #[arg(value_name = "NAME", required = true, help = "The names, or how their ids begin")]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Export {
    #[arg(value_name = "FILE", required = true, num_args = 1..=2, help = "Where to write everything, as JSON")]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Backup {
    #[arg(value_name = "DEST", required = true, num_args = 1..=2, help = "Where to write the backup, a new file")]
    pub(crate) names: Vec<PathBuf>,
    /// What the ledger calls the backup; its file's name if not said
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The backup; it stays as it is
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Where to write the vault, a new file
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
}
