//! Verifying an excerpt and printing it takes memory in proportion to the excerpt, and
//! less than four times as much; of a hostile one, no more than a budget beyond that.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::sync::Mutex;
use std::time::SystemTime;

use peak_alloc::PeakAlloc;
use subrosa::record::{Observation, Quantity};
use subrosa::{
    Actor, Concept, Entry, Kind, NewVault, Policy, Provenance, RawKey, ReleaseRequest, Token, TrustedKeys,
    UnverifiedExcerpt, Vault, VaultOptions,
};

#[path = "forging/forger.rs"]
mod forger;

use forger::{Forger, disclosure};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The file of an excerpt with this many results.
fn excerpt(entries: usize) -> Vec<u8> {
    let token = |text: &str| Token::new(text).unwrap();
    let key = RawKey::from_bytes(&[1; 32]).into();
    let mut new = NewVault::individual(&key);
    new.holder_name = "Ada Example";
    let vault = Vault::create_in_memory(&new, VaultOptions::default()).unwrap();
    let result = |number: usize| {
        let mut quantity = Quantity::default();
        quantity.value = Some(token(&number.to_string()));
        quantity.unit = Some(token("mg/dL"));
        let mut coding = subrosa::record::Coding::default();
        coding.system = Some(token("http://loinc.org"));
        coding.code = Some(token("2339-0"));
        coding.display = Some(token("Glucose [Mass/volume] in Blood"));
        let mut result = Observation::default();
        result.code = Some(Concept::from_coding(coding));
        result.quantity = Some(quantity);
        result.start = Some("2024-05-03T10:15:00+02:00".parse().unwrap());
        result.status = Some(token("final"));
        Entry::new(result, Provenance::default())
    };
    let results: Vec<Entry> = (0..entries).map(result).collect();
    vault.update(&Actor::owner(), |tx| tx.add_all(&results)).unwrap();
    let request = ReleaseRequest::new("x", "y", Policy::everything_of([Kind::Observation])).unwrap();
    vault.release(&Actor::owner(), &request).unwrap().to_json().into_bytes()
}

/// The most that verifying and printing take, the file itself included, in parts of it.
fn most(file: &[u8]) -> f64 {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let verified =
        UnverifiedExcerpt::parse(file).unwrap().verify(&TrustedKeys::none(), SystemTime::now()).unwrap();
    let mut out = std::io::sink();
    for entry in verified.entries() {
        writeln!(out, "{} {}", entry.shown(), entry.fields_json()).unwrap();
    }
    let taken = MEMORY.peak_usage() - before;
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    let parts = taken as f64 / file.len() as f64;
    1.0 + parts
}

/// Two tests that measure at one time would measure each other.
static ALONE: Mutex<()> = Mutex::new(());

/// The most that verifying takes, and printing what is not refused, in bytes.
fn peak(file: &[u8]) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let verified =
        UnverifiedExcerpt::parse(file).and_then(|it| it.verify(&TrustedKeys::none(), SystemTime::now()));
    if let Ok(verified) = verified {
        let mut out = std::io::sink();
        for entry in verified.entries() {
            write!(out, "{} {}", entry.shown(), entry.fields_json()).unwrap();
        }
        write!(out, "{}", verified.who_signed().concat()).unwrap();
    }
    MEMORY.peak_usage() - before
}

/// What a hostile excerpt costs beyond four times its size.
const BUDGET: usize = 48 << 20;

fn array(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}

#[test]
fn no_excerpt_costs_more_than_a_budget() {
    let _alone = ALONE.lock();
    let forger = Forger::new(7);
    let named = r#"{"code":{"text":"A"}}"#;
    let with = |provenance: &str| forger.entry("diagnosis", named, provenance);
    let hidden = |value: &str| {
        let (encoded, digest) = disclosure("notes", value);
        let fields = format!(r#"{{"code":{{"text":"A"}},"_sd":["{digest}"]}}"#);
        forger.entry_with("diagnosis", &fields, "{}", &[encoded])
    };
    let one = |token: String| forger.excerpt("A", &[token]);
    let many = |token: String, count: usize| forger.excerpt("A", &vec![token; count]);
    let long_name = "a".repeat(100_000);
    let nested = (0..14).fold("1".to_owned(), |inner, _| format!("[{inner},{inner}]"));
    let cases = [
        (
            "a long name over an array",
            one(with(&format!(r#"{{"x":{{"{long_name}":{}}}}}"#, array("1", 20_000)))),
        ),
        (
            "a name over an array",
            many(with(&format!(r#"{{"x":{{"{}":{}}}}}"#, "a".repeat(64), array("1", 60_000))), 9),
        ),
        ("numbers", one(with(&format!(r#"{{"x":{}}}"#, array("1", 1_900_000))))),
        ("empty objects", one(with(&format!(r#"{{"x":{}}}"#, array("{}", 1_900_000))))),
        (
            "small objects in many entries",
            many(with(&format!(r#"{{"x":{}}}"#, array(r#"{"a":1}"#, 30_000))), 30),
        ),
        ("empty objects in a disclosure", one(hidden(&array("{}", 149_990)))),
        ("arrays in arrays", many(with(&format!(r#"{{"x":{nested}}}"#)), 9)),
        ("hidden characters", one(hidden(&format!("[\"{}\"]", "\u{7f}".repeat(5_000_000))))),
        (
            "a long title",
            one(forger.entry(
                "diagnosis",
                &format!(r#"{{"code":{{"text":"{}"}}}}"#, "\u{ad}".repeat(300_000)),
                "{}",
            )),
        ),
        (
            "a long code",
            one(forger.entry(
                "diagnosis",
                &format!(r#"{{"code":{{"codings":[{{"code":"{}"}}]}}}}"#, "\u{7f}".repeat(700_000)),
                "{}",
            )),
        ),
        ("a long text", one(hidden(&format!("[\"{}\"]", "a\u{a0}".repeat(2_000_000))))),
        ("lines", one(hidden(&format!("[\"{}\"]", "a\\n".repeat(1_000_000))))),
        (
            "notices",
            forger.excerpt_with("A", &[with("{}")], |envelope| {
                envelope.notices = vec!["x".to_owned(); 900_000]
            }),
        ),
        (
            "bars",
            forger.excerpt_with("A", &vec![with("{}"); 900], |envelope| {
                let names: Vec<String> = (0..256).map(|number| format!("field{number}")).collect();
                envelope.entries.iter_mut().for_each(|entry| entry.withheld = names.clone());
            }),
        ),
    ];
    // Each apostrophe has five bytes on a page, which here is nothing but the file.
    let file = one(hidden(&format!("[\"{}\"]", "'".repeat(6_000_000))));
    let page = format!(
        r#"<meta name="subrosa-renderer" content="1"><script type="application/json" id="subrosa-excerpt">{}</script>"#,
        String::from_utf8(file).unwrap()
    );
    let cases = cases.into_iter().chain([("a page of apostrophes", page.into_bytes())]);
    for (what, file) in cases {
        let taken = peak(&file);
        eprintln!("{what}: {} KiB for {} KiB", taken >> 10, file.len() >> 10);
        assert!(taken < 3 * file.len() + BUDGET, "{what}: {taken} for {}", file.len());
    }
}

#[test]
fn verifying_and_printing_take_less_than_four_times_the_excerpt() {
    let _alone = ALONE.lock();
    let parts: Vec<(usize, f64)> = [250, 500, 1000, 2000]
        .into_iter()
        .map(|entries| {
            let file = excerpt(entries);
            (file.len(), most(&file))
        })
        .collect();
    eprintln!("{parts:?}");
    assert!(parts.iter().all(|(_, most)| *most < 4.0), "{parts:?}");
    // In proportion: twice the excerpt takes no more of its size.
    let (first, last) = (parts.first().unwrap().1, parts.last().unwrap().1);
    assert!(last < first * 1.25, "{parts:?}");
}
