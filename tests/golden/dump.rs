//! Everything that a vault holds as JSON, through the public API alone: in the
//! shape that the independent reader prints.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use subrosa::record::{
    Attachment, Coding, Component, Identifier, Location, Origin, Party, Quantity, Scalar, SourceFile,
    SourceFormat, Telecom, Value,
};
use subrosa::vault::{AccessKind, LedgerLine, Listed, Revision};
use subrosa::{Concept, Entry, Error, Filter, Provenance, Token, Vault};

/// The whole vault, as far as its keys reach.
pub(crate) fn vault(vault: &Vault) -> Result<Json, Error> {
    let mut listed = vault.list(&Filter::all().with_retracted().with_sealed())?;
    listed.sort_by_key(|entry| entry.id);
    let entries = listed.iter().map(|listed| entry(vault, listed)).collect::<Result<Vec<_>, Error>>()?;
    Ok(json!({
        "vault": vault.id().to_string(),
        "epoch": vault.epoch().number(),
        "access": access(vault)?,
        "entries": entries,
        "ledger": vault.ledger()?.iter().map(line).collect::<Vec<_>>(),
    }))
}

fn access(vault: &Vault) -> Result<Json, Error> {
    let listed = match vault.access() {
        Err(Error::NeedsCompartment { .. }) => return Ok(Json::Null),
        listed => listed?,
    };
    let kind = |kind| match kind {
        AccessKind::Password => "password",
        AccessKind::RecoveryKey => "recovery key",
        AccessKind::RawKey => "raw key",
        _ => "another",
    };
    let shown = listed.iter().map(|a| {
        let signer = a.public_key.map(|key| key.fingerprint().to_string());
        json!({"name": a.name, "kind": kind(a.kind), "created": milliseconds(a.created), "signer": signer})
    });
    Ok(shown.collect())
}

fn entry(vault: &Vault, listed: &Listed) -> Result<Json, Error> {
    let mut revisions = Vec::new();
    for revision in vault.history(listed.id)? {
        let entry = vault.entry_revision(listed.id, revision.revision)?;
        revisions.push(shown_revision(listed, &revision, &entry));
    }
    let mut current = revisions.pop().unwrap_or_default();
    current["id"] = json!(listed.id.to_string());
    current["earlier"] = json!(revisions);
    Ok(current)
}

fn shown_revision(listed: &Listed, revision: &Revision, entry: &Entry) -> Json {
    let fields = entry.record.fields().into_iter();
    let fields = fields.map(|f| json!({"tag": f.tag, "index": f.index, "value": value(&f.value)}));
    let holds = entry.marks.legal_holds.iter();
    let holds = holds.map(|hold| json!({"reason": hold.reason.as_str(), "until": date(&hold.until)}));
    json!({
        "compartment": listed.compartment.name(),
        "revision": revision.revision,
        "epoch": revision.epoch.number(),
        "kind": {"number": entry.kind().number(), "name": entry.kind().name()},
        "fields": fields.collect::<Vec<_>>(),
        "provenance": provenance(&entry.provenance),
        "not_understood": entry.not_understood.iter().map(Token::as_str).collect::<Vec<_>>(),
        "source": entry.source.as_ref().map(|source| {
            let mut shown = content(&source.bytes);
            shown["format"] = match source.format {
                SourceFormat::FhirJson(version) => json!({"FhirJson": format!("{version:?}")}),
                SourceFormat::FhirXml(version) => json!({"FhirXml": format!("{version:?}")}),
                _ => json!("another"),
            };
            if !source.files.is_empty() {
                let file = |file: &SourceFile| {
                    let mut shown = content(&file.bytes);
                    shown["address"] = json!(file.address.as_str());
                    shown
                };
                shown["files"] = source.files.iter().map(file).collect();
            }
            shown
        }),
        "marks": {
            "retracted": entry.marks.retracted,
            "expires": date(&entry.marks.expires),
            "legal_holds": holds.collect::<Vec<_>>(),
            "disputes": entry.marks.disputes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "same_person": entry.marks.same_person,
        },
    })
}

fn provenance(provenance: &Provenance) -> Json {
    json!({
        "provider": provenance.provider.as_ref().map(party),
        "document": text(&provenance.document),
        "recorded": date(&provenance.recorded),
        "origin": match provenance.origin {
            Origin::Imported => "Imported",
            Origin::EnteredByOwner => "EnteredByOwner",
            Origin::EnteredByProvider => "EnteredByProvider",
            Origin::ImportedAndChanged => "ImportedAndChanged",
            _ => "another",
        },
        "identity": text(&provenance.identity),
        "address": text(&provenance.address),
        "labels": provenance.labels.iter().map(coding).collect::<Vec<_>>(),
    })
}

fn value(value: &Value) -> Json {
    match value {
        Value::Concept(value) => json!({"Concept": concept(value)}),
        Value::Date(value) => json!({"Date": value.as_str()}),
        Value::Token(value) => json!({"Token": value.as_str()}),
        Value::Narrative(value) => json!({"Narrative": value.as_str()}),
        Value::Quantity(value) => json!({"Quantity": quantity(value)}),
        Value::Boolean(value) => json!({"Boolean": value}),
        Value::Party(value) => json!({"Party": party(value)}),
        Value::Name(name) => json!({"Name": {
            "purpose": text(&name.purpose), "text": text(&name.text), "family": text(&name.family),
            "given": texts(&name.given), "prefix": texts(&name.prefix), "suffix": texts(&name.suffix),
        }}),
        Value::Address(address) => json!({"Address": {
            "purpose": text(&address.purpose), "text": text(&address.text), "lines": texts(&address.lines),
            "city": text(&address.city), "district": text(&address.district), "state": text(&address.state),
            "postal_code": text(&address.postal_code), "country": text(&address.country),
        }}),
        Value::Telecom(value) => json!({"Telecom": telecom(value)}),
        Value::Identifier(value) => json!({"Identifier": identifier(value)}),
        Value::Attachment(value) => json!({"Attachment": attachment(value)}),
        Value::Component(value) => json!({"Component": component(value)}),
        _ => json!("another type"),
    }
}

fn text(text: &Option<Token>) -> Json {
    json!(text.as_ref().map(Token::as_str))
}

fn texts(texts: &[Token]) -> Json {
    texts.iter().map(Token::as_str).collect()
}

fn date(date: &Option<subrosa::PartialDate>) -> Json {
    json!(date.as_ref().map(subrosa::PartialDate::as_str))
}

fn coding(coding: &Coding) -> Json {
    json!({
        "system": text(&coding.system), "version": text(&coding.version),
        "code": text(&coding.code), "display": text(&coding.display),
    })
}

fn concept(concept: &Concept) -> Json {
    json!({"codings": concept.codings.iter().map(coding).collect::<Vec<_>>(), "text": text(&concept.text)})
}

fn quantity(quantity: &Quantity) -> Json {
    json!({
        "value": text(&quantity.value), "comparator": text(&quantity.comparator),
        "unit": text(&quantity.unit), "system": text(&quantity.system), "code": text(&quantity.code),
    })
}

fn telecom(telecom: &Telecom) -> Json {
    json!({"system": text(&telecom.system), "value": text(&telecom.value), "purpose": text(&telecom.purpose)})
}

fn identifier(id: &Identifier) -> Json {
    json!({"system": text(&id.system), "value": text(&id.value), "sort": text(&id.sort)})
}

fn party(party: &Party) -> Json {
    json!({
        "name": text(&party.name), "role": text(&party.role), "reference": text(&party.reference),
        "identifiers": party.identifiers.iter().map(identifier).collect::<Vec<_>>(),
        "contact": party.contact.iter().map(telecom).collect::<Vec<_>>(),
    })
}

fn attachment(attachment: &Attachment) -> Json {
    let location = attachment.location.as_ref().map(|location| match location {
        Location::Inline(bytes) => json!({"Inline": content(bytes)}),
        Location::InSource(pointer) => json!({"InSource": pointer.as_str()}),
        Location::External(address) => json!({"External": address.as_str()}),
        Location::Stored(digest) => json!({"Stored": digest.to_string()}),
        _ => json!("another"),
    });
    json!({
        "content_type": text(&attachment.content_type), "title": text(&attachment.title),
        "created": date(&attachment.created), "size": attachment.size, "location": location,
    })
}

fn component(component: &Component) -> Json {
    let value = component.value.as_ref().map(|value| match value {
        Scalar::Concept(value) => json!({"Concept": concept(value)}),
        Scalar::Quantity(value) => json!({"Quantity": quantity(value)}),
        Scalar::Date(value) => json!({"Date": value.as_str()}),
        Scalar::Text(value) => json!({"Text": value.as_str()}),
        Scalar::Boolean(value) => json!({"Boolean": value}),
        _ => json!("another"),
    });
    json!({"code": concept(&component.code), "value": value})
}

fn content(bytes: &[u8]) -> Json {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"length": bytes.len(), "sha256": hex})
}

fn line(line: &LedgerLine) -> Json {
    let details = line.details.iter().map(|(detail, text)| (detail.name().to_owned(), json!(text)));
    json!({
        "epoch": line.epoch.number(),
        "time": milliseconds(line.time),
        "compartment": line.compartment.name(),
        "action": line.action.name(),
        "actor": line.actor,
        "reason": line.reason,
        "entries": line.entries.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
        "details": details.collect::<serde_json::Map<_, _>>(),
    })
}

/// Milliseconds since 1970, as the format has them.
fn milliseconds(time: std::time::SystemTime) -> u64 {
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
