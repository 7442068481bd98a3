//! The feature `serde`: what is written reads back, what is wrong is refused, and no
//! error says what was in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use subrosa::record::{
    Address, Attachment, Coding, Component, Diagnosis, FhirVersion, FieldType, HumanName, Identifier,
    LegalHold, Location, Marks, Narrative, Origin, Party, Patient, Quantity, Scalar, Source, SourceFile,
    SourceFormat, Telecom, Value,
};
use subrosa::release::{Audience, CodeFilter};
use subrosa::vault::{Checkpoint, Epoch};
use subrosa::{
    Actor, Concept, Credential, Entry, EntryId, Filter, Import, ImportOptions, Kind, Mask, NewVault,
    PartialDate, Policy, Provenance, RawKey, Record, ReleaseRequest, Token, TrustedKeys, UnverifiedExcerpt,
    Vault, VaultOptions,
};

/// Makes values, each a little different, from one number.
struct Maker(u64);

impl Maker {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let at = self.next(u64::try_from(of.len()).unwrap());
        of[usize::try_from(at).unwrap()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.next(4) > 0).then(|| make(self))
    }

    fn some<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.next(3)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        let texts =
            ["a", "6.1000", "\"quoted\" \\", "Müller", "\u{0}\u{1f}", "😀\u{2028}", "null", "</script>"];
        format!("{}{}", self.pick(&texts), self.next(100))
    }

    fn token(&mut self) -> Token {
        Token::new(self.text()).unwrap()
    }

    fn narrative(&mut self) -> Narrative {
        Narrative::new(self.text().repeat(3)).unwrap()
    }

    fn date(&mut self) -> PartialDate {
        let dates = ["2019", "2019-04", "2019-04-27", "2019-04-27T15:30+02:00", "2016-12-31T23:59:60.250Z"];
        self.pick(&dates).parse().unwrap()
    }

    fn boolean(&mut self) -> bool {
        self.next(2) == 0
    }

    fn coding(&mut self) -> Coding {
        let mut coding = Coding::default();
        coding.system = self.maybe(Self::token);
        coding.version = self.maybe(Self::token);
        coding.code = self.maybe(Self::token);
        coding.display = self.maybe(Self::token);
        coding
    }

    fn concept(&mut self) -> Concept {
        let mut concept = Concept::default();
        concept.codings = self.some(Self::coding);
        concept.text = self.maybe(Self::token);
        concept
    }

    fn quantity(&mut self) -> Quantity {
        let mut quantity = Quantity::default();
        quantity.value = self.maybe(Self::token);
        quantity.comparator = self.maybe(Self::token);
        quantity.unit = self.maybe(Self::token);
        quantity.system = self.maybe(Self::token);
        quantity.code = self.maybe(Self::token);
        quantity
    }

    fn identifier(&mut self) -> Identifier {
        let mut identifier = Identifier::default();
        identifier.system = self.maybe(Self::token);
        identifier.value = self.maybe(Self::token);
        identifier.sort = self.maybe(Self::token);
        identifier
    }

    fn telecom(&mut self) -> Telecom {
        let mut telecom = Telecom::default();
        telecom.system = self.maybe(Self::token);
        telecom.value = self.maybe(Self::token);
        telecom.purpose = self.maybe(Self::token);
        telecom
    }

    fn party(&mut self) -> Party {
        let mut party = Party::default();
        party.name = self.maybe(Self::token);
        party.role = self.maybe(Self::token);
        party.reference = self.maybe(Self::token);
        party.identifiers = self.some(Self::identifier);
        party.contact = self.some(Self::telecom);
        party
    }

    fn name(&mut self) -> HumanName {
        let mut name = HumanName::default();
        name.purpose = self.maybe(Self::token);
        name.text = self.maybe(Self::token);
        name.family = self.maybe(Self::token);
        name.given = self.some(Self::token);
        name.prefix = self.some(Self::token);
        name.suffix = self.some(Self::token);
        name
    }

    fn address(&mut self) -> Address {
        let mut address = Address::default();
        address.purpose = self.maybe(Self::token);
        address.text = self.maybe(Self::token);
        address.lines = self.some(Self::token);
        address.city = self.maybe(Self::token);
        address.district = self.maybe(Self::token);
        address.state = self.maybe(Self::token);
        address.postal_code = self.maybe(Self::token);
        address.country = self.maybe(Self::token);
        address
    }

    fn attachment(&mut self) -> Attachment {
        let mut attachment = Attachment::default();
        attachment.content_type = self.maybe(Self::token);
        attachment.title = self.maybe(Self::token);
        attachment.created = self.maybe(Self::date);
        attachment.size = self.maybe(|make| make.pick(&[0, 1, u64::MAX]));
        attachment.location = self.maybe(|make| match make.next(4) {
            0 => Location::Inline(make.text().into_bytes()),
            1 => Location::InSource(make.token()),
            2 => Location::External(make.token()),
            _ => Location::Stored(subrosa::vault::ContentDigest::from_bytes([0xa7; 32])),
        });
        attachment
    }

    fn component(&mut self) -> Component {
        let mut component = Component::default();
        component.code = self.concept();
        component.value = self.maybe(|make| match make.next(5) {
            0 => Scalar::Concept(make.concept()),
            1 => Scalar::Quantity(make.quantity()),
            2 => Scalar::Date(make.date()),
            3 => Scalar::Text(make.narrative()),
            _ => Scalar::Boolean(make.boolean()),
        });
        component
    }

    fn value(&mut self, field_type: FieldType) -> Value {
        match field_type {
            FieldType::Concept => Value::Concept(self.concept()),
            FieldType::Date => Value::Date(self.date()),
            FieldType::Token => Value::Token(self.token()),
            FieldType::Narrative => Value::Narrative(self.narrative()),
            FieldType::Quantity => Value::Quantity(self.quantity()),
            FieldType::Boolean => Value::Boolean(self.boolean()),
            FieldType::Party => Value::Party(self.party()),
            FieldType::Name => Value::Name(self.name()),
            FieldType::Address => Value::Address(self.address()),
            FieldType::Telecom => Value::Telecom(self.telecom()),
            FieldType::Identifier => Value::Identifier(self.identifier()),
            FieldType::Attachment => Value::Attachment(self.attachment()),
            FieldType::Component => Value::Component(self.component()),
            other => panic!("make values of {other:?} too"),
        }
    }

    /// A record with nearly every field of its kind.
    fn record(&mut self, kind: Kind) -> Record {
        let mut fields = Vec::new();
        for field in kind.schema() {
            let count = if field.repeats { self.next(3) } else { self.next(4).min(1) };
            for index in 0..u16::try_from(count).unwrap() {
                fields.push((field.tag, index, self.value(field.field_type)));
            }
        }
        Record::from_fields(kind, fields).unwrap()
    }

    fn marks(&mut self) -> Marks {
        let mut marks = Marks::default();
        marks.retracted = self.boolean();
        marks.expires = self.maybe(Self::date);
        marks.legal_holds = self.some(|make| LegalHold::new(make.narrative(), make.maybe(Self::date)));
        marks.disputes = self.some(|make| EntryId::from_bytes([make.pick(&[0, 0x5a, 0xff]); 16]));
        marks.same_person = self.boolean();
        marks
    }

    fn entry(&mut self, kind: Kind) -> Entry {
        let mut provenance = Provenance::default();
        provenance.provider = self.maybe(Self::party);
        provenance.document = self.maybe(Self::token);
        provenance.recorded = self.maybe(Self::date);
        provenance.origin = self.pick(&[
            Origin::Imported,
            Origin::EnteredByOwner,
            Origin::EnteredByProvider,
            Origin::ImportedAndChanged,
        ]);
        provenance.identity = self.maybe(Self::token);
        provenance.address = self.maybe(Self::token);
        provenance.labels = self.some(Self::coding);
        let mut entry = Entry::new(self.record(kind), provenance);
        entry.not_understood = self.some(Self::token);
        entry.source = self.maybe(|make| {
            use FhirVersion::{Dstu2, R4, R4B, R5, Stu3};
            let version = make.pick(&[Dstu2, Stu3, R4, R4B, R5]);
            let format = make.pick(&[
                SourceFormat::FhirJson(version),
                SourceFormat::CdaXml,
                SourceFormat::FhirXml(version),
            ]);
            let mut source = Source::new(format, make.text().into_bytes());
            source.files = make.some(|make| SourceFile::new(make.token(), make.text().into_bytes()));
            source
        });
        entry.marks = self.marks();
        entry
    }
}

fn entry(seed: u64) -> Entry {
    let mut make = Maker(seed);
    let kind = make.pick(Kind::all());
    make.entry(kind)
}

/// That an entry reads back the same from a text and from a tree, alone or in parts.
fn assert_reads_back(entry: &Entry) {
    let text = serde_json::to_string(entry).unwrap();
    assert!(serde_json::from_str::<Entry>(&text).unwrap() == *entry, "{}", entry.kind());
    let tree = serde_json::to_value(entry).unwrap();
    assert_eq!(tree["record"]["kind"], entry.kind().name());
    assert!(serde_json::from_value::<Entry>(tree).unwrap() == *entry, "{}", entry.kind());
}

proptest! {
    #[test]
    fn an_entry_of_every_kind_reads_back_the_same(seed in any::<u64>()) {
        for kind in Kind::all() {
            assert_reads_back(&Maker(seed).entry(*kind));
        }
    }

    #[test]
    fn every_value_reads_back_the_same(seed in any::<u64>()) {
        for field in entry(seed).record.fields() {
            let text = serde_json::to_string(&field.value).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&text).unwrap() == field.value);
        }
    }
}

#[test]
fn the_entries_of_real_files_read_back_the_same() {
    let mut count = 0;
    for folder in ["fhir-bundles", "fhir-ips", "fhir-r4-examples", "fhir-us-behavioral-health/json"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
        let Ok(files) = fs::read_dir(&folder) else {
            println!("SKIPPED: ../shared/data is absent");
            return;
        };
        let files = files.map(|file| file.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            let mut import = Import::new(ImportOptions::default());
            import.read(Some("input"), fs::File::open(&file).unwrap()).unwrap();
            let Ok(imported) = import.finish() else { continue };
            for entry in imported.entries.iter().flat_map(|one| one.earlier.iter().chain([&one.entry])) {
                assert_reads_back(entry);
                count += 1;
            }
        }
    }
    assert!(count > 1000, "only {count} entries were read");
}

fn sample() -> Json {
    json!({
        "record": {
            "kind": "diagnosis",
            "code": { "codings": [{ "system": "http://snomed.info/sct", "code": "195967001" }] },
            "onset": "1998-04",
            "notes": ["uses a spacer"],
        },
        "provenance": { "origin": "entered-by-owner" },
        "marks": { "retracted": false, "same_person": false },
    })
}

fn refusal(json: &Json) -> String {
    let from_tree = serde_json::from_value::<Entry>(json.clone()).expect_err("it is refused").to_string();
    let from_text = serde_json::from_str::<Entry>(&json.to_string()).expect_err("it is refused").to_string();
    assert!(from_text.starts_with(&from_tree), "{from_text}");
    from_tree
}

/// The sample with another value at a place.
fn with(pointer: &str, value: Json) -> Json {
    let mut json = sample();
    *json.pointer_mut(pointer).unwrap() = value;
    json
}

#[test]
fn what_may_be_left_out_is_what_may_be_missing() {
    let entry: Entry = serde_json::from_value(sample()).unwrap();
    assert_eq!(serde_json::to_value(&entry).unwrap(), sample(), "nothing empty is written");
    assert_eq!(serde_json::from_value::<Entry>(with("/record/onset", Json::Null)).unwrap().dates(), None);
    for (place, name) in [("", "marks"), ("", "provenance"), ("", "record"), ("/provenance", "origin")] {
        let mut json = sample();
        json.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
        assert!(refusal(&json).ends_with(&format!("{name} is missing")), "{name}");
    }
    for mark in ["retracted", "same_person"] {
        let mut json = sample();
        json["marks"].as_object_mut().unwrap().remove(mark);
        assert_eq!(refusal(&json), format!("marks: {mark} is missing"));
    }
}

#[test]
fn what_a_type_does_not_take_is_refused_and_never_repeated() {
    let long = "a".repeat(Token::LIMIT + 1);
    for (pointer, value, said) in [
        ("/record/onset", json!("canary"), "record.onset: not a date"),
        ("/record/onset", json!(1998), "record.onset: expected a text, found a number"),
        ("/record/onset", json!(["canary"]), "record.onset: expected a text, found a list"),
        ("/record/notes", json!("canary"), "record.notes: expected a list, found a text"),
        ("/record/notes", Json::Null, "record.notes: expected a list, found null"),
        ("/record/notes/0", json!(""), "record.notes[0]: the text is empty"),
        ("/record/code/codings/0/code", json!(long), "record.code.codings[0].code: the text is longer"),
        ("/record/code", json!("canary"), "record.code: expected an object, found a text"),
        ("/record/kind", json!("canary"), "record.kind: expected one of: diagnosis, treatment"),
        ("/record", json!("canary"), "record: expected an object, found a text"),
        ("/provenance/origin", json!("canary"), "provenance.origin: expected one of: imported"),
        ("/marks/retracted", json!("canary"), "marks.retracted: expected true or false, found a text"),
        ("/marks/retracted", Json::Null, "marks.retracted: expected true or false, found null"),
    ] {
        let refusal = refusal(&with(pointer, value));
        assert!(refusal.starts_with(said) && !refusal.contains("canary"), "{refusal}");
    }
    for place in ["", "/record", "/record/code", "/record/code/codings/0", "/provenance", "/marks"] {
        let mut json = sample();
        json.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("canary".into(), json!("canary"));
        let refusal = refusal(&json);
        assert!(refusal.contains("a member that is not known") && !refusal.contains("canary"), "{refusal}");
    }
}

#[test]
fn what_negates_cannot_be_lost_by_a_misspelt_name() {
    let json = json!({ "kind": "medication", "doNotPerform": true });
    let refusal = serde_json::from_value::<Record>(json).err().unwrap().to_string();
    assert!(refusal.contains("not known") && refusal.contains("do_not_perform"), "{refusal}");
}

#[test]
fn a_member_twice_or_a_tower_of_lists_is_refused() {
    let twice = sample().to_string().replacen("\"onset\"", "\"onset\":\"2001\",\"onset\"", 1);
    assert!(serde_json::from_str::<Entry>(&twice).err().unwrap().to_string().contains("twice"));
    let tower = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let error = serde_json::from_str::<Entry>(&tower).err().unwrap().to_string();
    assert!(error.contains("nested deeper"), "{error}");
}

#[test]
fn a_kind_alone_has_no_name_of_its_kind() {
    let mut diagnosis = Diagnosis::default();
    diagnosis.onset = "1998-04".parse().ok();
    let json = serde_json::to_value(&diagnosis).unwrap();
    assert_eq!(json, json!({ "onset": "1998-04" }));
    assert!(serde_json::from_value::<Diagnosis>(json).unwrap() == diagnosis);
    assert!(serde_json::from_value::<Record>(json!({ "onset": "1998-04" })).is_err());
}

#[test]
fn identifiers_and_epochs_read_back() {
    let id = EntryId::from_bytes([0xab; 16]);
    assert_eq!(serde_json::to_value(id).unwrap(), json!("ab".repeat(16)));
    assert_eq!(serde_json::from_value::<EntryId>(json!("ab".repeat(16))).unwrap(), id);
    assert!(!serde_json::from_value::<EntryId>(json!("canary")).unwrap_err().to_string().contains("canary"));
    assert_eq!(serde_json::from_value::<Epoch>(json!(7)).unwrap(), Epoch::new(7));
    assert!(serde_json::from_value::<Epoch>(json!(-7)).is_err());
}

#[test]
fn the_sample_of_the_document_is_an_entry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let document = fs::read_to_string(path).unwrap();
    let sample = document.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let entry: Entry = serde_json::from_str(sample).unwrap();
    assert_eq!(entry.display().as_deref(), Some("Asthma"));
    assert_eq!(entry.source.as_ref().unwrap().bytes, br#"{"resourceType":"Condition"}"#);
    let sample: Json = serde_json::from_str(sample).unwrap();
    assert_eq!(serde_json::to_value(&entry).unwrap(), sample, "it is written as it stands there");
}

/// A vault in which something happened, and the entry that is left.
fn vault() -> (tempfile::TempDir, Vault, EntryId) {
    let folder = tempfile::tempdir().unwrap();
    let key = Credential::from(RawKey::generate().unwrap());
    let path = folder.path().join("record.vault");
    let vault = Vault::create(&path, &NewVault::individual(&key), VaultOptions::default()).unwrap();
    let mut diagnosis = Diagnosis::default();
    diagnosis.code = Some(Concept::from_text(Token::new("Asthma").unwrap()));
    diagnosis.onset = "1998-04".parse().ok();
    let entry = Entry::new(diagnosis, Provenance::default());
    let id = vault.update(&Actor::owner(), |tx| tx.add(&entry)).unwrap().value;
    (folder, vault, id)
}

#[test]
fn lists_and_the_ledger_read_as_words_and_times() {
    let (_folder, vault, id) = vault();
    let listed = serde_json::to_value(vault.list(&Filter::all()).unwrap()).unwrap();
    assert_eq!(
        listed,
        json!([{
            "id": id.to_string(),
            "revision": 1,
            "compartment": "general",
            "card": {
                "kind": "diagnosis",
                "dates": { "start": "1998-04" },
                "coding": { "display": "Asthma" },
                "flags": {
                    "retracted": false, "legal_hold": false, "disputed": false, "attachment": false,
                    "more_codings": false, "expires": false, "not_understood": false, "elsewhere": false, "changed": false,
                },
                "complete": true,
            },
        }])
    );
    let ledger = vault.ledger().unwrap();
    let line = serde_json::to_value(ledger.last().unwrap()).unwrap();
    assert_eq!(
        (
            &line["epoch"],
            &line["action"],
            &line["actor"],
            &line["reason"],
            &line["entries"],
            &line["details"]
        ),
        (
            &json!(ledger.last().unwrap().epoch.number()),
            &json!("added"),
            &json!(Actor::owner().name()),
            &Json::Null,
            &json!([id.to_string()]),
            &json!([])
        )
    );
    let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(time, jiff::Timestamp::try_from(ledger.last().unwrap().time).unwrap());
    let history = serde_json::to_value(vault.history(id).unwrap()).unwrap();
    assert_eq!((&history[0]["action"], &history[0]["actor"]), (&line["action"], &line["actor"]));
}

#[test]
fn reports_are_written_with_ids_words_and_reasons() {
    let (folder, vault, id) = vault();
    let checkpoint = vault.checkpoint().unwrap();
    let written = serde_json::to_value(checkpoint).unwrap();
    assert_eq!(written, json!(checkpoint.to_string()));
    assert_eq!(serde_json::from_value::<Checkpoint>(written).unwrap(), checkpoint);
    let backup = vault.backup(&Actor::owner(), folder.path().join("copy.vault"), "copy").unwrap();
    assert_eq!(serde_json::to_value(&backup).unwrap()["entries"], 1);
    let check = serde_json::to_value(vault.check().unwrap()).unwrap();
    assert_eq!((&check["entries"], &check["findings"]), (&json!(1), &json!([])));
    let written = vault.epoch().number();
    let segments = json!({ "whole": written, "changed": 0, "changed_in": [], "unknown": 0 });
    assert_eq!(check["segments"], segments);
    let gone = vault.expunge(&Actor::owner(), &[id], "as asked").unwrap();
    let erasure = serde_json::to_value(gone).unwrap();
    assert_eq!(erasure["entries"], json!([id.to_string()]));
    assert_eq!(erasure["vault"], json!({ "coverage": "proven" }));
    assert_eq!(erasure["backups"][0]["name"], "copy");
    assert_eq!((&erasure["accounts"], &erasure["handed_out"]), (&json!([]), &json!([])));
    let access = serde_json::to_value(vault.access().unwrap()).unwrap();
    assert_eq!((&access[0]["kind"], &access[0]["grant"][0]), (&json!("raw-key"), &json!("record")));
    let key: Json = serde_json::from_str(&vault.public_key().unwrap().to_jwk()).unwrap();
    assert_eq!(access[0]["public_key"], key);
}

#[test]
fn a_preview_and_a_verified_excerpt_are_written_in_the_words_of_the_page() {
    let (_folder, vault, id) = vault();
    let mut patient = Patient::default();
    let mut name = HumanName::default();
    name.text = Token::new("Ada\u{202e} Byron").ok();
    patient.names.push(name);
    vault.update(&Actor::owner(), |tx| tx.add(&Entry::new(patient.clone(), Provenance::default()))).unwrap();
    let policy = Policy::everything_of([Kind::Diagnosis]).for_audience(Audience::Patient);
    let view = vault.preview(&policy).unwrap();
    let written = serde_json::to_value(&view).unwrap();
    let name = written["subject"]["name"].as_str().unwrap();
    assert!(name.contains("Byron") && !name.contains('\u{202e}'), "{name}");
    assert_eq!(written["released"][0]["id"], json!(id.to_string()));
    let shown = serde_json::to_value(view.released()[0].shown()).unwrap();
    assert_eq!(written["released"][0]["shown"], shown);
    let request = ReleaseRequest::new("Dr. Lee", "a visit", policy).unwrap();
    let file = vault.release(&Actor::owner(), &request).unwrap().to_json();
    let verified = UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
    let verified = verified.verify(&TrustedKeys::none(), std::time::SystemTime::now()).unwrap();
    let written = serde_json::to_value(&verified).unwrap();
    assert_eq!(written["recipient"], "Dr. Lee");
    assert_eq!(written["outcome"], verified.outcome().name());
    assert_eq!(written["entries"][0]["shown"]["heading"], shown["heading"]);
    assert!(!written.to_string().contains('\u{202e}'));
}

#[test]
fn a_reader_that_keeps_every_digit_reads_the_same() {
    use serde::de::value::{Error, MapDeserializer};
    let number =
        |digits| MapDeserializer::<_, Error>::new([("$serde_json::private::Number", digits)].into_iter());
    let epoch = |digits| <Epoch as serde::Deserialize>::deserialize(number(digits));
    assert_eq!(epoch("7").unwrap(), Epoch::new(7));
    for digits in ["7.5", "-7", "canary"] {
        assert!(!epoch(digits).unwrap_err().to_string().contains(digits));
    }
}

fn a_policy() -> Policy {
    let id = |byte| EntryId::from_bytes([byte; 16]);
    Policy::everything_of([Kind::Diagnosis, Kind::Observation])
        .with_code(CodeFilter::exact("http://loinc.org|odd", "8867-4*"))
        .with_code("F33*".parse().unwrap())
        .and_entry(id(7))
        .since("2019-04".parse().unwrap())
        .mask("onset", Mask::Year)
        .unwrap()
        .mask("notes", Mask::Withhold)
        .unwrap()
        .include("severity")
        .unwrap()
        .for_audience(Audience::Treatment)
        .with_bars()
        .with_not_understood_of(id(8))
        .with_words_withheld_of(id(9))
        .dates_as_years()
}

#[test]
fn a_policy_reads_back_the_same() {
    let of_kinds = |kinds: &[Kind]| Policy::everything_of(kinds.iter().copied());
    let all =
        [a_policy(), Policy::nothing(), of_kinds(Kind::all()).with_not_understood().with_words_withheld()];
    for policy in all {
        let written = serde_json::to_string(&policy).unwrap();
        assert!(serde_json::from_str::<Policy>(&written).unwrap() == policy, "{written}");
    }
    let written = serde_json::to_value(a_policy()).unwrap();
    assert_eq!(written["version"], 1);
    assert_eq!(written["masks"], json!({ "notes": "withhold", "onset": "year", "severity": "keep" }));
    assert_eq!(written["codes"][0]["prefix"], false);
}

#[test]
fn no_part_of_a_policy_can_get_lost_and_none_is_passed_over() {
    let written = serde_json::to_value(a_policy()).unwrap();
    let refused = |value: &serde_json::Value| {
        serde_json::from_value::<Policy>(value.clone()).err().map(|e| e.to_string())
    };
    assert_eq!(refused(&written), None);
    for name in written.as_object().unwrap().keys() {
        let mut without = written.clone();
        without.as_object_mut().unwrap().remove(name);
        let fault = refused(&without).unwrap_or_else(|| panic!("{name} may be missing"));
        assert!(fault.contains("is missing"), "{fault}");
    }
    for (name, wrong) in [
        ("canary", json!(true)),
        ("version", json!(2)),
        ("audience", json!("canary")),
        ("kinds", json!(["canary"])),
        ("codes", json!(["http://loinc.org|1"])),
        ("codes", json!([{ "system": null, "code": "", "prefix": false }])),
        ("codes", json!([{ "system": null, "code": "1", "prefix": false, "canary": 1 }])),
        ("since", json!("canary")),
        ("masks", json!({ "canary": "withhold" })),
        ("masks", json!({ "onset": "canary" })),
        ("masks", json!({ "severity": "year" })),
        ("masks", json!({ "source": "keep", "onset": "withhold" })),
        ("bars", json!(null)),
    ] {
        let mut changed = written.clone();
        changed[name] = wrong;
        let fault = refused(&changed).unwrap_or_else(|| panic!("{name}: {}", changed[name]));
        assert!(!fault.contains("canary"), "{fault}");
    }
    let twice = written.to_string().replacen('{', "{\"bars\":false,", 1);
    assert!(serde_json::from_str::<Policy>(&twice).is_err());
}
