//! What the documents say is what the code does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use subrosa::Kind;
use subrosa::record::FieldType;

fn path(document: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(document)
}

fn document(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is there", path.display()))
}

fn kinds() -> String {
    let mut text = String::new();
    for kind in Kind::all() {
        text += &format!("**{} `{}`**:\n", kind.number(), kind.name());
        let fields: Vec<String> = kind
            .schema()
            .iter()
            .map(|field| {
                let repeats = if field.repeats { "*" } else { "" };
                format!("{} `{}` {}{repeats}", field.tag, field.name, type_name(field.field_type))
            })
            .collect();
        text += &format!("{}.\n\n", fields.join(" · "));
    }
    text
}

fn type_name(field_type: FieldType) -> String {
    format!("{field_type:?}")
}

#[test]
fn the_format_document_lists_every_kind_and_field() {
    let written = document("docs/format.md");
    let (_, appendix) = written.split_once("## Appendix: kinds and fields").expect("the appendix is there");
    let listed = appendix.split_once("index 0.").expect("the appendix has its introduction").1;
    assert!(listed.trim() == kinds().trim(), "docs/format.md should list:\n\n{}", kinds());
}

const FORMAT: &str = "docs/format.md";

/// The part of a document between a heading and the next one of its rank.
fn section(text: &str, heading: &str) -> String {
    let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("there is a section {heading}"));
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The bytes of every block of a section, written in hexadecimal.
fn hex_blocks(section: &str) -> Vec<Vec<u8>> {
    let blocks = section.split("```text\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| bytes(&block.split_whitespace().collect::<String>())).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The first two numbers of each row of a section's tables.
fn numbered_rows(section: &str) -> Vec<(String, usize, usize)> {
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (offset, length) = (cells.get(2)?.parse().ok()?, cells.get(3)?.parse().ok()?);
        Some(((*cells.get(1)?).to_owned(), offset, length))
    });
    rows.collect()
}

fn golden(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read(path).expect("the golden vaults are committed")
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).to_vec()
}

fn number(file: &[u8], offset: usize) -> usize {
    usize::try_from(u64::from_le_bytes(file[offset..offset + 8].try_into().unwrap())).unwrap()
}

#[test]
fn the_parts_of_a_golden_vault_stand_where_the_format_document_says() {
    let parts = numbered_rows(&section(&document(FORMAT), "## 1. Overview"));
    let part = |name: &str| {
        let found = parts.iter().find(|(part, ..)| part == name);
        found.map(|(_, offset, length)| (*offset, *length)).unwrap_or_else(|| panic!("a row for {name}"))
    };
    for name in ["whole.vault", "migrating.vault"] {
        let file = golden(name);
        let slice = |(offset, length): (usize, usize)| &file[offset..offset + length];
        let header = slice(part("header"));
        assert_eq!(sha256(&header[..4064]), header[4064..], "the header's digest ends it");
        for area in ["credential area A", "credential area B"] {
            let area = slice(part(area));
            assert_eq!(
                blake3::hash(&area[..26976]).as_bytes()[..],
                area[26976..27008],
                "an area's digest stands before its shortcuts"
            );
        }
        assert!(slice(part("root A")) == slice(part("root B")), "both roots are equal at rest");
        assert!(slice(part("gap, zeros")).iter().all(|byte| *byte == 0));
        let geometry: Vec<usize> = (0..7).map(|field| number(&file, 36 + 8 * field)).collect();
        let (area, root) = (part("credential area A"), part("root A"));
        let said = [area.0, part("credential area B").0, area.1, root.0, part("root B").0, root.1];
        assert_eq!(geometry[..6], said);
        assert_eq!(geometry[6], part("root B").0 + root.1, "the append area follows root B");
    }
}

/// What the worked example has to say of the golden vault, in its order.
fn worked_example() -> [Vec<u8>; 6] {
    let file = golden("whole.vault");
    let (digest, vault) = (sha256(&file[..4096]), &file[20..36]);
    let mut unlock = vec![0; 32];
    let key = hkdf::Hkdf::<sha2::Sha256>::new(Some(vault), b"a raw key of the golden vault 01");
    key.expand(b"subrosa/v1 raw key", &mut unlock).unwrap();
    let context: [&[u8]; 8] = [&[1, 0, 1, 0], &digest, &[5], vault, &[2], &[0; 16 + 8], &[1, 0], &[0, 0]];
    let context = context.concat();
    let mut selector = vec![0; 32];
    let expand = hkdf::Hkdf::<sha2::Sha256>::from_prk(&unlock).unwrap();
    expand.expand_multi_info(&[b"subrosa/v1 selector", vault], &mut selector).unwrap();
    let link = sha256(&[vault, &1u64.to_le_bytes()].concat())[..16].to_vec();
    [file[..92].to_vec(), digest, unlock, context, selector, link]
}

#[test]
fn the_worked_example_of_the_format_document_is_that_of_the_golden_vault() {
    let expected = worked_example();
    assert_eq!(expected[3].len(), 82);
    if std::env::var_os("SUBROSA_BLESS").is_some() {
        bless_worked_example(&expected);
    }
    let blocks = hex_blocks(&section(&document(FORMAT), "## 12. Worked example"));
    assert_eq!(blocks, expected);
}

/// Writes the example into the document, 64 digits a line.
fn bless_worked_example(blocks: &[Vec<u8>]) {
    let text = document(FORMAT);
    let (before, example) = text.split_once("## 12. Worked example").unwrap();
    let mut parts: Vec<String> = example.split("```").map(str::to_owned).collect();
    for (part, block) in parts.iter_mut().skip(1).step_by(2).zip(blocks) {
        let digits: Vec<String> = block.iter().map(|byte| format!("{byte:02x}")).collect();
        *part = format!("text\n{}\n", digits.chunks(32).map(<[_]>::concat).collect::<Vec<_>>().join("\n"));
    }
    std::fs::write(path(FORMAT), format!("{before}## 12. Worked example{}", parts.join("```"))).unwrap();
}

/// Every derivation label that begins so in a text.
fn labels(text: &str) -> std::collections::BTreeSet<String> {
    let found = text.match_indices("\"subrosa/v1 ");
    found.filter_map(|(at, _)| text[at + 1..].split('"').next()).map(str::to_owned).collect()
}

fn sources(folder: &std::path::Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_format_document_names_the_labels_of_the_code() {
    let mut code = String::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let (written, used) = (labels(&document(FORMAT)), labels(&code));
    assert!(written.len() >= 10);
    assert!(written.is_subset(&used), "{:?}", written.difference(&used).collect::<Vec<_>>());
}

#[test]
fn every_promise_names_tests_that_exist() {
    let security = document("SECURITY.md");
    let promises = section(&security, "## What is protected, by boundary");
    let mut written = String::new();
    let folders = ["src", "src/vault/tests", "tests"].into_iter();
    let parts =
        ["crates/base/src", "crates/excerpt/src", "crates/excerpt/src/sd_jwt", "crates/excerpt/src/shown"];
    for folder in folders.chain(parts) {
        sources(&path(folder), &mut written);
    }
    let named: Vec<&str> = promises
        .split("Tests: ")
        .skip(1)
        .flat_map(|rest| rest.split(".\n").next().unwrap_or_default().split(", "))
        .map(|name| name.trim_matches(['`', '.', '\n', ' ']))
        .collect();
    assert!(named.len() > 30, "{} tests are named", named.len());
    for name in &named {
        assert!(written.contains(&format!("fn {name}(")), "SECURITY.md names {name}, which is no test");
    }
    // What says who learns what without a test says it of a limit.
    let unproven = promises.split("\n- ").skip(1).filter(|promise| !promise.contains("Tests: ")).count();
    assert!(unproven <= 1, "{unproven} promises without a test");
}
