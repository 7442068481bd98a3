//! The layers of the library: a module imports only from lines below its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Top to bottom; modules on one line do not import each other.
const LAYERS: [&[&str]; 10] = [
    &["fuzzing", "measured"],
    &["vault"],
    &["error"],
    &["excerpt", "tree"],
    &["release", "keys", "payload", "store", "interop"],
    &["serial"],
    &["record", "format"],
    &["id", "crypto"],
    &["codec", "parallel"],
    &["secret", "seams"],
];

/// Crates that only one module may name.
const ONLY_IN: [(&str, &[&str]); 3] = [
    (
        "crypto",
        &[
            "aes_gcm",
            "argon2",
            "ed25519_dalek",
            "hkdf",
            "hmac",
            "ml_kem",
            "p256",
            "rand",
            "sha2",
            "sha3",
            "shake",
            "subtle",
            "x25519_dalek",
            "x_wing",
        ],
    ),
    ("codec", &["bincode", "json_event_parser", "base64"]),
    ("store", &["rustix", "std::fs", "std::net"]),
];

struct Module {
    name: String,
    file: PathBuf,
    code: String,
}

fn layer(name: &str) -> usize {
    LAYERS
        .iter()
        .position(|line| line.contains(&name))
        .unwrap_or_else(|| panic!("module {name} is in no layer: add it to the table"))
}

/// The source without tests and comments.
fn modules() -> Vec<Module> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    let mut modules = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&source).expect("the file is in src").to_owned();
        let top = inside.components().next().expect("a path has a first part");
        let name = top.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let is_test = inside.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
        if name == "lib" || name == "testing" || is_test {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source file is readable");
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        modules.push(Module { name, file: inside, code });
    }
    modules
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).expect("src is readable") {
        let path = item.expect("src is readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The top modules that a text names, in `crate::x` and in `use crate::{x, y}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let mut depth = 1;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    names.extend(item.trim().split("::").next().map(str::to_owned));
                    item.clear();
                } else {
                    item.push(c);
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            names.extend(part.get(..end).map(str::to_owned));
        }
    }
    names.retain(|name| name.chars().next().is_some_and(|c| c.is_ascii_lowercase()));
    names
}

#[test]
fn modules_import_only_from_layers_below() {
    let mut wrong = Vec::new();
    for module in modules() {
        for import in imports(&module.code) {
            let known = LAYERS.iter().any(|line| line.contains(&import.as_str()));
            if known && import != module.name && layer(&import) <= layer(&module.name) {
                wrong.push(format!("{} imports {import}", module.file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_is_in_the_table() {
    let names: BTreeSet<String> = modules().into_iter().map(|module| module.name).collect();
    assert!(names.len() > 10);
    for name in names {
        layer(&name);
    }
}

#[test]
fn one_module_names_each_dangerous_crate() {
    let mut wrong = Vec::new();
    for module in modules() {
        for (owner, crates) in ONLY_IN {
            for name in crates {
                let named = module.code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = module.code.get(..at).and_then(|text| text.chars().next_back());
                    before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
                });
                if named && module.name != owner {
                    wrong.push(format!("{} names {name}", module.file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Wire structs are serde's, and the feature `serde` gives reports and the record to it:
/// reports by one line each, the record in a module of its own. No other type knows it.
#[test]
fn nothing_is_written_by_serde_unless_its_feature_is_on() {
    let mut wrong = Vec::new();
    for module in modules().iter().filter(|module| !["codec", "payload", "serial"].contains(&&*module.name)) {
        let named =
            |line: &&str| line.contains("serde::") || line.contains("serde(") || line.contains("use serde");
        let is_gated = |line: &str| line.trim_start().starts_with("#[cfg_attr(feature = \"serde\", ");
        if module.code.lines().filter(named).any(|line| !is_gated(line)) {
            wrong.push(format!("{} names serde", module.file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let library = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let library = library.expect("the library is readable");
    assert!(library.contains("#[cfg(feature = \"serde\")]\nmod serial;"), "the module is the feature's");
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::a::B;\nuse crate::{c, d::{e, f}, g::h};\nfn x() { crate::i::j() } crate::K";
    let names: Vec<String> = imports(code).into_iter().collect();
    assert_eq!(names, ["a", "c", "d", "g", "i"]);
}
