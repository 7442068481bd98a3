//! What the fuzz targets call: every parser of bytes that a stranger can write,
//! the opening of whole vaults, and sequences of operations on a failing disk,
//! each with the promise that it keeps.

mod forge;
mod input;
mod operations;
#[cfg(test)]
mod tests;
mod vault_file;

use std::time::SystemTime;

use crate::codec::padding;
use crate::codec::wire::{self, WireRead};
use crate::crypto::random::Randomness;
use crate::excerpt::{PublicKey, TrustedKeys, UnverifiedExcerpt};
use crate::format::area::testing::digest_anew;
use crate::format::area::{AREA_LEN, Area};
use crate::format::context::Scope;
use crate::format::header::Header;
use crate::format::place::Place;
use crate::format::root::Root;
use crate::id::{EntryId, VaultId};
use crate::interop::finding::FindingReason;
use crate::interop::foreign::ForeignFormat;
use crate::interop::import::Import;
use crate::interop::options::{ImportLimits, ImportOptions};
use crate::keys::{Credential, RawKey, RecoveryKey, Tried, UnlockKeys};
use crate::payload::catalogue::{EraseListV1, PageV1, decode_page};
use crate::payload::content::{ContentV1, UploadV1};
use crate::payload::custody::{DirectoryV1, VaultRecordV1};
use crate::payload::history::{LeafV1, LedgerV1, LinkV1};
use crate::payload::story::{AccountingV1, StoryV1};
use crate::payload::{decode_card, decode_entry, encode_card, encode_entry};
use crate::record::{PartialDate, SourceFormat};
use crate::release::CodeFilter;
use crate::secret::SharedBytes;
use crate::vault::Checkpoint;

pub use operations::operations;
pub use vault_file::vault_file;

/// Header and credential area: what is read before a key is known.
///
/// # Panics
/// When a header that parses does not encode to the same bytes, or a slot opens.
pub fn header_and_area(bytes: &[u8]) {
    if let Ok((header, _)) = Header::parse(bytes) {
        assert!(header.encode() == bytes);
    }
    let mut area = bytes.to_vec();
    if area.len() == AREA_LEN {
        digest_anew(&mut area);
    }
    if let Ok(area) = Area::parse(&area) {
        let runs: Vec<_> = area.kdf_runs().iter().map(|run| run.cost).collect();
        // Refused or not, nothing is allocated by a cost.
        let _ = crate::KdfLimits::default().check(&runs);
        try_raw_key(&area);
    }
}

/// Tries a key on the slots of any area.
fn try_raw_key(area: &Area) {
    let vault = VaultId::from_bytes([7; 16]);
    let Ok((_, header)) = Header::parse(&Header { vault }.encode()) else { return };
    let (scope, credential) = (Scope { header, vault }, RawKey::from_bytes(&[7; 32]).into());
    if let Ok(keys) = UnlockKeys::derive(&credential, scope, area.kdf, &crate::KdfLimits::default()) {
        let tried = keys.open(&mut Randomness::from_system(), scope, area);
        assert!(matches!(tried, Tried::Refused), "nobody was granted anything");
    }
}

/// The plaintexts of roots and places.
///
/// # Panics
/// When one that decodes does not encode to the same bytes.
pub fn root_and_place(bytes: &[u8]) {
    if let Ok(root) = Root::decode(bytes) {
        assert!(root.encode().as_slice() == bytes);
    }
    if let Ok(place) = Place::decode(bytes) {
        assert!(place.encode().as_slice() == bytes);
    }
    if let Ok(content) = padding::unpad(bytes) {
        assert!(padding::pad(content).as_slice() == bytes);
    }
}

/// The content of pages.
///
/// # Panics
/// When one that decodes does not encode to the same bytes, or the two ways to read one
/// do not agree.
pub fn page(bytes: &[u8]) {
    injective::<PageV1<'_>>(bytes);
    let (quick, slow) = (decode_page(&SharedBytes::copy_of(bytes)), wire::decode::<PageV1<'_>>(bytes));
    assert!(quick.is_ok() == slow.is_ok());
    if let Ok(page) = quick {
        assert!(wire::encode(&page).is_ok_and(|again| again.as_slice() == bytes));
    }
}

/// Every other wire struct; the first byte says which.
///
/// # Panics
/// When one that decodes does not encode to the same bytes.
pub fn wire_structs(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 12 {
        0 => injective::<LinkV1>(bytes),
        1 => injective::<LedgerV1>(bytes),
        2 => injective::<LeafV1>(bytes),
        3 => injective::<VaultRecordV1>(bytes),
        4 => injective::<DirectoryV1>(bytes),
        5 => injective::<EraseListV1>(bytes),
        6 => {
            if let Ok(entry) = decode_entry(bytes) {
                assert!(encode_entry(&entry).is_ok_and(|again| again.as_slice() == bytes));
            }
        }
        8 => injective::<ContentV1>(bytes),
        9 => injective::<UploadV1>(bytes),
        10 => injective::<StoryV1>(bytes),
        11 => injective::<AccountingV1>(bytes),
        _ => {
            if let Ok(card) = decode_card(bytes) {
                assert!(encode_card(&card).is_ok_and(|again| again.as_slice() == bytes));
            }
        }
    }
}

fn injective<T: WireRead>(bytes: &[u8]) {
    if let Ok(value) = wire::decode::<T>(bytes) {
        assert!(wire::encode(&value).is_ok_and(|again| again.as_slice() == bytes));
    }
}

/// FHIR in any form, and dates.
///
/// # Panics
/// When resources are lost or their bytes are not a part of the input.
pub fn fhir(bytes: &[u8]) {
    if let Ok(date) = std::str::from_utf8(bytes).unwrap_or_default().parse::<PartialDate>() {
        assert!(date.as_str().as_bytes() == bytes);
    }
    let limits =
        ImportLimits { input_bytes: 1 << 20, line_bytes: 1 << 20, values: 100_000, resources: 10_000 };
    let mut import = Import::new(ImportOptions { limits, ..ImportOptions::default() });
    if import.read(None, bytes).is_err() {
        return;
    }
    let Ok(imported) = import.finish() else { return };
    let taken = imported.entries.len() + imported.earlier + imported.files + imported.repetitions;
    assert!(taken + imported.left_out.total() == imported.resources);
    // Of another encoding the originals are in UTF-8.
    let is_recoded = imported.findings.iter().any(|finding| finding.reason == FindingReason::Recoded);
    for entry in imported.entries.iter().filter(|_| !is_recoded) {
        let source = entry.entry.source.as_ref();
        if source.is_some_and(|source| source.format == SourceFormat::CdaXml) {
            continue;
        }
        let files = source.into_iter().flat_map(|source| &source.files).map(|file| file.bytes.as_slice());
        let source = source.map(|source| source.bytes.as_slice()).unwrap_or_default();
        for part in [source].into_iter().chain(files) {
            assert!(!part.is_empty() && bytes.windows(part.len()).any(|window| window == part));
        }
    }
}

/// A C-CDA document.
///
/// # Panics
/// When parts are lost, an entry has bytes that the document has not, or the entries together
/// have many times what the document has.
pub fn cda(bytes: &[u8]) {
    let limits =
        ImportLimits { input_bytes: 1 << 20, line_bytes: 1 << 20, values: 100_000, resources: 10_000 };
    let mut import = Import::new(ImportOptions { limits, ..ImportOptions::default() });
    if !matches!(ForeignFormat::of(bytes), Some(ForeignFormat::Cda)) || import.read(None, bytes).is_err() {
        return;
    }
    let Ok(imported) = import.finish() else { return };
    let taken = imported.entries.len() + imported.repetitions;
    assert!(taken + imported.left_out.total() == imported.resources);
    let mut size = 0;
    for entry in &imported.entries {
        let source = entry.entry.source.as_ref().expect("every entry has an original");
        size += source.size();
        for file in &source.files {
            let part = file.bytes.as_slice();
            let is_utf_8 = std::str::from_utf8(bytes).is_ok();
            assert!(!is_utf_8 || bytes.windows(part.len().max(1)).any(|window| window == part));
        }
    }
    assert!(size <= 8 * bytes.len() + (1 << 20));
}

/// What people type or paste: keys, recovery keys, passwords, checkpoints, code
/// filters, ids.
///
/// # Panics
/// When something that is read does not come back equal from how it is written.
pub fn texts(bytes: &[u8]) {
    if let Ok(key) = PublicKey::from_jwk(bytes) {
        let again = PublicKey::from_jwk(key.to_jwk().as_bytes());
        assert!(again.is_ok_and(|again| again.fingerprint() == key.fingerprint()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = RecoveryKey::parse(text) {
        for written in [key.to_words(), key.to_groups()] {
            let again = RecoveryKey::parse(written.expose_secret());
            assert!(again.is_ok_and(|again| again.secret().expose_secret() == key.secret().expose_secret()));
        }
    }
    let _ = Credential::password(text);
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert!(checkpoint.to_string().parse() == Ok(checkpoint));
    }
    if let Ok(filter) = text.parse::<CodeFilter>() {
        assert!(filter.to_string() == text);
    }
    if let Ok(id) = text.parse::<EntryId>() {
        assert!(id.to_string().parse() == Ok(id));
    }
}

/// An excerpt, as a file of either form.
///
/// # Panics
/// When a JSON file that is taken apart is not written again as the same bytes, or
/// holds a byte of markup.
pub fn excerpt(bytes: &[u8]) {
    if let Ok(unverified) = UnverifiedExcerpt::parse(bytes) {
        let json = unverified.parts().to_json();
        assert!(!json.contains(['<', '>', '&']));
        assert!(bytes.windows(json.len()).any(|window| window == json.as_bytes()));
        let around = bytes.len() - json.len();
        assert!(bytes.contains(&b'<') || around <= "\u{feff}\r\n".len());
        let _ = unverified.verify(&TrustedKeys::none(), SystemTime::UNIX_EPOCH);
    }
}
