//! `export --format`: the whole vault or a selection as FHIR, which `import` reads back.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::json;
use subrosa::interop::ExportForm;
use subrosa::vault::Exported;
use subrosa::{Actor, EntryId, Error, Vault};

use crate::access;
use crate::arguments::{Common, Export, FileFormat, List};
use crate::failure::{Exit, Failure};
use crate::list;
use crate::output::{self, NewFile, count, note};
use crate::prompt;
use crate::target::hinted;

const WARNING: &str = "The file will be readable by whoever gets it: no password protects it.";
const NOT_IN_IT: &str = "Not in the file: earlier versions of entries, the ledger with what you released, the ways \
                         into the vault, and what is sealed.";

pub(super) fn run(
    common: &Common,
    command: &Export,
    (vault, unnoted): (Vault, Option<&str>),
    name: &Path,
    format: FileFormat,
) -> Result<(), Failure> {
    let chosen = List {
        kind: command.kind.clone(),
        since: command.since.clone(),
        until: command.until.clone(),
        code: command.code.clone(),
        provider: command.provider.clone(),
        text: command.text.clone(),
        all: true,
        ..List::default()
    };
    let filter = list::filter(&chosen)?;
    let form = match format {
        FileFormat::Bundle => ExportForm::Bundle,
        FileFormat::Ndjson => ExportForm::Ndjson,
    };
    note(WARNING);
    note(NOT_IN_IT);
    prompt::confirm(common.yes, "Write it?")?;
    let file = NewFile::create(name)?;
    let written = write(file, |out| match unnoted {
        Some(_) => vault.export_fhir_unrecorded(&filter, form, out),
        None => vault.export_fhir(&Actor::owner(), &filter, form, out),
    });
    let exported = written.map_err(|failure| match unnoted {
        Some(_) => failure,
        None => failure.followed_by(
            "; no file was kept, but the ledger may note the export already: export again to another place, which it \
             notes too",
        ),
    })?;
    if unnoted.is_none() {
        access::close(vault);
    }
    told(common, &exported, unnoted)
}

fn write(
    mut file: NewFile<'_>,
    export: impl FnOnce(&mut dyn std::io::Write) -> Result<Exported, Error>,
) -> Result<Exported, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, file.as_writer());
    let exported = export(&mut out)?;
    out.flush().map_err(|error| Failure::file("the output file cannot be written", &error))?;
    drop(out);
    file.finish()?;
    Ok(exported)
}

fn told(common: &Common, exported: &Exported, unnoted: Option<&str>) -> Result<(), Failure> {
    let is_damaged = !exported.damaged.is_empty();
    let ends = match is_damaged {
        true => Err(Failure::Reported(Exit::Damaged)),
        false => Ok(()),
    };
    if common.json {
        let ids = |ids: &[EntryId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        output::json(&json!({
            "entries": exported.entries, "originals": exported.originals, "attachments": exported.attachments,
            "without_attachment": ids(&exported.without_attachment), "too_large": ids(&exported.too_large),
            "damaged": ids(&exported.damaged), "in_ledger": unnoted.is_none(),
            "not_in_file": ["earlier versions", "ledger", "ways in", "sealed"],
        }))?;
        return ends;
    }
    let files = match exported.attachments {
        0 => String::new(),
        some => format!(" and {}", count(some, "attachment", "attachments")),
    };
    let ledger = match unnoted {
        Some(why) => format!("{why}, so its ledger does not note the export."),
        None => "The ledger notes the export.".to_owned(),
    };
    output::say(&format!(
        "Exported {}{files}, {} with the original. {NOT_IN_IT} The file is not encrypted: keep it safe, and delete it \
         when it is no longer needed. {ledger}",
        count(exported.entries, "entry", "entries"),
        exported.originals,
    ))?;
    for (ids, why) in [
        (&exported.without_attachment, "have an attachment of more than 32 MiB, which is NOT in the file"),
        (&exported.too_large, "are so large that no import can make the same entry of them"),
        (&exported.damaged, "are damaged, and NOT in the file or not whole"),
    ] {
        if !ids.is_empty() {
            let shown: Vec<String> = ids.iter().take(20).map(|id| access::short_id(*id)).collect();
            note(&hinted(&format!(
                "personal: {} {why}: {}",
                count(ids.len(), "entry", "entries"),
                shown.join(", ")
            )));
        }
    }
    ends
}
