//! What reading a C-CDA document costs in memory: what its entries hold, and 64 MiB. Many small
//! things cost more than that, so there are limits to them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use peak_alloc::PeakAlloc;
use subrosa::interop::{ImportError, XmlFault};
use subrosa::{Import, ImportOptions};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SAMPLE: &str = include_str!("../examples/sample/summary.xml");

/// The outcome of an import, and how many bytes it took above what is there.
fn measured(text: &str) -> (Result<usize, ImportError>, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut import = Import::new(ImportOptions::default());
    let outcome = match import.read(None, text.as_bytes()) {
        Ok(()) => import.finish().map(|imported| imported.entries.len()),
        Err(error) => Err(error),
    };
    (outcome, MEMORY.peak_usage() - before)
}

/// The sample with other sections.
fn with(body: &str) -> String {
    let (head, rest) = SAMPLE.split_once("<structuredBody>").unwrap();
    let (_, tail) = rest.split_once("</structuredBody>").unwrap();
    format!("{head}<structuredBody>{body}</structuredBody>{tail}")
}

/// One test: the allocator counts for all that run at once.
#[test]
fn a_document_costs_what_its_entries_hold_and_many_small_things_are_refused() {
    long_documents();
    many_small_things();
}

fn long_documents() {
    let section = |at: usize| {
        let entry = format!(
            "<entry><observation classCode='OBS' moodCode='EVN'><code code='{at}'/></observation></entry>"
        );
        format!(
            "<component><section><text>{at} {}</text>{entry}</section></component>",
            "words ".repeat(5000)
        )
    };
    let long = with(&(0..300).map(section).collect::<String>());
    let file = "QUJD".repeat(2_000_000);
    let file = SAMPLE.split_once("<structuredBody>").unwrap().0.to_owned()
        + &format!(
            "<nonXMLBody><text mediaType='text/plain' representation='B64'>{file}</text></nonXMLBody></component></ClinicalDocument>"
        );
    for text in [long, file] {
        let (outcome, peak) = measured(&text);
        assert!(outcome.is_ok(), "{outcome:?}");
        assert!(peak <= 5 * text.len() + (64 << 20), "{peak} for {}", text.len());
    }
}

fn many_small_things() {
    let entry = "<entry><observation classCode='OBS' moodCode='EVN'><code code='1'/></observation></entry>";
    let many = with(&format!("<component><section>{}</section></component>", entry.repeat(100_000)));
    let (outcome, peak) = measured(&many);
    assert!(matches!(outcome, Err(ImportError::TooManyResources { limit: 20_000 })), "{outcome:?}");
    assert!(peak <= 2 * many.len() + (64 << 20), "{peak} for {}", many.len());
    let many = with(&"<a/>".repeat(2_000_000));
    let (outcome, peak) = measured(&many);
    assert!(matches!(outcome, Err(ImportError::Xml(error)) if error.fault == XmlFault::TooMany));
    assert!(peak <= 2 * many.len() + (64 << 20), "{peak} for {}", many.len());
}
