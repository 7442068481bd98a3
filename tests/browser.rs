//! A page in a real browser: what is signed is what a person reads on paper.
//!
//! Needs Chromium and `pdftotext` (Debian: `chromium`, `poppler-utils`); skipped loudly
//! where they are missing, unless `SUBROSA_REQUIRE_BROWSER` is set.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use subrosa::{
    Actor, Credential, Import, ImportOptions, Kind, NewVault, Policy, RawKey, ReleaseRequest, TrustedKeys,
    UnverifiedExcerpt, Vault, VaultOptions,
};

const SAMPLE: &[u8] = include_bytes!("../examples/sample/patient.json");

/// Words that try to be more than words.
const HOSTILE: &[u8] = r#"{"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Patient","id":"1","name":[{"family":"O'Example & Söhne <b>","given":["Ada"]}],"birthDate":"1980-01-01"}},
    {"resource":{"resourceType":"Condition","id":"1","subject":{"reference":"Patient/1"},"onsetDateTime":"2019",
        "code":{"text":"</td></table><script>document.body.textContent='forged'</script>"},
        "note":[{"text":"<!-- --> <style>body{display:none}</style> \u202egnorw si siht\u202c &lt;i&gt; 𝒻ancy"}]}},
    {"resource":{"resourceType":"Condition","id":"2","subject":{"reference":"Patient/1"},
        "verificationStatus":{"coding":[{"code":"refuted"}]},"code":{"text":"Schizophrenia"}}}]}"#
    .as_bytes();

fn is_there(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

fn browser_is_ready() -> bool {
    if is_there("chromium", "--version") && is_there("pdftotext", "-v") {
        return true;
    }
    assert!(std::env::var_os("SUBROSA_REQUIRE_BROWSER").is_none(), "chromium and pdftotext are required");
    eprintln!("SKIPPED: chromium or pdftotext is absent, so nobody looked at a page");
    false
}

/// A page of everything in this record, words included, and what a verifier shows of it.
fn page(record: &[u8], policy: Policy) -> (String, Vec<String>) {
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.read(None, record).unwrap();
    vault.import(&Actor::owner(), &import.finish().unwrap()).unwrap();
    let request = ReleaseRequest::new("Court <of> Exampleton", "a hearing & more", policy).unwrap();
    let page = vault.release(&Actor::owner(), &request).unwrap().to_html().unwrap();
    let verified = UnverifiedExcerpt::parse(page.as_bytes()).unwrap();
    let verified = verified.verify(&TrustedKeys::none(), SystemTime::now()).unwrap();
    let mut shown = vec![verified.recipient().to_owned(), verified.purpose().to_owned()];
    shown.push(verified.fingerprint().to_string());
    for entry in verified.entries() {
        let entry = entry.shown();
        shown.push(entry.heading);
        shown.extend(entry.warnings);
        shown.extend(entry.lines.into_iter().filter(|line| !line.withheld).map(|line| line.text));
    }
    (page, shown)
}

/// What the browser prints, without white space.
fn printed(page: &str, folder: &Path) -> String {
    let (file, paper) = (folder.join("excerpt.html"), folder.join("excerpt.pdf"));
    std::fs::write(&file, page).unwrap();
    let browser = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-pdf-header-footer",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--print-to-pdf={}", paper.display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    assert!(paper.exists(), "{}", String::from_utf8_lossy(&browser.stderr));
    let text = Command::new("pdftotext").arg("-raw").arg(&paper).arg("-").output().unwrap();
    assert!(text.status.success());
    without_space(&String::from_utf8(text.stdout).unwrap())
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{ad}').collect()
}

fn everything() -> Policy {
    let policy =
        Policy::everything_of(Kind::all().iter().copied()).for_audience(subrosa::release::Audience::Patient);
    ["code", "notes", "text"].into_iter().fold(policy, |policy, field| policy.include(field).unwrap())
}

#[test]
fn a_printed_page_has_every_word_that_is_signed() {
    if !browser_is_ready() {
        return;
    }
    for record in [SAMPLE, HOSTILE] {
        let folder = tempfile::tempdir().unwrap();
        let (page, shown) = page(record, everything());
        let printed = printed(&page, folder.path());
        assert!(shown.len() > 10, "there is something to read");
        for text in &shown {
            // A long text may be cut by a page's end: its words are all there.
            let is_whole = printed.contains(&without_space(text));
            let has_words = || text.split_whitespace().all(|word| printed.contains(word));
            assert!(is_whole || (text.len() > 200 && has_words()), "{text:?} is not on paper");
        }
        assert!(printed.contains("Thisisaselection;otherrecordsmayormaynotexist."));
    }
}

#[test]
fn a_browser_makes_of_a_hostile_text_nothing_but_text() {
    if !browser_is_ready() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = page(HOSTILE, everything());
    let file = folder.path().join("excerpt.html");
    std::fs::write(&file, &page).unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let count = |text: &str, what: &str| text.matches(what).count();
    for element in ["<script", "<style", "<table", "<article", "<h3", "<b>", "<i>", "<!--"] {
        assert_eq!(count(&dom, element), count(&page, element), "{element}");
    }
    assert!(dom.contains("RULED OUT"), "the negation stands before the title");
    assert!(!dom.contains('\u{202e}'), "no character turns the text round");
}
