//! `documents`: the documents that entries were made of, as they came.

use serde_json::{Value as Json, json};
use subrosa::vault::SourceDocument;
use subrosa::{EntryId, Vault};

use crate::access;
use crate::arguments::{self, Common};
use crate::failure::Failure;
use crate::output::{self, NewFile, count, printable};
use crate::target;

pub(crate) fn run(common: &Common, command: &arguments::Documents) -> Result<(), Failure> {
    // A document and its file are two names, the vault before them is one.
    let (vault, names) = command.names.split_at(command.names.len() % 2);
    let path = target::vault(common, vault)?;
    let vault = access::to_read(common, &path)?;
    let documents = vault.source_documents()?;
    match names {
        [] if common.json => output::json(&Json::Array(documents.iter().map(for_programs).collect())),
        [] => output::say(&listed(&documents)),
        [id, destination] => {
            let document = find(&documents, target::text(id)?)?;
            if destination.symlink_metadata().is_ok() {
                return Err(Failure::refused(
                    "there is a file of the output's name already; choose another name",
                ));
            }
            let bytes = vault.source_document(document.id)?;
            let mut file = NewFile::create(destination)?;
            file.write(&bytes)?;
            file.finish()?;
            output::say(&format!(
                "Wrote {} to {}, as it came. The file is not encrypted: delete it when it is no longer needed.",
                output::counted(document.size, "byte", "bytes"),
                target::quoted(destination)
            ))
        }
        _ => Err(Failure::usage("name one document, and the file to write it to")),
    }
}

fn listed(documents: &[SourceDocument]) -> String {
    if documents.is_empty() {
        return "No document is kept as it came. One is kept while all entries are there that were made of it; \
                FHIR files are not kept, as their entries hold all that they say."
            .to_owned();
    }
    let row = |document: &SourceDocument| {
        let id = document.id.to_string();
        vec![
            id.get(..10).unwrap_or_default().to_owned(),
            printable(document.name.as_deref().unwrap_or("without a name")),
            output::counted(document.size, "byte", "bytes"),
            count(document.entries.len(), "entry", "entries"),
        ]
    };
    output::table(&["id", "document", "length", "made of it"], documents.iter().map(row).collect())
}

fn for_programs(document: &SourceDocument) -> Json {
    json!({
        "id": document.id.to_string(),
        "name": document.name,
        "import": document.imported.number(),
        "size": document.size,
        "entries": document.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "compartment": document.compartment.name(),
    })
}

fn find<'d>(documents: &'d [SourceDocument], text: &str) -> Result<&'d SourceDocument, Failure> {
    let prefix = text.trim().to_lowercase();
    let mut found = documents.iter().filter(|document| document.id.to_string().starts_with(&prefix));
    match (found.next(), found.next()) {
        (Some(document), None) if !prefix.is_empty() => Ok(document),
        (None, _) => {
            Err(Failure::refused("there is no such document; `personal documents` lists those that are kept"))
        }
        _ => Err(Failure::refused("several ids begin so; give more of the digits")),
    }
}

/// What to say before entries are destroyed of the documents that go with them.
pub(crate) fn that_go_with(vault: &Vault, ids: &[EntryId]) -> Result<String, Failure> {
    let goes = |document: &SourceDocument| document.entries.iter().any(|id| ids.contains(id));
    let lines: String =
        vault.source_documents()?.iter().filter(|document| goes(document)).map(line).collect();
    Ok(match lines.is_empty() {
        true => lines,
        false => format!(
            "\nThese documents, kept as they came, tell of it and go too; their other entries stay, each with its own \
             part:\n{lines}"
        ),
    })
}

fn line(document: &SourceDocument) -> String {
    printable(&format!("  {}", document.name.as_deref().unwrap_or("a document without a name"))) + "\n"
}
