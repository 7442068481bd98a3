//! FHIR as XML says what its twin in JSON says, and its originals are the XML.

use std::fs;

use subrosa::interop::{FindingReason, ImportError, Imported, Piece, XmlFault};
use subrosa::record::{FhirVersion, Location, SourceFormat, Token, Value};
use subrosa::{
    Actor, Entry, Filter, Import, ImportOptions, Kind, NewVault, RawKey, Record, Vault, VaultOptions,
};

use crate::support::folder;

fn read(text: &[u8]) -> Result<Imported, ImportError> {
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("input"), text)?;
    import.finish()
}

/// The document that the pieces of an import are.
fn rebuilt(imported: &Imported) -> Vec<u8> {
    let bytes = |piece: &Piece| match piece {
        Piece::Gap(bytes) => bytes.clone(),
        Piece::Resource(at) => imported.entries[*at].entry.source.as_ref().unwrap().bytes.clone(),
        _ => panic!("a whole resource"),
    };
    imported.documents[0].pieces.iter().flat_map(bytes).collect()
}

/// Fractions of a second as the XML writes them: what made JSON of it writes six digits.
fn as_in_xml(json: &str) -> String {
    json.replace("000Z\"", "Z\"")
}

/// The fields of an entry, files by where they are in XML, which has no lists.
fn fields_of(entry: &Entry) -> Vec<(&'static str, Value)> {
    let mut fields = entry.record.fields();
    for field in &mut fields {
        if let Value::Attachment(file) = &mut field.value
            && let Some(Location::InSource(place)) = &mut file.location
        {
            let steps =
                place.as_str().split('/').filter(|step| step.is_empty() || step.parse::<usize>().is_err());
            *place = Token::new(steps.collect::<Vec<_>>().join("/")).unwrap();
        }
    }
    fields.into_iter().map(|field| (field.name, field.value)).collect()
}

fn assert_twins(name: &str, xml: &[u8], json: &str) {
    let (from_xml, from_json) = (read(xml).unwrap(), read(as_in_xml(json).as_bytes()).unwrap());
    assert_eq!(from_xml.entries.len(), from_json.entries.len(), "{name}");
    for (one, other) in from_xml.entries.iter().zip(&from_json.entries) {
        assert_eq!(one.identity, other.identity, "{name}");
        let (one, other) = (&one.entry, &other.entry);
        let (fields, others) = (fields_of(one), fields_of(other));
        let differ = fields.iter().zip(&others).filter(|(one, other)| one != other).map(|(one, _)| one.0);
        let differ: Vec<&str> = differ.collect();
        assert!(fields == others, "{name}: {:?} {differ:?}", one.provenance.identity);
        assert!(one.provenance == other.provenance, "{name}");
        assert_eq!(one.not_understood, other.not_understood, "{name}");
        let version = |format: SourceFormat| match format {
            SourceFormat::FhirXml(version) | SourceFormat::FhirJson(version) => version,
            _ => panic!("FHIR"),
        };
        let (one, other) = (one.source.as_ref().unwrap(), other.source.as_ref().unwrap());
        assert!(matches!(one.format, SourceFormat::FhirXml(_)));
        assert_eq!(version(one.format), version(other.format), "{name}");
    }
    assert!(rebuilt(&from_xml) == xml, "{name}: the input does not come back");
}

#[test]
fn real_xml_says_what_its_twin_in_json_says() {
    let data = folder().join("..");
    let mut twins = 0;
    let pairs =
        [("fhir-us-behavioral-health/xml", "fhir-us-behavioral-health/json"), ("fhir-ips", "fhir-ips")];
    for (xml, json) in pairs {
        let Ok(files) = fs::read_dir(data.join(xml)) else {
            eprintln!("SKIPPED: {xml} is absent, so this test proves nothing");
            return;
        };
        for file in files.map(|file| file.unwrap().path()) {
            let is_xml = file.extension().is_some_and(|found| found == "xml");
            let twin = data.join(json).join(file.file_stem().unwrap()).with_extension("json");
            if let (true, Ok(json)) = (is_xml, fs::read_to_string(twin)) {
                assert_twins(&file.display().to_string(), &fs::read(&file).unwrap(), &json);
                twins += 1;
            }
        }
    }
    assert!(twins > 50, "{twins}");
}

const LETTER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- a letter -->
<f:DocumentReference xmlns:f="http://hl7.org/fhir"><f:id value="d"/><f:status value="current"/>
  <f:description value="Tom &amp; Ann&#10;write"/><f:content><f:attachment><f:contentType value="text/plain"/>
  <f:data value="TWVsYW5jaG9saWE="/></f:attachment></f:content></f:DocumentReference>
"#;

#[test]
fn files_and_words_of_an_original_in_xml_are_found() {
    let imported = read(LETTER.as_bytes()).unwrap();
    let Record::Note(note) = &imported.entries[0].entry.record else { panic!() };
    assert_eq!(note.title.as_ref().unwrap().as_str(), "Tom & Ann\nwrite");
    assert_eq!(note.attachments[0].size, Some(11));
    assert_eq!(
        imported.entries[0].entry.source.as_ref().unwrap().format,
        SourceFormat::FhirXml(FhirVersion::R4)
    );
    let key = RawKey::from_bytes(&[7; 32]).into();
    let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap();
    let report = vault.import(&Actor::owner(), &imported).unwrap();
    let found = |text: &str| vault.list(&Filter::all().text_anywhere(text)).unwrap().len();
    assert_eq!((found("melancholia"), found("attachment"), found("nowhere")), (1, 0, 0));
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut vault.attachment(report.added[0], 0).unwrap(), &mut bytes).unwrap();
    assert_eq!(bytes, b"Melancholia");
    assert_eq!(vault.list(&Filter::all().kind(Kind::Note)).unwrap().len(), 1);
}

#[test]
fn what_xml_may_hide_is_refused() {
    let patient = |within: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\">{within}</Patient>");
    let fault = |text: &str| match read(text.as_bytes()) {
        Err(ImportError::Xml(error)) => error.fault,
        other => panic!("{other:?}"),
    };
    let doctype = format!("<!DOCTYPE Patient [<!ENTITY a \"b\">]>{}", patient("&a;"));
    assert!(read(doctype.as_bytes()).is_err());
    let inner = patient("<!DOCTYPE a><id value=\"1\"/>");
    assert!(matches!(fault(&inner), XmlFault::DocumentType | XmlFault::NotWellFormed));
    assert_eq!(fault(&patient("<a value=\"&b;\"/>")), XmlFault::Entity);
    assert_eq!(fault(&patient(&"<a>".repeat(100_000))), XmlFault::TooDeep);
    let attributes: String = (0..100_000).map(|at| format!(" a{at}=\"1\"")).collect();
    assert_eq!(fault(&patient(&format!("<a{attributes}/>"))), XmlFault::TooManyAttributes);
    let whole = patient("<id value=\"1\"/><name><family value=\"Byron\"/></name>");
    assert!(read(whole.as_bytes()).is_ok());
    for end in (40..whole.len()).step_by(7) {
        assert!(read(&whole.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn what_is_denied_or_unread_in_xml_is_as_in_json() {
    let text = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><total value="5"/>
        <entry><resource><Procedure><id value="p"/><status value="completed"/><notDone value="true"/>
        <code><text value="Detox"/></code><odd value="1"/></Procedure></resource></entry>
        <entry><resource><Observation><id value="o"/><status value="final"/><code><text value="true"/></code>
        <valueBoolean value="false"/></Observation></resource></entry></Bundle>"#;
    let imported = read(text.as_bytes()).unwrap();
    let words = |at: usize| imported.entries[at].entry.display().unwrap();
    assert_eq!((words(0), words(1)), ("NOT DONE: Detox".to_owned(), "true".to_owned()));
    let Record::Observation(found) = &imported.entries[1].entry.record else { panic!() };
    assert_eq!(found.boolean, Some(false));
    let has = |path: &str, reason| {
        imported.findings.iter().any(|finding| finding.path == path && finding.reason == reason)
    };
    assert!(has("Procedure.odd", FindingReason::NotCarried) && has("Bundle.total", FindingReason::MorePages));
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><Basic xmlns='http://hl7.org/fhir'><code><text value='\xe9'/></code></Basic>";
    let imported = read(latin).unwrap();
    assert_eq!(imported.entries[0].entry.display().unwrap(), "é");
    assert!(imported.findings.iter().any(|finding| finding.reason == FindingReason::Recoded));
}
