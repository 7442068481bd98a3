//! What can be typed on the command line, with the help that explains it.
//!
//! No health value need be typed here: `-` instead of a value asks for it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const ABOUT: &str = "Keeps your health records private: encrypted, in one file on your own computer. Others get \
                     only what you choose to give them.";

const AFTER_HELP: &str = "\
A first hour:
  personal init my.vault                     make your vault; copy the recovery key onto paper
  personal import my.vault records.json      read in what your clinic or portal gave you (FHIR)
  personal list my.vault                     see what is in it
  personal search my.vault asthma            find something
  personal release my.vault --preview --kind diagnosis
                                             see what others would get, before they get it

`personal COMMAND --help` explains a command.

You can leave out VAULT if --vault or the environment variable SUBROSA_VAULT names it.

Other people who use this computer may see what you type on the command line. If a word says something \
about your health, type - in its place. The program then asks you for it. (A script gives one line for each - \
on standard input.)

Exit codes, for scripts: 0 done, 1 refused or invalid, 2 usage, 3 wrong password or key, 4 the vault is damaged, \
rolled back or forked, 5 file, disk or memory failed.";

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
    /// Use this vault, if the command does not name one
    #[arg(long, global = true, value_name = "FILE", env = "SUBROSA_VAULT")]
    pub(crate) vault: Option<PathBuf>,
    /// Read the password from this file instead of asking for it
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "recovery_key_file")]
    pub(crate) password_file: Option<PathBuf>,
    /// Open with the recovery key in this file instead of a password
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) recovery_key_file: Option<PathBuf>,
    /// Open with the recovery key; you are asked for it
    #[arg(long, global = true, conflicts_with_all = ["password_file", "recovery_key_file"])]
    pub(crate) recovery_key: bool,
    /// Open a vault even if its password is less protected than is usual today
    #[arg(long, global = true)]
    pub(crate) accept_weak: bool,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer yes to every "are you sure?", for scripts
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new vault, with a password and a recovery key
    #[command(override_usage = "personal init [OPTIONS] VAULT")]
    Init(Init),
    /// Read in records from a clinic or portal: FHIR as JSON or XML, or C-CDA
    #[command(override_usage = "personal import [OPTIONS] [VAULT] FILE...")]
    Import(Import),
    /// List what is in the vault, newest first
    #[command(override_usage = "personal list [OPTIONS] [VAULT]")]
    List(List),
    /// Find entries by a word in a title, note, name or code
    #[command(override_usage = "personal search [OPTIONS] [VAULT] TEXT...")]
    Search(Search),
    /// Show one entry
    #[command(override_usage = "personal show [OPTIONS] [VAULT] ID")]
    Show(Show),
    /// Add an entry of your own
    #[command(override_usage = "personal add [OPTIONS] [VAULT] KIND", after_help = ADD_HELP)]
    Add(Add),
    /// Put a file of any size into the vault: a scan, a film, a letter
    #[command(override_usage = "personal attach [OPTIONS] [VAULT] FILE")]
    Attach(Attach),
    /// Copy a file out of the vault
    #[command(override_usage = "personal extract [OPTIONS] [VAULT] ID [DEST]")]
    Extract(Extract),
    /// List the documents that are kept as they came, or copy one out
    #[command(override_usage = "personal documents [OPTIONS] [VAULT] [ID DEST]")]
    Documents(Documents),
    /// Correct an entry; you can still read the earlier version
    #[command(override_usage = "personal amend [OPTIONS] [VAULT] ID", after_help = AMEND_HELP)]
    Amend(Amend),
    /// Withdraw an entry: it is kept, but no longer listed or released
    #[command(override_usage = "personal retract [OPTIONS] [VAULT] ID")]
    Retract(Amend),
    /// Destroy entries for good, with all their versions
    #[command(override_usage = "personal expunge [OPTIONS] [VAULT] ID...")]
    Expunge(Expunge),
    /// Give somebody a signed selection; only what you choose leaves
    #[command(override_usage = "personal release [OPTIONS] [VAULT] --to NAME --purpose TEXT", after_help = RELEASE_HELP)]
    Release(Release),
    /// Check an excerpt that somebody gave you; you need no vault
    #[command(override_usage = "personal verify [OPTIONS] FILE")]
    Verify(Verify),
    /// Print the public key that others use to check your excerpts
    #[command(override_usage = "personal public-key [OPTIONS] [VAULT]")]
    PublicKey(PublicKey),
    /// Show everything that was ever done in the vault
    #[command(override_usage = "personal ledger [OPTIONS] [VAULT]")]
    Ledger(Ledger),
    /// Check that the whole vault is undamaged
    #[command(override_usage = "personal check [OPTIONS] [VAULT]")]
    Check(Check),
    /// Change the password
    #[command(override_usage = "personal password [OPTIONS] [VAULT]")]
    Password(Password),
    /// Set a new password with the recovery key, if you forgot the old one
    #[command(override_usage = "personal recover [OPTIONS] [VAULT]")]
    Recover(Recover),
    /// List, add and remove the passwords and keys that open the vault
    Access(Access),
    /// Write everything to a readable, unencrypted file, to take it elsewhere
    #[command(override_usage = "personal export [OPTIONS] [VAULT] FILE")]
    Export(Export),
    /// Copy the vault, still encrypted, to a new file, and check the copy
    #[command(override_usage = "personal backup [OPTIONS] [VAULT] DEST")]
    Backup(Backup),
    /// Make a vault from a backup, as a new file, and check it
    #[command(override_usage = "personal restore [OPTIONS] BACKUP TO")]
    Restore(Restore),
    /// Make the vault's file smaller by dropping what nothing uses any more
    #[command(override_usage = "personal compact [OPTIONS] [VAULT]")]
    Compact(VaultOnly),
}

const ADD_HELP: &str = "\
The program asks you for each field. Press Enter to leave one out. `personal add --fields KIND` lists the fields \
and how to write them. A script gives a JSON object {field: value} on standard input.

Write a date as precisely as you know it: 2019, 2019-04 or 2019-04-27. Write a code as SYSTEM|CODE|DISPLAY, or \
just say it in plain words.";

const AMEND_HELP: &str = "\
The program asks you for each field. Press Enter to keep what is there. A script gives a JSON object \
{field: value} on standard input: fields that it leaves out stay, null removes a field, and \"_reason\" can say \
why.";

const RELEASE_HELP: &str = "\
Only what you choose leaves. Choose entries with --kind, --code or --entry. --since and --until narrow kinds and \
codes. Free text, attachments, identifiers, addresses and original documents leave only with --include FIELD. \
Name a FIELD as `show` and the preview name it, or by its name in JSON. A third party gets your date of birth \
only with --include birth_date, and words beside a code only with --include code. People who treat you get \
both: use --audience treatment. The excerpt also names the patient, so that its reader knows whom it is about. \
Always look with --preview first.

  personal release my.vault --preview --kind diagnosis --kind medication --since 2020
  personal release my.vault --to \"Dr. Lee\" --purpose \"second opinion\" --kind diagnosis --mask onset=year

Write a code as CODE, PREFIX*, SYSTEM|CODE or SYSTEM|PREFIX*. Codes are compared as written: a code of ICD-10 \
does not find entries coded in SNOMED CT.";

#[derive(Args)]
pub(crate) struct Init {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "Where to make the vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Your name, as your excerpts will show it
    #[arg(long, value_name = "HOLDER")]
    pub(crate) name: Option<String>,
    /// Make no recovery key; if you forget the password, everything is lost
    #[arg(long)]
    pub(crate) no_recovery_key: bool,
    /// Write the recovery key to this new file, for scripts
    #[arg(long, value_name = "FILE", conflicts_with = "no_recovery_key")]
    pub(crate) recovery_key_out: Option<PathBuf>,
    /// Protect the password with less memory (64 MiB instead of 256), for small devices
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct Import {
    #[arg(
        value_name = "FILE",
        required_unless_present_any = ["undo", "list", "forget_answers"],
        help = "The files, read together; - reads standard input"
    )]
    pub(crate) names: Vec<PathBuf>,
    /// These files are about the vault's patient, although the name, birth date or sex differs
    #[arg(long)]
    pub(crate) patient_is_same: bool,
    /// Let these files change what an earlier file brought
    #[arg(long, conflicts_with = "keep_beside")]
    pub(crate) accept_changed_source: bool,
    /// Keep what these files change beside what is there, as entries of their own
    #[arg(long)]
    pub(crate) keep_beside: bool,
    /// Undo an import; after the vault, type its number from --list, or `last`
    #[arg(long, conflicts_with_all = ["list", "forget_answers"])]
    pub(crate) undo: bool,
    /// List your imports: number, date and file
    #[arg(long)]
    pub(crate) list: bool,
    /// Take back your answers to an import; after the vault, type its number, or leave it out for all
    #[arg(long)]
    pub(crate) forget_answers: bool,
    /// Whose records to read in, if the files are about several people (- to be asked)
    #[arg(long, value_name = "REF")]
    pub(crate) patient: Option<String>,
    /// Also read in, as this person's, records that do not say clearly whose they are; not possible if the files
    /// are about several people
    #[arg(long)]
    pub(crate) unknown_are_same: bool,
    /// These files are an export that you made of your own vault: take its entries as they were, with who entered
    /// them, what you corrected, withdrew or hold, and where they are kept
    #[arg(long, conflicts_with = "as_any_file")]
    pub(crate) own_export: bool,
    /// Take an export of a vault as a file like any other
    #[arg(long)]
    pub(crate) as_any_file: bool,
    /// Also read in what you destroyed in this vault to stay away, and do not keep it away any more
    #[arg(long)]
    pub(crate) take_expunged: bool,
    /// List, by its path, every part that lists and excerpts do not show
    #[arg(long)]
    pub(crate) report: bool,
    /// Accept files up to this size; reading takes several times as much memory
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) max_mib: u64,
}

#[derive(Args, Default)]
pub(crate) struct List {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Only this kind, such as diagnosis, or illness in plain words; may be repeated (- to be asked)
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what may have been true on or after this date
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Only what may have been true on or before this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// Only codes that start like this, as PREFIX or SYSTEM|PREFIX (- to be asked)
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Only entries whose provider's name contains this (- to be asked)
    #[arg(long, value_name = "TEXT")]
    pub(crate) provider: Option<String>,
    /// Only entries that contain this text anywhere (- to be asked)
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Also list withdrawn entries
    #[arg(long)]
    pub(crate) all: bool,
    /// Also list insurance claims and coverage
    #[arg(long)]
    pub(crate) insurance: bool,
}

#[derive(Args)]
pub(crate) struct Search {
    #[arg(
        value_name = "TEXT",
        required = true,
        help = "What to look for, in one or more words; capitals do not matter (- to be asked)"
    )]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "ID", required = true, num_args = 1..=2, help = "The entry's id, or its first characters")]
    pub(crate) names: Vec<PathBuf>,
    /// Show all versions: who changed what, when and why
    #[arg(long, conflicts_with = "raw")]
    pub(crate) history: bool,
    /// Print the original exactly as it was imported, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
    /// Show an earlier version, by its number
    #[arg(long, value_name = "NUMBER", conflicts_with = "history")]
    pub(crate) revision: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Add {
    #[arg(value_name = "KIND", num_args = 1..=2, required = true, help = "What to add, such as diagnosis (- to be asked)")]
    pub(crate) names: Vec<PathBuf>,
    /// Only list the fields of this kind and how to write them
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
    /// What to call it, if not by the file's name (- to be asked)
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Make a new entry of this kind, such as note (- to be asked)
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Start over: discard what an interrupted attempt with the same title stored
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Args)]
pub(crate) struct Extract {
    #[arg(value_name = "ID", num_args = 1..=3, required = true, help = "The entry, and where to write the file")]
    pub(crate) names: Vec<PathBuf>,
    /// Which of the entry's attachments; the first is 1
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) number: u32,
}

#[derive(Args)]
pub(crate) struct Documents {
    #[arg(value_name = "ID", num_args = 0..=3, help = "The document, and where to write it")]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Amend {
    #[arg(value_name = "ID", required = true, num_args = 1..=2, help = "The entry's id, or its first characters")]
    pub(crate) names: Vec<PathBuf>,
    /// Why (- to be asked)
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct Expunge {
    #[arg(value_name = "ID", required = true, help = "The entries' ids, or their first characters")]
    pub(crate) names: Vec<PathBuf>,
    /// Why (- to be asked). The ledger keeps this, so do not say what you destroy
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Know it again if it is imported again, and leave it out. Whoever opens the sealed records
    /// can then tell that it was there
    #[arg(long)]
    pub(crate) stay_away: bool,
    /// Show every other entry that tells of the same, and offer to destroy them too, however many
    /// they are
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args)]
pub(crate) struct Release {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Who gets it (- to be asked)
    #[arg(long, value_name = "NAME", required_unless_present = "preview")]
    pub(crate) to: Option<String>,
    /// What for, and the legal basis if there is one (- to be asked)
    #[arg(long, value_name = "TEXT", required_unless_present = "preview")]
    pub(crate) purpose: Option<String>,
    /// Release entries of this kind; may be repeated (- to be asked)
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what is certainly on or after this date
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Only what is certainly on or before this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// Release entries with this code; may be repeated (- to be asked)
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Release this entry too; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) entry: Vec<String>,
    /// Show only the year of this field's dates, or withhold the field
    #[arg(long, value_name = "FIELD=year|withhold")]
    pub(crate) mask: Vec<String>,
    /// Release a field that otherwise stays, with all its words
    #[arg(long, value_name = "FIELD")]
    pub(crate) include: Vec<String>,
    /// Whom it is for: third-party (unless you say otherwise), treatment, or patient for your own copy
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// Show a black bar for each field that is withheld
    #[arg(long)]
    pub(crate) bars: bool,
    /// Also release entries that were not fully understood, and mark them so
    #[arg(long)]
    pub(crate) not_understood: bool,
    /// The same for one entry only: its id, as the preview shows it
    #[arg(long, value_name = "ID")]
    pub(crate) not_understood_of: Vec<String>,
    /// Also release results without the words beside them, which may take them back, and mark them so
    #[arg(long)]
    pub(crate) without_words: bool,
    /// The same for one entry only: its id, as the preview shows it
    #[arg(long, value_name = "ID")]
    pub(crate) without_words_of: Vec<String>,
    /// Sign with this computer's date, although the vault's last change makes it look wrong
    #[arg(long)]
    pub(crate) clock_is_right: bool,
    /// The last day on which the excerpt is valid
    #[arg(long, value_name = "DATE")]
    pub(crate) expires: Option<String>,
    /// Where to write it, as .html or .json; otherwise excerpt-YYYYMMDD.html
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show what would leave and what would stay; release nothing
    #[arg(long)]
    pub(crate) preview: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    #[arg(
        value_name = "FILE",
        help = "The excerpt: the HTML or JSON file, exactly as you got it; - reads standard input"
    )]
    pub(crate) file: PathBuf,
    /// The public key of a signer you trust, from `personal public-key`, or its fingerprint in quotes; may be
    /// repeated
    #[arg(long, alias = "fingerprint", value_name = "FILE.jwk|FINGERPRINT")]
    pub(crate) key: Vec<PathBuf>,
    /// The name those keys may sign under, if no key file says it; may be repeated
    #[arg(long, value_name = "NAME", requires = "key", conflicts_with = "any_name")]
    pub(crate) name: Vec<String>,
    /// The role for --name: provider (unless you say otherwise) or patient
    #[arg(long, value_name = "ROLE", requires = "name", value_parser = ["provider", "patient"])]
    pub(crate) role: Option<String>,
    /// Trust those keys under any name: they may call themselves anything
    #[arg(long, requires = "key")]
    pub(crate) any_name: bool,
    /// Accept it if it is unchanged, no matter who signed it
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
    /// Only what you released: to whom, what for, and the number of each copy
    #[arg(long)]
    pub(crate) released: bool,
    /// Only what was done with this entry, even if it is destroyed; with --released, who has it
    #[arg(long, value_name = "ID")]
    pub(crate) entry: Option<String>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// Fail unless the vault continues from this checkpoint of an earlier check
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) expect: Option<String>,
    /// Read every byte of the file, even those that nothing uses
    #[arg(long)]
    pub(crate) deep: bool,
    /// Say for each problem what is lost and what you can do
    #[arg(long)]
    pub(crate) explain: bool,
    /// Repair what can be repaired: copies that differ, and with --from also damaged parts
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
    /// Keep the password, and protect it as well as a new one
    #[arg(long, conflicts_with = "new_password_file")]
    pub(crate) upgrade: bool,
    /// Protect the password with less memory (64 MiB instead of 256), for small devices
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct Recover {
    #[arg(value_name = "VAULT", num_args = 0..=1, help = "The vault")]
    pub(crate) names: Vec<PathBuf>,
    /// The name of the forgotten password, if there are several; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) replace: Vec<String>,
    /// Read the new password from this file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Keep your recovery key instead of making a new one
    #[arg(long, conflicts_with = "new_recovery_key_out")]
    pub(crate) keep_recovery_key: bool,
    /// Write the new recovery key to this new file, for scripts
    #[arg(long, value_name = "FILE")]
    pub(crate) new_recovery_key_out: Option<PathBuf>,
    /// Protect the password with less memory (64 MiB instead of 256), for small devices
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
    /// Remove passwords or keys; they no longer open the vault
    #[command(override_usage = "personal access revoke [OPTIONS] [VAULT] NAME...")]
    Revoke(AccessRevoke),
}

#[derive(Args)]
pub(crate) struct AccessAdd {
    #[arg(value_name = "NAME", required = true, num_args = 1..=2, help = "What to call it, such as spouse")]
    pub(crate) names: Vec<PathBuf>,
    /// Let it open only this compartment, such as general; may be repeated
    #[arg(long, value_name = "COMPARTMENT")]
    pub(crate) only: Vec<String>,
    /// Read the new password from this file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Add a recovery key instead of a password, and write it to this new file
    #[arg(long, value_name = "FILE", conflicts_with = "new_password_file")]
    pub(crate) recovery_key_out: Option<PathBuf>,
    /// Protect the password with less memory (64 MiB instead of 256), for small devices
    #[arg(long)]
    pub(crate) small_device: bool,
}

#[derive(Args)]
pub(crate) struct AccessRevoke {
    #[arg(value_name = "NAME", required = true, help = "Their names, or the first characters of their ids")]
    pub(crate) names: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Export {
    #[arg(value_name = "FILE", required = true, num_args = 1..=2, help = "Where to write everything, as readable JSON")]
    pub(crate) names: Vec<PathBuf>,
    /// Write FHIR R4, which `import` reads back; without it the file also has earlier versions and the ledger, for
    /// you to read
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,
    /// Only this kind, such as diagnosis, or illness in plain words; may be repeated (- to be asked)
    #[arg(long, value_name = "KIND", requires = "format")]
    pub(crate) kind: Vec<String>,
    /// Only what may have been true on or after this date
    #[arg(long, value_name = "DATE", requires = "format")]
    pub(crate) since: Option<String>,
    /// Only what may have been true on or before this date
    #[arg(long, value_name = "DATE", requires = "format")]
    pub(crate) until: Option<String>,
    /// Only codes that start like this, as PREFIX or SYSTEM|PREFIX (- to be asked)
    #[arg(long, value_name = "CODE", requires = "format")]
    pub(crate) code: Option<String>,
    /// Only entries whose provider's name contains this (- to be asked)
    #[arg(long, value_name = "TEXT", requires = "format")]
    pub(crate) provider: Option<String>,
    /// Only entries that contain this text anywhere (- to be asked)
    #[arg(long, value_name = "TEXT", requires = "format")]
    pub(crate) text: Option<String>,
}

/// How FHIR is written to a file.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum FileFormat {
    /// One FHIR Bundle
    Bundle,
    /// FHIR resources, one a line
    Ndjson,
}

#[derive(Args)]
pub(crate) struct Backup {
    #[arg(value_name = "DEST", required = true, num_args = 1..=2, help = "Where to write the backup, a new file")]
    pub(crate) names: Vec<PathBuf>,
    /// What the ledger calls the backup, if not by its file's name
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
