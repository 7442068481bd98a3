//! A vector: a golden file with one fault, kept as what differs from the file.

use serde_json::{Value, json};

use crate::crypto::digest::Digest;
use crate::format::area::AREA_LEN;
use crate::format::area::testing::digest_anew;
use crate::format::header::{HEADER_LEN, geometry};

/// Equal bytes between two patches that are not worth a patch of their own.
const GAP: usize = 24;

pub(super) fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

pub(super) const AREAS: [u64; 2] = [geometry::AREA_A, geometry::AREA_B];
pub(super) const ROOTS: [u64; 2] = [geometry::ROOT_A, geometry::ROOT_B];

/// What a vector expects of every reader.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) expect: &'static str,
    pub(super) why: &'static str,
}

/// The vector of a changed file, as patches of the original.
pub(super) fn vector(case: &Case, base: (&str, &[u8]), credential: &Value, changed: &[u8]) -> Value {
    let (file, original) = base;
    let (expect, content) = outcome(case.expect, file);
    let mut vector = json!({
        "name": case.name,
        "why": case.why,
        "file": file,
        "credential": credential,
        "expect": expect,
        "content": content,
    });
    if changed.len() < original.len() {
        vector["truncate"] = json!(changed.len());
    }
    vector["patches"] = patches(original, changed);
    vector
}

/// The outcome, and the file that holds what is read then.
fn outcome(expect: &'static str, file: &str) -> (&'static str, Option<String>) {
    let content = |name: &str| Some(format!("{name}.json"));
    match expect {
        "ok" | "repaired" | "dropped" => (expect, content(file.trim_end_matches(".vault"))),
        "ok, other content" => ("ok", None),
        "ok, one compartment" => ("ok", content("migrating-clinic")),
        "repaired, one compartment" => ("repaired", content("migrating-clinic")),
        "repaired, one compartment as before" => ("repaired", content("migrating-clinic-before")),
        "repaired, as before" => ("repaired", content("migrating-before")),
        refused => (refused, None),
    }
}

fn patches(original: &[u8], changed: &[u8]) -> Value {
    let mut patches: Vec<(Vec<usize>, &[u8])> = Vec::new();
    for (start, end) in differences(original, changed) {
        let bytes = &changed[start..end];
        match patches.iter_mut().find(|(_, same)| *same == bytes) {
            Some((offsets, _)) => offsets.push(start),
            None => patches.push((vec![start], bytes)),
        }
    }
    let patches = patches.into_iter().map(|(offsets, bytes)| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"offsets": offsets, "bytes": hex})
    });
    patches.collect()
}

fn differences(original: &[u8], changed: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    // Behind the file zeros are what there is, up to the last patch.
    let end = if changed.len() > original.len() { changed.len() - 1 } else { changed.len() };
    for offset in 0..changed.len() {
        let before = original.get(offset).or(Some(&0));
        if before == changed.get(offset) && offset < end {
            continue;
        }
        match found.last_mut() {
            Some((_, end)) if offset - *end < GAP => *end = offset + 1,
            _ => found.push((offset, offset + 1)),
        }
    }
    found
}

/// Makes the header's digest right again.
pub(super) fn digest_header(file: &mut [u8]) {
    let digest = Digest::of(&[&file[..HEADER_LEN - 32]]);
    file[HEADER_LEN - 32..HEADER_LEN].copy_from_slice(digest.as_bytes());
}

/// Makes an area's unkeyed digest right again.
pub(super) fn digest_area(file: &mut [u8], offset: u64) {
    digest_anew(&mut file[at(offset)..at(offset) + AREA_LEN]);
}
