//! A holder of all keys who changes what is inside the boxes of a vault and encrypts
//! every box above anew.

use zeroize::Zeroizing;

use super::input::Input;
use crate::codec::{padding, wire};
use crate::crypto::boxes::{decrypt_committed, decrypt_once, encrypt_committed, encrypt_once};
use crate::crypto::digest::Digest;
use crate::crypto::kdf::KdfLimits;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::format::area::{AREA_LEN, Area};
use crate::format::context::{Context, Purpose, Scope};
use crate::format::header::{Header, geometry};
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::{Compartment, Place};
use crate::format::root::{PlaceBox, ROOT_LEN, Root};
use crate::keys::{Credential, Keyring, UnlockKeys};
use crate::payload::catalogue::{ObjectV1, PageV1, RowV1};

const AREAS: [u64; 2] = [geometry::AREA_A, geometry::AREA_B];
const ROOTS: [u64; 2] = [geometry::ROOT_A, geometry::ROOT_B];
/// Pages of a trie beyond which none is looked for: a forged one may have many.
const MOST_PAGES: usize = 256;

/// A vault file with its keys.
pub(super) struct Forge {
    pub(super) file: Vec<u8>,
    scope: Scope,
    keyring: Keyring,
    root: Root,
    random: Randomness,
}

/// Where a page is: the children to go through from the root page.
#[derive(Clone, Default)]
struct Path {
    children: Vec<usize>,
    prefix: [u8; 16],
}

impl Path {
    fn child(&self, index: usize, nibble: u8) -> Self {
        let mut path = self.clone();
        let depth = path.children.len();
        let shift = if depth.is_multiple_of(2) { 4 } else { 0 };
        path.prefix[depth / 2] |= nibble << shift;
        path.children.push(index);
        path
    }
}

/// Something that a trie's page names.
struct Target {
    path: Path,
    /// A row of that page, or the page itself.
    row: Option<usize>,
}

/// Replaces a part of some bytes as the input says.
fn splice(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    let at = input.position(bytes.len() + 1);
    let removed = usize::from(input.u8()).min(bytes.len() - at);
    let put = input.counted();
    bytes.splice(at..at + removed, put.iter().copied());
}

/// Overwrites a part of some bytes, whose number stays.
pub(super) fn overwrite(bytes: &mut [u8], input: &mut Input<'_>) {
    let at = input.position(bytes.len());
    let put = input.counted();
    bytes[at..].iter_mut().zip(put).for_each(|(to, from)| *to = *from);
}

impl Forge {
    /// The keys of a whole vault file.
    pub(super) fn new(file: &[u8], credential: &Credential) -> Self {
        let (header, digest) = Header::parse(&file[..4096]).unwrap();
        let scope = Scope { header: digest, vault: header.vault };
        let area = Area::parse(&file[at(AREAS[0])..at(AREAS[0]) + AREA_LEN]).unwrap();
        let mut random = Randomness::from_system();
        let keys = UnlockKeys::derive(credential, scope, area.kdf, &KdfLimits::default()).unwrap();
        let keyring = keys.open(&mut random, scope, &area).opened().unwrap().keyring;
        let stored = &file[at(ROOTS[0])..at(ROOTS[0]) + ROOT_LEN];
        let context = scope.context(Purpose::Root).schema(1).bytes();
        let root = Root::decode(&decrypt_committed(&keyring.root_key(), &context, stored).unwrap()).unwrap();
        Self { file: file.to_vec(), scope, keyring, root, random }
    }

    /// What is inside every box, with the target that parses it.
    #[cfg(test)]
    pub(super) fn plaintexts(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut plain = vec![("root_and_place", self.root.encode().to_vec())];
        for compartment in Compartment::ALL {
            plain.extend(self.place(compartment).map(|place| ("root_and_place", place.encode().to_vec())));
            for target in self.targets(compartment, false) {
                plain.extend(
                    self.contents(compartment, &target.path).unwrap().pop().map(|page| ("page", page)),
                );
                let Some(PageV1::Leaf(rows)) = self.page(compartment, &target.path) else { continue };
                for mut row in rows {
                    let encrypted = row.object.take().map(ObjectV1::into_owned);
                    let content = encrypted
                        .and_then(|encrypted| self.open(&encrypted, &self.row_context(compartment, &row)));
                    let which = match row.class {
                        1 | 2 => 6,
                        4 => 1,
                        5 => 3,
                        6 => 4,
                        9 => 8,
                        10 => 9,
                        _ => continue,
                    };
                    plain.extend(content.map(|content| ("wire_structs", [&[which], &content[..]].concat())));
                }
            }
            let Some(Target { path, .. }) = self.targets(compartment, false).into_iter().next() else {
                continue;
            };
            if let Some(PageV1::Leaf(rows)) = self.page(compartment, &path) {
                for row in rows.iter().filter(|row| matches!(row.class, 1 | 3)) {
                    let which = if row.class == 1 { 7 } else { 0 };
                    plain.push(("wire_structs", [&[which], row.inline.as_slice()].concat()));
                }
            }
        }
        plain
    }

    /// Both roots, overwritten inside.
    pub(super) fn edit_root(&mut self, input: &mut Input<'_>) {
        let mut plain = self.root.encode();
        overwrite(&mut plain, input);
        if let Ok(root) = Root::decode(&plain) {
            self.root = root;
        }
        self.publish(&plain);
    }

    /// Both areas, overwritten under a right MAC and digest, named by both roots.
    pub(super) fn edit_areas(&mut self, input: &mut Input<'_>) {
        let Some(area) = self.file.get(at(AREAS[0])..at(AREAS[0]) + AREA_LEN) else { return };
        let mut area = area.to_vec();
        // The KDF parameters and generation are a small part: half of all edits are there.
        let fields = if input.u8().is_multiple_of(2) { 96 } else { AREA_LEN - 64 };
        overwrite(&mut area[..fields], input);
        let mac = self.keyring.area_mac_key().mac(&area[..AREA_LEN - 64]);
        area[AREA_LEN - 64..AREA_LEN - 32].copy_from_slice(&mac);
        let digest = Digest::of(&[&area[..AREA_LEN - 32]]);
        area[AREA_LEN - 32..].copy_from_slice(digest.as_bytes());
        AREAS.iter().for_each(|offset| self.write(*offset, &area));
        self.root.area_digest = Area::digest(&area);
        self.root.area_generation = u64::from_le_bytes(area[..8].try_into().unwrap());
        self.publish_root();
    }

    /// A place, overwritten inside.
    pub(super) fn edit_place(&mut self, input: &mut Input<'_>) {
        let compartment = compartment(input);
        let Some(place) = self.place(compartment) else { return };
        let mut plain = place.encode();
        overwrite(&mut plain, input);
        self.set_place(compartment, &plain);
    }

    /// A page, spliced inside.
    pub(super) fn edit_page(&mut self, input: &mut Input<'_>) {
        let compartment = compartment(input);
        let targets = self.targets(compartment, false);
        if let Some(target) = pick(&targets, input) {
            self.rewrite(compartment, &target.path, &mut |content| splice(content, input));
        }
    }

    /// The content of a row's object, spliced inside.
    pub(super) fn edit_object(&mut self, input: &mut Input<'_>) {
        let compartment = compartment(input);
        let targets = self.targets(compartment, true);
        let Some(Target { path, row: Some(row) }) = pick(&targets, input) else { return };
        let Some((row, encrypted)) = self.row(compartment, path, *row) else { return };
        let context = self.row_context(compartment, &row);
        let Some(mut content) = self.open(&encrypted, &context) else { return };
        // A whole plaintext now and then, padding and all.
        let encrypted = if input.u8() == 255 {
            let mut padded = padding::pad(&content);
            splice(&mut padded, input);
            self.encrypt_plain(&context, padded)
        } else {
            splice(&mut content, input);
            self.encrypt(&context, &content)
        };
        self.change_rows(compartment, path, &mut |rows| {
            let found = rows.iter_mut().find(|other| other.key == row.key);
            if let Some(found) = found {
                found.object = Some(ObjectV1::Owned(encrypted.duplicate()));
            }
        });
    }

    /// Rows taken away, doubled under another key, or given another's object.
    pub(super) fn edit_rows(&mut self, input: &mut Input<'_>) {
        let compartment = compartment(input);
        let targets = self.targets(compartment, true);
        let Some(Target { path, row: Some(row) }) = pick(&targets, input) else { return };
        let (which, path) = (input.u8(), path.clone());
        let other = pick(&targets, input).and_then(|target| self.row(compartment, &target.path, target.row?));
        let (row, key, class) = (*row, input.take(16).to_vec(), input.u8());
        self.change_rows(compartment, &path, &mut |rows| {
            if row >= rows.len() {
                return;
            }
            match which % 5 {
                0 => drop(rows.remove(row)),
                1 => {
                    rows[row].object =
                        other.as_ref().map(|(_, encrypted)| ObjectV1::Owned(encrypted.duplicate()))
                }
                2 => rows[row].key.iter_mut().zip(&key).for_each(|(to, from)| *to = *from),
                3 => rows[row].class = class,
                _ => {
                    rows[row].revision = u64::from(class);
                    rows[row].id.iter_mut().zip(&key).for_each(|(to, from)| *to = *from);
                }
            }
            rows.sort_by_key(|row| row.key);
        });
    }

    /// Every place's live bytes, as far as its trie can be read.
    pub(super) fn count_live_bytes(&mut self) {
        for compartment in Compartment::ALL {
            let Some(mut place) = self.place(compartment) else { continue };
            let mut live = place.trie.as_ref().map_or(0, |trie| trie.object.length);
            for target in self.targets(compartment, false) {
                match self.page(compartment, &target.path) {
                    Some(PageV1::Leaf(rows)) => {
                        let objects = rows.into_iter().filter_map(|mut row| row.object.take());
                        let lengths = objects.map(|object| object.as_ref().object.length);
                        live = lengths.fold(live, u64::saturating_add);
                    }
                    Some(PageV1::Inner(children)) => {
                        let lengths = children.into_iter().map(|child| child.object.as_ref().object.length);
                        live = lengths.fold(live, u64::saturating_add);
                    }
                    None => {}
                }
            }
            place.live = live;
            self.set_place(compartment, &place.encode());
        }
    }

    fn place(&self, compartment: Compartment) -> Option<Place> {
        let stored = &self.root.places[compartment.index()].0;
        let context = self.place_context(compartment).bytes();
        let plain = decrypt_committed(self.keyring.compartment(compartment)?, &context, stored).ok()?;
        Place::decode(&plain).ok()
    }

    fn place_context(&self, compartment: Compartment) -> Context {
        self.scope.context(Purpose::Place).compartment(compartment).schema(1)
    }

    fn page_context(&self, compartment: Compartment, path: &Path) -> Context {
        let depth = path.children.len() as u64;
        self.scope.context(Purpose::Page).compartment(compartment).object(path.prefix, depth).schema(1)
    }

    fn row_context(&self, compartment: Compartment, row: &RowV1<'_>) -> Context {
        let (purpose, object) = match row.class {
            1 | 2 => (Purpose::Entry, row.id),
            5 => (Purpose::VaultRecord, row.key),
            6 => (Purpose::Directory, row.key),
            8 => (Purpose::Slice, row.id),
            9 => (Purpose::Content, row.key),
            10 => (Purpose::Upload, row.key),
            _ => (Purpose::Ledger, row.key),
        };
        self.scope.context(purpose).compartment(compartment).object(object, row.revision).schema(1)
    }

    fn open(&self, encrypted: &KeyedRef, context: &Context) -> Option<Vec<u8>> {
        let offset = u64::from_le_bytes(*encrypted.object.reference.first_chunk().unwrap());
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(encrypted.object.length).ok()?)?;
        let plain =
            decrypt_once(&encrypted.key, &context.bytes(), self.file.get(start..end)?.to_vec()).ok()?;
        padding::unpad(&plain).ok().map(<[u8]>::to_vec)
    }

    fn encrypt(&mut self, context: &Context, content: &[u8]) -> KeyedRef {
        self.encrypt_plain(context, padding::pad(content))
    }

    fn encrypt_plain(&mut self, context: &Context, plain: Zeroizing<Vec<u8>>) -> KeyedRef {
        let (key, stored) = encrypt_once(&mut self.random, &context.bytes(), plain).unwrap();
        let offset = self.file.len().max(at(geometry::APPEND));
        self.write(offset as u64, &stored);
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&(offset as u64).to_le_bytes());
        let object = ObjectRef { reference, length: stored.len() as u64 };
        KeyedRef { key, object, digest: ObjectDigest::of(&stored) }
    }

    /// The images along a path, from the root page down, with what names them.
    fn contents(&self, compartment: Compartment, path: &Path) -> Option<Vec<Vec<u8>>> {
        let mut encrypted = self.place(compartment)?.trie?;
        let mut here = Path::default();
        let mut contents = Vec::new();
        for index in path.children.iter().map(Some).chain([None]) {
            contents.push(self.open(&encrypted, &self.page_context(compartment, &here))?);
            let Some(index) = index else { break };
            let PageV1::Inner(mut children) = wire::decode(contents.last()?).ok()? else { return None };
            let child = (*index < children.len()).then(|| children.swap_remove(*index))?;
            here = here.child(*index, child.nibble);
            encrypted = child.object.into_owned();
        }
        Some(contents)
    }

    fn page(&self, compartment: Compartment, path: &Path) -> Option<PageV1<'static>> {
        wire::decode(self.contents(compartment, path)?.last()?).ok()
    }

    fn row(&self, compartment: Compartment, path: &Path, row: usize) -> Option<(RowV1<'static>, KeyedRef)> {
        let PageV1::Leaf(mut rows) = self.page(compartment, path)? else { return None };
        let mut row = (row < rows.len()).then(|| rows.swap_remove(row))?;
        let encrypted = row.object.take()?.into_owned();
        Some((row, encrypted))
    }

    /// Every page that can be reached, or every row that has an object.
    fn targets(&self, compartment: Compartment, rows: bool) -> Vec<Target> {
        let mut targets = Vec::new();
        let mut paths = vec![Path::default()];
        for _ in 0..MOST_PAGES {
            let Some(path) = paths.pop() else { break };
            match self.page(compartment, &path) {
                Some(PageV1::Leaf(found)) if rows => {
                    for (row, _) in found.iter().enumerate().filter(|(_, row)| row.object.is_some()) {
                        targets.push(Target { path: path.clone(), row: Some(row) });
                    }
                    continue;
                }
                Some(PageV1::Inner(children)) if path.children.len() < 31 => {
                    let below =
                        children.iter().enumerate().map(|(index, child)| path.child(index, child.nibble));
                    paths.extend(below);
                }
                Some(_) => {}
                None => continue,
            }
            targets.push(Target { path, row: None });
        }
        targets.retain(|target| target.row.is_some() == rows);
        targets
    }

    /// Changes the content of a page and encrypts everything above it anew.
    fn rewrite(&mut self, compartment: Compartment, path: &Path, change: &mut dyn FnMut(&mut Vec<u8>)) {
        let Some(mut contents) = self.contents(compartment, path) else { return };
        let Some(mut place) = self.place(compartment) else { return };
        let Some(content) = contents.last_mut() else { return };
        change(content);
        let mut rows = wire::decode::<PageV1<'static>>(content).ok().map(|page| rows_of(&page));
        let mut here = path.clone();
        let mut below: Option<KeyedRef> = None;
        let mut paths = vec![path.clone()];
        while here.children.pop().is_some() {
            let depth = here.children.len();
            here.prefix[depth / 2] &= if depth.is_multiple_of(2) { 0x0f } else { 0xf0 };
            paths.push(here.clone());
        }
        for (level, content) in contents.iter_mut().enumerate().rev() {
            if let Some(encrypted) = below.take() {
                let Ok(PageV1::Inner(mut children)) = wire::decode::<PageV1<'static>>(content) else {
                    return;
                };
                let child = &mut children[path.children[level]];
                child.rows = rows.unwrap_or(child.rows);
                child.object = ObjectV1::Owned(encrypted.duplicate());
                let page = PageV1::Inner(children);
                rows = Some(rows_of(&page));
                let Ok(encoded) = wire::encode(&page) else { return };
                *content = encoded.to_vec();
            }
            let context = self.page_context(compartment, &paths[path.children.len() - level]);
            below = Some(self.encrypt(&context, content));
        }
        place.trie = below;
        place.rows = rows.unwrap_or(place.rows);
        self.set_place(compartment, &place.encode());
    }

    /// Changes the rows of a leaf; a change that breaks the form of pages is none.
    fn change_rows(
        &mut self,
        compartment: Compartment,
        path: &Path,
        change: &mut dyn FnMut(&mut Vec<RowV1<'static>>),
    ) {
        self.rewrite(compartment, path, &mut |content| {
            let Ok(PageV1::Leaf(mut rows)) = wire::decode::<PageV1<'static>>(content) else { return };
            change(&mut rows);
            if let Ok(encoded) = wire::encode(&PageV1::Leaf(rows)) {
                *content = encoded.to_vec();
            }
        });
    }

    fn set_place(&mut self, compartment: Compartment, plain: &[u8]) {
        let context = self.place_context(compartment).bytes();
        let Some(key) = self.keyring.compartment(compartment) else { return };
        let stored = encrypt_committed(&mut self.random, key, &context, plain).unwrap();
        self.root.places[compartment.index()] = PlaceBox(stored.try_into().unwrap());
        self.publish_root();
    }

    fn publish_root(&mut self) {
        let end = self.file.len().max(at(geometry::APPEND)).next_multiple_of(4096);
        self.file.resize(end, 0);
        self.root.segment.end = end as u64;
        let plain = self.root.encode();
        self.publish(&plain);
    }

    fn publish(&mut self, plain: &[u8]) {
        let context = self.scope.context(Purpose::Root).schema(1).bytes();
        let stored = encrypt_committed(&mut self.random, &self.keyring.root_key(), &context, plain).unwrap();
        ROOTS.iter().for_each(|offset| self.write(*offset, &stored));
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let end = at(offset) + bytes.len();
        if self.file.len() < end {
            self.file.resize(end, 0);
        }
        self.file[at(offset)..end].copy_from_slice(bytes);
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn compartment(input: &mut Input<'_>) -> Compartment {
    Compartment::ALL[usize::from(input.u8() % 8)]
}

fn pick<'t>(targets: &'t [Target], input: &mut Input<'_>) -> Option<&'t Target> {
    let which = usize::from(input.u16());
    targets.get(which.checked_rem(targets.len())?)
}

fn rows_of(page: &PageV1<'_>) -> u64 {
    match page {
        PageV1::Leaf(rows) => rows.len() as u64,
        PageV1::Inner(children) => children.iter().fold(0, |sum, child| sum.saturating_add(child.rows)),
    }
}
