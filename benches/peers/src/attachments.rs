//! Attachments beside files of the age crate: the same bytes in and out, durable.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use age::x25519::Identity;
use age::{Decryptor, Encryptor};
use criterion::BatchSize;
use subrosa::record::Attachment;
use subrosa::vault::NewAttachment;
use subrosa::{Actor, EntryId, Vault};

use crate::measure::{Bench, Target};
use crate::records;

const MEBIBYTES: usize = 64;

/// Bytes that no compression or deduplication makes fewer.
fn bytes() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut bytes = Vec::with_capacity(MEBIBYTES << 20);
    while bytes.len() < MEBIBYTES << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes
}

fn attach(vault: &Vault, bytes: &[u8]) -> EntryId {
    let mut new = Attachment::default();
    new.title = Some(subrosa::Token::new("a scan").expect("a short title"));
    let attached = vault.attach(&Actor::owner(), &NewAttachment::new(new), &mut { bytes });
    attached.expect("the attachment is stored").value
}

fn encrypt(identity: &Identity, path: &Path, bytes: &[u8]) {
    let recipient = identity.to_public();
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .expect("there is a recipient");
    let file = File::create(path).expect("the file is made");
    let mut out =
        encryptor.wrap_output(BufWriter::with_capacity(1 << 20, &file)).expect("the header is written");
    out.write_all(bytes).expect("the bytes are written");
    out.finish().expect("the last chunk is written").flush().expect("the file is written");
    file.sync_all().expect("the file is durable");
}

/// Reads to the end through a buffer of 64 KiB; gives how many bytes there were.
fn drain(mut from: impl Read) -> usize {
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        match from.read(&mut buffer).expect("it is read") {
            0 => return total,
            read => total += std::hint::black_box(buffer.get(..read)).map_or(0, <[u8]>::len),
        }
    }
}

pub fn all(bench: &mut Bench, folder: &Path) {
    let bytes = bytes();
    let (path, peer) = (folder.join("attached"), folder.join("attached.age"));
    let identity = Identity::generate();
    let last = Cell::new(None);
    let ours = bench.time("attachments", "attach", |b| {
        b.iter_batched(
            || {
                drop(last.take());
                let _ = std::fs::remove_file(&path);
                records::create(&path)
            },
            |vault| {
                let id = attach(&vault, &bytes);
                last.set(Some((vault, id)));
            },
            BatchSize::PerIteration,
        );
    });
    let theirs = bench.time("attachments", "age encrypt", |b| b.iter(|| encrypt(&identity, &peer, &bytes)));
    let what = format!("store an attachment of {MEBIBYTES} MiB");
    bench.speed(&what, ours, "age", theirs, Target::AtLeastOr { wanted: 1.3, must: 1.0 });
    let (vault, id) = last.take().expect("an attachment was stored");
    let ours = bench.time("attachments", "extract", |b| {
        b.iter(|| assert_eq!(drain(vault.attachment(id, 0).expect("it is there")), bytes.len()));
    });
    let theirs = bench.time("attachments", "age decrypt", |b| {
        b.iter(|| {
            let file = BufReader::with_capacity(1 << 20, File::open(&peer).expect("the file opens"));
            let decryptor = Decryptor::new_buffered(file).expect("the header is right");
            let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
            assert_eq!(drain(reader.expect("the identity opens it")), bytes.len());
        });
    });
    let what = format!("read an attachment of {MEBIBYTES} MiB");
    bench.speed(&what, ours, "age", theirs, Target::AtLeastOr { wanted: 1.5, must: 1.0 });
}
