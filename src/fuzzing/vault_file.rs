//! A whole vault file that somebody changed: with the bytes in hand, or with every
//! key. Opening it, everything that reads, and everything that writes once.

use std::io::Read as _;

use super::forge::{Forge, overwrite};
use super::input::Input;
use crate::format::area::AREA_LEN;
use crate::format::header::geometry;
use crate::format::root::ROOT_LEN;
use crate::seams::seed_randomness;
use crate::store::Destination;
use crate::vault::disk::{SimDisk, options};
use crate::*;

/// The vault that is changed; its raw key is in `docs/format.md`.
pub(super) const TEMPLATE: &[u8] = include_bytes!("../../tests/golden/whole.vault");
pub(super) const RAW_KEY: [u8; 32] = *b"a raw key of the golden vault 01";
/// Changes of one file.
const MOST_CHANGES: usize = 16;
/// Bytes that are read of one attachment.
const MOST_READ: u64 = 1 << 20;

/// What the first byte of an input says: whether the live bytes are counted anew
/// after forging, and what is written besides one new entry.
mod flag {
    pub(super) const STALE_LIVE_BYTES: u8 = 1;
    pub(super) const ATTACH: u8 = 2;
    pub(super) const RETRACT: u8 = 4;
    pub(super) const EXPUNGE: u8 = 8;
    pub(super) const HAND_OUT: u8 = 16;
    pub(super) const BACK_UP: u8 = 32;
    pub(super) const COMPACT: u8 = 64;
}

/// A file of a vault changed in several ways: opened for reading it stays as it
/// is, opened for writing it stays as it is where it is refused as damaged, and
/// what a reader and a writer find is the same.
///
/// # Panics
/// When one of that is not so.
pub fn vault_file(bytes: &[u8]) {
    seed_randomness(1);
    let mut input = Input::new(bytes);
    let flags = input.u8();
    let image = changed(&mut input, flags);
    let disk = SimDisk::without_trace(image.clone());
    let read = match open(&disk, Access::Reading) {
        Ok(vault) => Some(Answers::of(&vault)),
        Err(_) => None,
    };
    assert!(disk.image() == image, "a reader wrote");
    let writer = open(&disk, Access::Writing);
    match (writer, read) {
        (Err(error), _) => {
            let whole = error.kind() != ErrorKind::Damaged || disk.image() == image;
            assert!(whole, "an opening that refused a vault as damaged wrote");
        }
        (Ok(_), None) => panic!("a writer opened what a reader refused"),
        (Ok(vault), Some(read)) => {
            let written = Answers::of(&vault);
            written.expect_same(&read);
            write(vault, &disk, &written, flags);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Reading,
    Writing,
}

fn open(disk: &SimDisk, access: Access) -> Result<Vault, Error> {
    let key = RawKey::from_bytes(&RAW_KEY).into();
    let locked = disk.open_with(options().with_compaction_at_close(false))?;
    match access {
        Access::Reading => locked.unlock_read_only(&key),
        Access::Writing => locked.unlock(&key),
    }
}

/// The template, changed as the input says.
fn changed(input: &mut Input<'_>, flags: u8) -> Vec<u8> {
    let key = RawKey::from_bytes(&RAW_KEY).into();
    let mut forge = Forge::new(TEMPLATE, &key);
    let mut forged = false;
    for _ in 0..MOST_CHANGES {
        if input.is_empty() {
            break;
        }
        let which = input.u8() % 12;
        forged |= which > 4;
        match which {
            0 => overwrite(&mut forge.file, input),
            1 => {
                let at = input.position(forge.file.len());
                if let Some(byte) = forge.file.get_mut(at) {
                    *byte ^= 1 << (input.u8() % 8);
                }
            }
            2 => {
                let length = input.position(forge.file.len() + 1);
                forge.file.truncate(length);
            }
            3 => {
                let length = forge.file.len() + usize::from(input.u16());
                forge.file.resize(length, input.u8());
            }
            4 => copy(&mut forge.file, input),
            5 => forge.edit_root(input),
            6 => forge.edit_areas(input),
            7 => forge.edit_place(input),
            8 => forge.edit_page(input),
            9 => forge.edit_rows(input),
            _ => forge.edit_object(input),
        }
    }
    if forged && flags & flag::STALE_LIVE_BYTES == 0 {
        forge.count_live_bytes();
    }
    forge.file
}

/// One part over another: a block, or a copy of root or area over the other.
fn copy(file: &mut [u8], input: &mut Input<'_>) {
    let fixed = [
        (geometry::ROOT_A, geometry::ROOT_B, ROOT_LEN as u64),
        (geometry::ROOT_B, geometry::ROOT_A, ROOT_LEN as u64),
        (geometry::AREA_A, geometry::AREA_B, AREA_LEN as u64),
        (geometry::AREA_B, geometry::AREA_A, AREA_LEN as u64),
    ];
    let (from, to, length) = match fixed.get(usize::from(input.u8())) {
        Some((from, to, length)) => (*from as usize, *to as usize, *length as usize),
        None => (input.position(file.len()), input.position(file.len()), usize::from(input.u16())),
    };
    let length = length.min(file.len().saturating_sub(from.max(to)));
    if length > 0 {
        file.copy_within(from..from + length, to);
    }
}

/// What a vault answers.
struct Answers {
    epoch: Epoch,
    is_clean: bool,
    listed: Vec<EntryId>,
    entries: Vec<Option<Entry>>,
}

impl Answers {
    /// Asks everything that can be asked without writing.
    fn of(vault: &Vault) -> Self {
        let report = vault.check();
        let is_clean = report
            .as_ref()
            .is_ok_and(|report| report.findings.iter().all(|finding| *finding == CheckFinding::CopiesDiffer));
        let listed = vault.list(&Filter::all().with_retracted());
        assert!(listed.is_ok() || !is_clean, "a clean vault cannot be listed");
        let listed: Vec<EntryId> = listed.unwrap_or_default().iter().map(|listed| listed.id).collect();
        let answers = Self {
            epoch: vault.epoch(),
            is_clean,
            entries: listed.iter().map(|id| read(vault, *id, is_clean)).collect(),
            listed,
        };
        for filter in
            [Filter::all().text("slept"), Filter::all().kind(Kind::Note), Filter::all().provider("dr")]
        {
            assert!(vault.list(&filter).is_ok() || !is_clean, "a clean vault cannot be searched");
        }
        let read = [
            vault.ledger().is_ok(),
            vault.checkpoint().is_ok(),
            vault.uploads().is_ok(),
            vault.backups().is_ok(),
            vault.space().is_ok(),
        ];
        assert!(!is_clean || !read.contains(&false), "a clean vault cannot be asked: {read:?}");
        let _ = (vault.access(), vault.public_key());
        let _ = vault.preview(&Policy::everything_of(Kind::all().iter().copied()));
        answers
    }

    /// What both could read is the same.
    fn expect_same(&self, other: &Self) {
        assert!(self.epoch == other.epoch, "a writer found another state than a reader");
        let known = |answers: &Self, id: EntryId| {
            let at = answers.listed.iter().position(|other| *other == id)?;
            answers.entries.get(at)?.clone()
        };
        for id in &self.listed {
            if let (Some(one), Some(two)) = (known(self, *id), known(other, *id)) {
                assert!(one == two, "an entry reads differently");
            }
        }
    }
}

/// Reads everything about an entry.
fn read(vault: &Vault, id: EntryId, is_clean: bool) -> Option<Entry> {
    let history = vault.history(id);
    assert!(history.is_ok() || !is_clean, "a clean vault has no history of an entry");
    for revision in history.unwrap_or_default() {
        let read = vault.entry_revision(id, revision.revision);
        assert!(read.is_ok() || !is_clean, "a clean vault cannot read a revision");
    }
    let entry = vault.entry(id);
    assert!(entry.is_ok() || !is_clean, "a clean vault cannot read an entry");
    let entry = entry.ok()?;
    for number in 0..entry.attachments().len() {
        let Ok(mut reader) = vault.attachment(id, number) else { continue };
        let (size, digest) = (reader.size(), reader.content_digest());
        let mut bytes = Vec::new();
        let read = (&mut reader).take(MOST_READ).read_to_end(&mut bytes);
        assert!(read.is_ok() || !is_clean, "a clean vault cannot read an attachment");
        if read.is_ok() && size <= MOST_READ {
            assert!(bytes.len() as u64 == size, "an attachment is shorter than it says");
            assert!(ContentDigest::of(&bytes) == digest || !is_clean, "an attachment is not what it says");
        }
    }
    Some(entry)
}

/// Header, areas and roots.
fn fixed_parts(image: &[u8]) -> &[u8] {
    &image[..image.len().min(geometry::APPEND as usize)]
}

/// One new entry, and what else the flags say; what is refused as damaged changes
/// no root.
fn write(vault: Vault, disk: &SimDisk, before: &Answers, flags: u8) {
    let owner = Actor::owner();
    let note = Note { text: vec![Narrative::new("slept well").unwrap()], ..Note::default() };
    let entry = Entry::new(note, Provenance::default());
    let image = disk.image();
    let added = vault.update(&owner, |tx| tx.add(&entry));
    match &added {
        Ok(added) => {
            assert!(vault.entry(added.value).is_ok_and(|read| read == entry), "what was added is lost")
        }
        Err(error) => {
            let kept = fixed_parts(&disk.image()) == fixed_parts(&image);
            assert!(error.kind() != ErrorKind::Damaged || kept, "a refused commit wrote");
        }
    }
    change(&vault, before, flags);
    if flags & flag::BACK_UP != 0 {
        back_up(&vault, disk);
    }
    if flags & flag::COMPACT != 0 {
        let _ = vault.compact(&owner);
    }
    if before.is_clean {
        let clean = vault.check().is_ok_and(|report| report.is_clean());
        assert!(clean, "a clean vault was damaged by writing");
    }
    let epoch = vault.epoch();
    drop(vault);
    if let Ok(added) = added {
        let vault = open(disk, Access::Writing).expect("what was committed to opens");
        assert!(vault.epoch() == epoch, "a commit is lost");
        assert!(vault.entry(added.value).is_ok_and(|read| read == entry), "what was added is lost");
    }
}

/// Changes of what is there, and what is handed out.
fn change(vault: &Vault, before: &Answers, flags: u8) {
    let owner = Actor::owner();
    if flags & flag::ATTACH != 0 {
        let attachment = NewAttachment::new(Attachment::default());
        let _ = vault.attach(&owner, &attachment, &mut &b"a short letter"[..]);
    }
    if let (true, Some(id)) = (flags & flag::RETRACT != 0, before.listed.first()) {
        let _ = vault.update(&owner, |tx| tx.retract(*id, "not so"));
    }
    if let (true, Some(id)) = (flags & flag::EXPUNGE != 0, before.listed.last())
        && vault.expunge(&owner, &[*id], "order").is_ok()
    {
        assert!(vault.entry(*id).is_err(), "what was expunged is read");
    }
    if flags & flag::HAND_OUT != 0 {
        let _ = vault.export(&owner);
        let policy = Policy::everything_of(Kind::all().iter().copied());
        let _ = vault.release(&owner, &ReleaseRequest::new("court", "order", policy).unwrap());
    }
}

fn back_up(vault: &Vault, disk: &SimDisk) {
    let to = Destination::on(disk.folder(), "backup".into()).unwrap();
    if vault.backup_to(&Actor::owner(), &to, "drawer", &mut |_| {}).is_ok() {
        let copy = SimDisk::without_trace(disk.files().image("backup").unwrap().clone());
        let copy = open(&copy, Access::Reading).expect("a verified backup opens");
        assert!(copy.check().is_ok_and(|report| report.is_clean()), "a verified backup is damaged");
    }
}
