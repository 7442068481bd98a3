use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::part::Part;
use super::read::CdaDocument;
use super::*;
use crate::codec::xml::{El, Inside, parse, to_text};
use crate::interop::finding::FindingReason;
use crate::record::{Entry, Kind, Record, Token};

const SAMPLE: &str = include_str!("../../../examples/sample/summary.xml");

/// The documents of the corpus. It is no part of this repository.
fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("NOT RUN: there are no documents in {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn entries(document: &CdaDocument) -> Vec<&Entry> {
    document.parts.iter().map(|part| &part.prepared.entry).collect()
}

/// The part that has this text in its identity.
fn part<'d>(document: &'d CdaDocument, name: &str) -> &'d Part {
    let mut found = document.parts.iter().filter(|part| part.identity.contains(name));
    let part = found.next().unwrap_or_else(|| panic!("{name}"));
    assert!(found.next().is_none(), "{name} twice");
    part
}

fn original(part: &Part) -> String {
    let source = part.prepared.entry.source.as_ref().unwrap();
    let all = [&source.bytes].into_iter().chain(source.files.iter().map(|file| &file.bytes));
    all.map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect()
}

/// The sample with another text in its place.
fn changed(from: &str, to: &str) -> CdaDocument {
    assert_eq!(SAMPLE.matches(from).count(), 1, "{from}");
    read(&SAMPLE.replace(from, to)).unwrap()
}

fn not_understood(part: &Part) -> Vec<&str> {
    part.prepared.entry.not_understood.iter().map(Token::as_str).collect()
}

#[test]
fn the_sample_is_read_as_it_says() {
    let document = read(SAMPLE).unwrap();
    let titles: Vec<(Kind, String)> =
        entries(&document).iter().map(|entry| (entry.kind(), entry.display().unwrap_or_default())).collect();
    let titles: Vec<(Kind, &str)> = titles.iter().map(|(kind, title)| (*kind, title.as_str())).collect();
    assert_eq!(
        titles,
        [
            (Kind::Patient, "Wren Ade Halloran"),
            (Kind::Hospitalization, "inpatient encounter"),
            (Kind::Note, "Summarization of Episode Note"),
            (Kind::Diagnosis, "Generalized anxiety disorder"),
            (Kind::Diagnosis, "Acute stress reaction"),
            (Kind::Diagnosis, "RULED OUT: Bipolar disorder"),
            (Kind::Note, "Problem list"),
            (Kind::Medication, "sertraline 25 MG Oral Tablet"),
            (Kind::Allergy, "penicillin G"),
            (Kind::SubstanceUse, "NEVER: Tobacco smoking status"),
            (Kind::Observation, "Heart rate"),
            (Kind::Observation, "Body weight"),
            (Kind::Other, "PLANNED ONLY: Follow-up encounter"),
            (Kind::Note, "Hospital course"),
        ]
    );
    for entry in entries(&document) {
        let from = &entry.provenance;
        assert_eq!(from.document.as_ref().unwrap().as_str(), document.name);
        assert_eq!(from.labels[0].code.as_ref().unwrap().as_str(), "R");
        let provider = from.provider.as_ref().unwrap().name.as_ref().unwrap();
        assert_eq!(provider.as_str(), "Ifeoma Okafor, Riverside Behavioral Health Center");
        assert!(entry.not_understood.is_empty(), "{:?}", entry.display());
    }
}

#[test]
fn an_entry_has_its_own_bytes_and_those_of_no_other() {
    let document = read(SAMPLE).unwrap();
    let (anxiety, stress) = (original(part(&document, "problem-1")), original(part(&document, "problem-2")));
    assert!(anxiety.contains("March 2019") && anxiety.contains("F41.1") && anxiety.contains("concern-1"));
    assert!(!anxiety.contains("stress") && !anxiety.contains("problem-2"));
    assert!(stress.contains("concern-1") && !stress.contains("anxiety") && !stress.contains("F41.1"));
    let note = original(part(&document, "section problems"));
    assert!(note.contains("her sister tells"));
    assert!(!note.contains("anxiety") && !note.contains("stress") && !note.contains("Bipolar"));
    for bytes in [&anxiety, &stress] {
        // What remains around an entry is XML by itself.
        let own = bytes.split("</entry>").next().unwrap().to_owned() + "</entry>";
        assert!(parse(&own.replace("xsi:type", "type")).is_ok());
    }
    let pulse = original(part(&document, "pulse-1"));
    assert!(pulse.contains("vitals-1") && !pulse.contains("kg"));
}

#[test]
fn what_a_social_history_says_beside_substances_is_kept_with_them() {
    let document = read(SAMPLE).unwrap();
    let smoking = part(&document, "smoking-1");
    assert!(original(smoking).contains("glasses of wine"));
    assert!(smoking.prepared.entry.text_matches("glasses of wine"));
    assert!(!document.parts.iter().any(|part| part.identity.contains("section socialHistory")));
}

#[test]
fn what_is_denied_or_only_planned_is_no_fact() {
    let is = |from: &str, to: &str, name: &str, title: &str| {
        let document = changed(from, to);
        let found = part(&document, name);
        assert_eq!(found.prepared.entry.display().as_deref(), Some(title), "{to}");
        not_understood(found).iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()
    };
    let medicine = "<substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\">";
    let negated = medicine.replace("EVN\"", "EVN\" negationInd=\"true\"");
    is(medicine, &negated, "medicine-1", "NOT TAKEN: sertraline 25 MG Oral Tablet");
    let pulse = "<component><observation classCode=\"OBS\" moodCode=\"EVN\">\n                <id root=\"2.999.7.9\" extension=\"pulse-1\"/>";
    let negated = pulse.replace("EVN\"", "EVN\" negationInd=\"true\"");
    assert_eq!(
        is(pulse, &negated, "pulse-1", "NOT DONE: Heart rate"),
        ["vitalSigns.organizer.component.observation"]
    );
    let concern = "<act classCode=\"ACT\" moodCode=\"EVN\">\n              <templateId";
    let negated = concern.replace("EVN\"", "EVN\" negationInd=\"true\"");
    let marks = is(concern, &negated, "problem-1", "Generalized anxiety disorder");
    assert_eq!(marks, ["problems.act"], "a holder that is denied");
    let goal = "<encounter classCode=\"ENC\" moodCode=\"INT\">";
    is(goal, "<encounter classCode=\"ENC\" moodCode=\"RQO\">", "plan-1", "ORDERED: Follow-up encounter");
    assert_eq!(
        is(
            goal,
            "<encounter classCode=\"ENC\" moodCode=\"XYZ\">",
            "plan-1",
            "PLANNED ONLY: Follow-up encounter"
        )
        .len(),
        1
    );
}

#[test]
fn a_status_says_no_more_than_its_source() {
    let status = |document: &CdaDocument, name: &str| match &part(document, name).prepared.entry.record {
        Record::Diagnosis(diagnosis) => diagnosis.clinical_status.clone().map(Token::into_string),
        Record::Medication(medication) => medication.status.clone().map(Token::into_string),
        _ => None,
    };
    let sample = read(SAMPLE).unwrap();
    assert_eq!(status(&sample, "problem-1").as_deref(), Some("active"));
    assert_eq!(status(&sample, "problem-2").as_deref(), Some("resolved"));
    let concern = "<statusCode code=\"active\"/>\n              <entryRelationship typeCode=\"SUBJ\">\n                <observation classCode=\"OBS\" moodCode=\"EVN\">\n                  <id root=\"2.999.7.5\"";
    let over = changed(concern, &concern.replace("active", "completed"));
    assert_eq!(status(&over, "problem-1"), None, "nobody follows it any more; that it is over, nobody says");
    assert_eq!(not_understood(part(&over, "problem-1")), ["problems.act.statusCode"]);
    assert_eq!(status(&over, "problem-2").as_deref(), Some("resolved"));
    let taken = "<statusCode code=\"active\"/>\n              <effectiveTime xsi:type=\"IVL_TS\"><low value=\"20190402\"/>";
    let with = |status: &str, end: &str| changed(taken, &(taken.replace("active", status) + end));
    assert_eq!(status(&with("completed", ""), "medicine-1"), None);
    assert_eq!(
        status(&with("completed", "<high value=\"2023\"/>"), "medicine-1").as_deref(),
        Some("completed")
    );
    assert_eq!(status(&with("completed", "<high value=\"2029\"/>"), "medicine-1"), None);
    assert_eq!(status(&with("aborted", ""), "medicine-1").as_deref(), Some("stopped"));
    assert_eq!(
        not_understood(part(&with("perhaps", ""), "medicine-1")),
        ["medications.substanceAdministration.statusCode"]
    );
    assert_eq!(not_understood(part(&with("active", "<high value=\"soon\"/>"), "medicine-1")).len(), 1);
}

#[test]
fn what_changes_the_meaning_and_is_not_known_marks_the_entry() {
    let value = "<value xsi:type=\"CD\" code=\"67195008\"";
    let cases = [
        (
            value,
            "<targetSiteCode code=\"1\"><qualifier><name code=\"2\"/></qualifier></targetSiteCode>",
            "problem-2",
        ),
        (value, "<subject><relatedSubject><code code=\"MTH\"/></relatedSubject></subject>", "problem-2"),
        (value, "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/>", "problem-2"),
        ("<value xsi:type=\"PQ\" value=\"71\"", "<value xsi:type=\"PQ\" value=\"72\"/>", "pulse-1"),
    ];
    for (before, put, name) in cases {
        let document = changed(before, &format!("{put}{before}"));
        assert_eq!(not_understood(part(&document, name)).len(), 1, "{put}");
    }
}

#[test]
fn what_is_encrypted_or_not_known_is_kept_and_named() {
    let put =
        |what: &str| changed("<title>Plan</title>", &format!("<title>Plan</title><entry>{what}</entry>"));
    for (what, reason) in [
        (
            "<e:EncryptedData xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"><e:X/></e:EncryptedData>",
            FindingReason::Encrypted,
        ),
        ("<surprise code=\"1\"/>", FindingReason::KeptRaw),
        ("<act classCode=\"ACT\" moodCode=\"EVN\"><code code=\"1\"/></act>", FindingReason::KeptRaw),
    ] {
        let document = put(what);
        let raw: Vec<&Part> = document.parts.iter().filter(|part| part.prepared.kept_raw).collect();
        assert_eq!(raw.len(), 1, "{what}");
        assert!(original(raw[0]).contains(what));
        assert!(raw[0].prepared.findings.keys().any(|(_, found)| *found == reason), "{what}");
    }
}

#[test]
fn hostile_documents_are_refused_or_read_in_time() {
    let body = |section: &str| {
        let start = SAMPLE.find("<structuredBody>").unwrap() + 16;
        let end = SAMPLE.find("</structuredBody>").unwrap();
        format!("{}<component><section>{section}</section></component>{}", &SAMPLE[..start], &SAMPLE[end..])
    };
    let observation = "<observation classCode='OBS' moodCode='EVN'><code code='1'/><text><reference value='#a'/></text></observation>";
    let many_refer = format!(
        "<text><paragraph ID='a'>{}</paragraph></text>{}",
        "x ".repeat(100_000),
        format!("<entry>{observation}</entry>").repeat(5_000)
    );
    let panel = |count: usize, around: &str| {
        format!(
            "<entry><organizer>{around}{}</organizer></entry>",
            format!("<component>{observation}</component>").repeat(count)
        )
    };
    let cases = [
        body(&many_refer),
        body(&panel(900, &"<id root='1'/>".repeat(20_000))),
        body(&panel(40_000, "")),
        body(&format!(
            "<text>{}</text><entry>{observation}</entry>",
            "<paragraph>1 of them</paragraph>".repeat(50_000)
        )),
    ];
    for case in cases {
        let start = std::time::Instant::now();
        let document = read(&case).unwrap();
        let size: usize = document
            .parts
            .iter()
            .map(|part| part.ranges.iter().map(std::ops::Range::len).sum::<usize>())
            .sum();
        assert!(size <= 3 * case.len() + (1 << 20), "{size} bytes of {}", case.len());
        // A build without optimisation on a busy machine.
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }
}

/// Whether what an element says is in some part, by the byte at which it begins.
struct Covered(Vec<bool>);

impl Covered {
    fn of(text: &str, document: &CdaDocument) -> Self {
        let mut covered = vec![false; text.len()];
        for part in &document.parts {
            for range in &part.ranges {
                covered[range.clone()].fill(true);
            }
            let source = part.prepared.entry.source.as_ref().unwrap();
            let bytes: usize =
                source.bytes.len() + source.files.iter().map(|file| file.bytes.len()).sum::<usize>();
            assert_eq!(
                bytes,
                part.ranges.iter().map(std::ops::Range::len).sum::<usize>(),
                "ranges are the bytes"
            );
        }
        Self(covered)
    }

    fn has(&self, element: El<'_>) -> bool {
        self.0[element.span().start]
    }
}

/// Counts what is in no part: elements by name, and sections without a note.
fn uncovered(text: &str, document: &CdaDocument) -> (BTreeMap<String, usize>, usize) {
    let covered = Covered::of(text, document);
    let tree = parse(text).unwrap();
    let (mut missing, mut bare) = (BTreeMap::new(), 0);
    let mut open = vec![(tree.root(), false)];
    while let Some((element, is_bare)) = open.pop() {
        let is_section = element.is("section");
        let is_bare = if is_section { !covered.has(element) } else { is_bare };
        bare += usize::from(is_section && is_bare);
        let is_frame = matches!(element.name(), "structuredBody" | "component" | "entry" | "section");
        // Of a section that says no more than its entries, head and table headings are left out.
        let is_heading = is_bare && !within(element, &["entry"]) && !says_a_fact(element);
        if !covered.has(element) && !is_frame && !is_heading {
            *missing.entry(element.name().to_owned()).or_default() += 1;
        }
        open.extend(element.elements().map(|inner| (inner, is_bare)));
    }
    (missing, bare)
}

fn within(element: El<'_>, names: &[&str]) -> bool {
    let mut at = Some(element);
    while let Some(element) = at {
        if names.contains(&element.name()) {
            return true;
        }
        if element.is("section") {
            return false;
        }
        at = element.parent();
    }
    false
}

/// Whether an element of narrative says something itself that is no heading.
fn says_a_fact(element: El<'_>) -> bool {
    let says =
        element.inside().any(|inside| matches!(inside, Inside::Words(words) if !words.trim().is_empty()));
    says && within(element, &["text"]) && !within(element, &["thead", "caption", "th"])
}

#[test]
fn every_element_of_every_document_is_in_an_entry_or_named() {
    let mut seen = 0;
    for path in corpus("ccda").into_iter().chain(corpus("ccda-bad")).chain([PathBuf::new()]) {
        let text = match path.as_os_str().is_empty() {
            true => SAMPLE.to_owned(),
            false => to_text(std::fs::read(&path).unwrap()).unwrap().0,
        };
        let document = match read(&text) {
            Ok(document) => document,
            Err(error) => {
                assert!(
                    matches!(error, crate::interop::options::ImportError::Encrypted),
                    "{path:?}: {error}"
                );
                continue;
            }
        };
        let (missing, bare) = uncovered(&text, &document);
        assert!(missing.is_empty(), "{path:?}: {missing:?}");
        let named: usize = document
            .findings
            .iter()
            .filter(|((_, reason), _)| *reason == FindingReason::HeadingsOnly)
            .map(|(_, count)| count)
            .sum();
        assert_eq!(bare, named, "{path:?}");
        let patients = document.parts.iter().filter(|part| matches!(part.role, Role::Patient(_))).count();
        assert_eq!(patients, text.matches("<recordTarget").count(), "{path:?}");
        seen += document.parts.len();
    }
    assert!(seen > 0);
}

#[test]
fn sections_that_stand_alone_are_no_documents() {
    for path in corpus("ccda-sections") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(read(&text).is_err(), "{path:?}");
    }
}

#[test]
fn the_document_on_imports_lists_what_is_mapped() {
    let written = include_str!("../../../docs/import.md");
    let rows = |heading: &str| -> Vec<(&str, &str)> {
        let section = written.split_once(heading).unwrap().1.split("\n#").next().unwrap();
        let rows =
            section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
        rows.skip(1).collect()
    };
    let sections: Vec<(&str, String)> =
        section::SECTIONS.iter().map(|(word, codes)| (*word, codes.join(", "))).collect();
    let listed: Vec<(&str, String)> =
        rows("### Sections").into_iter().map(|(word, codes)| (word, codes.to_owned())).collect();
    assert_eq!(listed, sections);
    assert_eq!(rows("### Code systems"), values::SYSTEMS);
    let fields: Vec<&str> =
        rows("### Fields").into_iter().map(|(field, _)| field.trim_matches('`')).collect();
    for field in &fields {
        let (kind, name) = field.split_once('.').unwrap();
        let kind = Kind::all().iter().find(|known| known.name() == kind).unwrap_or_else(|| panic!("{field}"));
        assert!(kind.schema().iter().any(|known| known.name == name), "{field} is no field");
    }
    let texts = corpus("ccda").into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    for text in texts.chain([SAMPLE.to_owned()]) {
        for entry in entries(&read(&text).unwrap()) {
            for field in entry.record.clone().into_fields() {
                let field = format!("{}.{}", entry.kind().name(), field.name);
                assert!(fields.contains(&field.as_str()), "{field} is not listed");
            }
        }
    }
}
