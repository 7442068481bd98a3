//! The layers of the library and of the crates that it is made of: a module imports only
//! from lines below its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of a crate, top to bottom; those on one line do not import each other.
type Layers = &'static [&'static [&'static str]];

/// The crates, top to bottom as well: each by its folder.
const CRATES: [(&str, Layers); 3] = [
    (
        "",
        &[
            &["fuzzing", "measured"],
            &["vault"],
            &["engine"],
            &["error"],
            &["excerpt", "tree"],
            &["release", "keys", "payload", "store", "interop"],
            &["classify"],
            &["serial"],
            &["record", "format"],
            &["crypto"],
            &["codec", "parallel"],
            &["secret", "seams"],
        ],
    ),
    (
        "crates/excerpt",
        &[
            &["issue", "written"],
            &["verify"],
            &["render"],
            &["attribution", "file", "selection"],
            &["saved"],
            &["verified"],
            &["error", "trust"],
            &["sd_jwt"],
            &["envelope"],
            &["jws", "shown", "subject"],
            &["audience", "claims", "members", "salts", "signer", "time"],
            &["key"],
            &["signature"],
        ],
    ),
    (
        "crates/base",
        &[&["serial"], &["schema"], &["date", "digest", "id", "text"], &["codec"], &["redacted"]],
    ),
];

/// The rooms of a module that has several, top to bottom as well: a file in a room imports
/// only from its own room and from rooms on lines below. The façade is above them all.
const ROOMS: [(&str, &[&[&str]]); 2] = [
    ("vault", &[&["acts", "doors", "upkeep", "custody"], &["session"]]),
    (
        "interop",
        &[
            &["export", "import"],
            &["cda", "fhir"],
            &["options"],
            &["imported", "prepared"],
            &["carried", "claims", "finding", "fitting", "foreign", "identity", "people"],
        ],
    ),
];

/// Modules, each by the folder of its crate and its name.
type Owners = &'static [(&'static str, &'static str)];

/// Crates that only some modules may name.
const ONLY_IN: [(Owners, &[&str]); 6] = [
    (
        &[("", "crypto")],
        &[
            "aes_gcm",
            "argon2",
            "blake3",
            "hkdf",
            "hmac",
            "ml_kem",
            "rand",
            "ring",
            "sha1",
            "sha3",
            "shake",
            "x25519_dalek",
            "x_wing",
        ],
    ),
    (&[("", "crypto"), ("crates/excerpt", "signature")], &["ed25519_dalek", "p256"]),
    (&[("", "crypto"), ("crates/base", "digest")], &["sha2", "subtle"]),
    (&[("", "codec")], &["bincode", "quick_xml"]),
    (&[("crates/base", "codec")], &["json_event_parser", "base64"]),
    (&[("", "store")], &["rustix", "std::fs", "std::net"]),
];

struct Module {
    /// The folder of its crate.
    part: &'static str,
    name: String,
    file: PathBuf,
    code: String,
}

fn layer(layers: Layers, name: &str) -> usize {
    layers
        .iter()
        .position(|line| line.contains(&name))
        .unwrap_or_else(|| panic!("module {name} is in no layer: add it to the table"))
}

/// The source without tests and comments.
fn modules() -> Vec<Module> {
    CRATES.iter().flat_map(|(part, _)| modules_of(part)).collect()
}

fn modules_of(part: &'static str) -> Vec<Module> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(part).join("src");
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
        modules.push(Module { part, name, file: inside, code });
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

/// What all tests share is used from below everything, so it uses nothing but the seams.
#[test]
fn what_tests_share_makes_no_circle() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testing.rs");
    let code = std::fs::read_to_string(path).expect("the file is readable");
    assert_eq!(imports(&code), BTreeSet::from(["seams".to_owned()]));
}

#[test]
fn modules_import_only_from_layers_below() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (part, layers) in CRATES {
        for module in modules_of(part) {
            let own = layer(layers, &module.name);
            for import in imports(&module.code) {
                let known = layers.iter().any(|line| line.contains(&import.as_str()));
                if known && import != module.name && layer(layers, &import) <= own {
                    wrong.push(format!("{part} {} imports {import}", module.file.display()));
                }
                seen += usize::from(known && import != module.name);
            }
        }
    }
    assert!(seen > 400, "imports between modules were read: {seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Files by the paths of their modules, such as `vault/session/open`.
struct Files(BTreeMap<String, String>);

impl Files {
    fn of_source(part: &'static str) -> Self {
        // Hooks of tests and fuzz targets reach into every room.
        let is_hook = |name: &str| name == "vault/hooks" || name == "vault/disk";
        let paths = modules_of(part).into_iter().map(|module| {
            let path = module.file.with_extension("").to_string_lossy().replace('\\', "/");
            (path, module.code)
        });
        Self(paths.filter(|(path, _)| !is_hook(path)).collect())
    }

    /// The file that a path of modules leads to, as far as there are files.
    fn leads_to(&self, start: &str, parts: &[&str]) -> Option<String> {
        let mut path = start.to_owned();
        for part in parts {
            let next = if path.is_empty() { (*part).to_owned() } else { format!("{path}/{part}") };
            if !self.0.contains_key(&next) {
                break;
            }
            path = next;
        }
        Some(path).filter(|path| self.0.contains_key(path))
    }

    /// The files whose names a file uses. What a module only hands on (`pub use child::…`)
    /// is no use of its own.
    fn used_by(&self, path: &str, code: &str) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for named in named_paths(code) {
            let parts: Vec<&str> = named.split("::").collect();
            let ups = parts.iter().take_while(|part| **part == "super").count();
            let (start, rest) = match parts.first() {
                Some(&"crate") => (String::new(), parts.split_at(1).1),
                Some(&"self") => (path.to_owned(), parts.split_at(1).1),
                Some(&"super") => {
                    let up = path.split('/').count().saturating_sub(ups);
                    (path.split('/').take(up).collect::<Vec<_>>().join("/"), parts.split_at(ups).1)
                }
                Some(first) if self.0.contains_key(&format!("{path}/{first}")) => {
                    (path.to_owned(), parts.as_slice())
                }
                _ => continue,
            };
            used.extend(self.leads_to(&start, rest).filter(|found| found != path));
        }
        used
    }

    fn uses(&self) -> BTreeMap<&str, BTreeSet<String>> {
        self.0.iter().map(|(path, code)| (path.as_str(), self.used_by(path, code))).collect()
    }
}

/// Every path that a text names: in `use`, groups written out, and where it is used.
fn named_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("\nuse ").map(|at| at + 5).or(statement.strip_prefix("use ").map(|_| 4));
        let hands_on = statement.rfind("\npub").filter(|at| statement[*at..].contains(" use "));
        match (start, hands_on) {
            (Some(at), _) => written_out("", statement[at..].trim_end_matches(';'), &mut paths),
            // `pub use` of a child hands on; of anything else it is a use.
            (None, Some(at)) => {
                let tree = statement[at..].split(" use ").nth(1).unwrap_or_default().trim_end_matches(';');
                if tree.starts_with("crate") || tree.starts_with("super") {
                    written_out("", tree, &mut paths);
                }
            }
            (None, None) => rest.push_str(statement),
        }
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = rest.split(|c| !is_name(c)).map(|word| word.trim_matches(':'));
    paths.extend(words.filter(|word| word.contains("::")).map(str::to_owned));
    paths
}

/// The paths of a tree of imports, such as `a::{b, c::{d, e}}`.
fn written_out(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        paths.push(format!("{before}{name}"));
        return;
    };
    let before = format!("{before}{}", head.trim());
    let (mut depth, mut item) = (0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            written_out(&before, &item, paths);
            item.clear();
        } else {
            item.push(c);
        }
    }
    if !item.trim().is_empty() {
        written_out(&before, &item, paths);
    }
}

/// What is left when files that use nothing, or only such files, are taken away again and
/// again: files in circles, and those that lead to one.
fn in_circles(mut uses: BTreeMap<&str, BTreeSet<String>>) -> Vec<String> {
    loop {
        let settled: Vec<&str> =
            uses.iter().filter(|(_, used)| used.is_empty()).map(|(path, _)| *path).collect();
        if settled.is_empty() {
            break;
        }
        for path in &settled {
            uses.remove(path);
        }
        for used in uses.values_mut() {
            used.retain(|path| !settled.contains(&path.as_str()));
        }
    }
    let lines = uses.iter().map(|(path, used)| format!("{path} uses {used:?}"));
    lines.collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for ((part, _), least) in CRATES.iter().zip([150, 25, 15]) {
        let files = Files::of_source(part);
        assert!(files.0.len() > least, "the files of {part:?} were read: {}", files.0.len());
        let circles = in_circles(files.uses());
        assert!(circles.is_empty(), "{part:?} {circles:#?}");
    }
}

#[test]
fn a_room_imports_only_from_rooms_below() {
    let files = Files::of_source("");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, used) in files.uses() {
        for found in used {
            let (Some((module, inside)), Some((other, there))) =
                (path.split_once('/'), found.split_once('/'))
            else {
                continue;
            };
            let Some((_, lines)) = ROOMS.iter().find(|(name, _)| *name == module && module == other) else {
                continue;
            };
            let line = |inside: &str| {
                let room = inside.split('/').next().unwrap_or_default();
                let line = lines.iter().position(|line| line.contains(&room));
                (
                    room.to_owned(),
                    line.unwrap_or_else(|| panic!("{module}/{room} is in no line of the table")),
                )
            };
            let (from, to) = (line(inside), line(there));
            seen += 1;
            if from.0 != to.0 && to.1 <= from.1 {
                wrong.push(format!("{path} imports {found}"));
            }
        }
    }
    assert!(seen > 50, "imports between files of these modules were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_circle_is_seen_in_every_form_of_import() {
    let files = |files: &[(&str, &str)]| {
        Files(files.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned())).collect())
    };
    for (one, other) in [
        ("use super::b::B;", "use crate::m::a::{A, C};"),
        ("use crate::m::{b::B, c};", "fn x() { super::a::y() }"),
        ("fn x() -> crate::m::b::B {}", "use super::{a, c as d};"),
    ] {
        let circle = files(&[("m", "mod a;"), ("m/a", one), ("m/b", other), ("m/c", "")]);
        assert_eq!(in_circles(circle.uses()).len(), 2, "{one} {other}");
    }
    let handed_on = files(&[("m", "mod a;\npub use a::A;\npub struct M;"), ("m/a", "use super::M;")]);
    assert!(in_circles(handed_on.uses()).is_empty());
    let used = files(&[("m", "mod a;\nuse a::A;\npub struct M;"), ("m/a", "use super::M;")]);
    assert_eq!(in_circles(used.uses()).len(), 2);
}

#[test]
fn every_module_is_in_the_table() {
    for (part, layers) in CRATES {
        let names: BTreeSet<String> = modules_of(part).into_iter().map(|module| module.name).collect();
        assert!(names.len() > 5);
        for name in &names {
            layer(layers, name);
        }
        let listed = layers.iter().flat_map(|line| line.iter()).filter(|name| !names.contains(**name));
        assert_eq!(listed.count(), 0, "the table of {part:?} names a module that there is not");
    }
}

#[test]
fn one_module_names_each_dangerous_crate() {
    let mut wrong = Vec::new();
    for module in modules() {
        for (owners, crates) in ONLY_IN {
            for name in crates {
                let named = module.code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = module.code.get(..at).and_then(|text| text.chars().next_back());
                    before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
                });
                if named && !owners.contains(&(module.part, &module.name)) {
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
        // The whole file is the feature's, as `release` says.
        let is_of_the_feature = module.file.ends_with("release/policy_json.rs");
        if !is_of_the_feature && module.code.lines().filter(named).any(|line| !is_gated(line)) {
            wrong.push(format!("{} names serde", module.file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (part, module) in [
        ("src/lib.rs", "#[cfg(feature = \"serde\")]\nmod serial;"),
        ("src/release.rs", "#[cfg(feature = \"serde\")]\nmod policy_json;"),
        ("crates/base/src/lib.rs", "#[cfg(feature = \"serde\")]\n#[doc(hidden)]\npub mod serial;"),
        ("crates/excerpt/src/lib.rs", "#[cfg(feature = \"serde\")]\nmod written;"),
    ] {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        let library = std::fs::read_to_string(library).expect("the library is readable");
        assert!(library.contains(module), "the module of {part:?} is the feature's");
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::a::B;\nuse crate::{c, d::{e, f}, g::h};\nfn x() { crate::i::j() } crate::K";
    let names: Vec<String> = imports(code).into_iter().collect();
    assert_eq!(names, ["a", "c", "d", "g", "i"]);
}

/// The names that a `use` of the library takes, in programs that show how it is used.
#[test]
fn programs_take_names_from_modules_and_never_all_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = std::fs::read_to_string(root.join("src/lib.rs")).expect("the library is readable");
    let listed = library.split("// What every program needs.").nth(1).expect("the root says what it lists");
    let (listed, unlisted) = listed.split_once("// The rest by its bare name").expect("and what it does not");
    let count = listed.matches([',', '}']).count();
    assert!((20..=40).contains(&count), "{count} names are listed at the root");
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())).map(str::to_owned).collect()
    };
    let unlisted = words(unlisted);
    let mut files = Vec::new();
    collect(&root.join("examples"), &mut files);
    collect(&root.join("tests"), &mut files);
    files.push(root.join("README.md"));
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file is readable");
        for part in text.split("use subrosa::").skip(1) {
            let taken = part.split(';').next().unwrap_or_default();
            let of_root = taken.starts_with('{') || taken.starts_with(|c: char| c.is_ascii_uppercase());
            let names = if of_root && !taken.contains("::") { words(taken) } else { BTreeSet::new() };
            let hidden: Vec<&String> = names.intersection(&unlisted).collect();
            if taken.starts_with('*') || !hidden.is_empty() {
                wrong.push(format!("{}: {hidden:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
