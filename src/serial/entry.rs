//! Entries: the record, where it came from, its original bytes and its marks.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use subrosa_base::serial::error::Fault;
use subrosa_base::serial::node::{Members, Node};
use subrosa_base::serial::shape::{Read, member, read_typed, write_typed};
use subrosa_base::serial::text::{Bytes, read_bytes};
use subrosa_base::{deserialize_by_serde as deserialize, objects_by_serde as objects};

use crate::record::{Card, CardFlags, Entry, LegalHold, Marks, Provenance, Source, SourceFile, SourceFormat};

objects! {
    Entry { record, provenance, not_understood, source, marks }
    Provenance { provider, document, recorded, origin, identity, address, labels }
    Marks { retracted, expires, legal_holds, disputes, same_person }
    LegalHold { reason, until }
    CardFlags { retracted, legal_hold, disputed, attachment, more_codings, expires, not_understood, elsewhere, changed }
}

const FHIR_JSON: &str = "fhir-json";
const CDA_XML: &str = "cda-xml";
const FHIR_XML: &str = "fhir-xml";
/// The release of CDA that is read.
const CDA_RELEASE: &str = "R2";

impl Serialize for SourceFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::FhirJson(version) => write_typed(serializer, FHIR_JSON, version),
            Self::CdaXml => write_typed(serializer, CDA_XML, CDA_RELEASE),
            Self::FhirXml(version) => write_typed(serializer, FHIR_XML, version),
        }
    }
}

impl Read for SourceFormat {
    fn read(node: Node) -> Result<Self, Fault> {
        let (word, version) = read_typed(node)?;
        if word == CDA_XML {
            let release = version.into_text().map_err(|fault| fault.in_member("value"))?;
            let is_known = release == CDA_RELEASE;
            return if is_known {
                Ok(Self::CdaXml)
            } else {
                Err(Fault::word(&[CDA_RELEASE]).in_member("value"))
            };
        }
        if word == FHIR_XML {
            return Read::read(version).map(Self::FhirXml).map_err(|fault| fault.in_member("value"));
        }
        if word != FHIR_JSON {
            return Err(Fault::word(&[FHIR_JSON, CDA_XML, FHIR_XML]).in_member("type"));
        }
        Read::read(version).map(Self::FhirJson).map_err(|fault| fault.in_member("value"))
    }
}

deserialize!(SourceFormat);

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { format, bytes, files } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", format)?;
        map.serialize_entry("bytes", &Bytes(bytes))?;
        if !files.is_empty() {
            map.serialize_entry("files", files)?;
        }
        map.end()
    }
}

impl Read for Source {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        let format = member(&mut members, "format")?;
        let bytes = members.take("bytes").ok_or_else(|| Fault::new("bytes is missing"))?;
        let bytes = read_bytes(bytes).map_err(|fault| fault.in_member("bytes"))?;
        let files = match members.take("files") {
            Some(files) => Read::read(files).map_err(|fault| fault.in_member("files"))?,
            None => Vec::new(),
        };
        members.finish()?;
        Ok(Self { files, ..Self::new(format, bytes) })
    }
}

deserialize!(Source);

impl Serialize for SourceFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { address, bytes } = self;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("address", address)?;
        map.serialize_entry("bytes", &Bytes(bytes))?;
        map.end()
    }
}

impl Read for SourceFile {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        let address = member(&mut members, "address")?;
        let bytes = members.take("bytes").ok_or_else(|| Fault::new("bytes is missing"))?;
        let bytes = read_bytes(bytes).map_err(|fault| fault.in_member("bytes"))?;
        members.finish()?;
        Ok(Self::new(address, bytes))
    }
}

deserialize!(SourceFile);

objects! {
    Card { kind, dates, coding, provider, flags, complete }
}
