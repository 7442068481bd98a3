//! Beside the bare operations that cannot be done without.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest as _, Sha256};
use subrosa::measured::Encrypter;
use subrosa::vault::KdfCost;
use subrosa::{Actor, Credential, LockedVault, NewVault, Vault, VaultOptions};

use crate::measure::{Bench, Target};
use crate::records;
use crate::sqlite::{self, Peer};

/// One entry's content of 1 KiB.
pub fn content(bench: &mut Bench) {
    let content = records::entries(1, 1024).iter().flat_map(subrosa::measured::encoded).collect::<Vec<u8>>();
    let mut encrypter = Encrypter::default();
    let ours = bench.time("content", "encrypt", |b| b.iter(|| encrypter.encrypt(black_box(&content))));
    let mut number = 0u64;
    let mut fresh_key = move || {
        number += 1;
        let mut key = [7; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key
    };
    let bare = bench.time("content", "bare encrypt", |b| {
        b.iter(|| {
            let mut bytes = Vec::with_capacity(content.len() + 16);
            bytes.extend_from_slice(black_box(&content));
            let tag = Aes256Gcm::new(&fresh_key().into())
                .encrypt_inout_detached(&Nonce::from([0; 12]), &[], bytes.as_mut_slice().into())
                .expect("a short text encrypts");
            bytes.extend_from_slice(&tag);
            (Sha256::digest(&bytes), bytes)
        });
    });
    let name = "AES-256-GCM + SHA-256";
    bench.cost("encrypt a 1 KiB entry", ours, name, bare, Target::AtMost(1.5));
    let encrypted = encrypter.encrypt(&content);
    let ours = bench.time("content", "decrypt", |b| b.iter(|| encrypter.open(black_box(&encrypted))));
    let mut bytes = content.clone();
    let tag = Aes256Gcm::new(&[7; 32].into())
        .encrypt_inout_detached(&Nonce::from([0; 12]), &[], bytes.as_mut_slice().into())
        .expect("a short text encrypts");
    let bare = bench.time("content", "bare decrypt", |b| {
        b.iter(|| {
            let mut plain = black_box(&bytes).clone();
            let digest = Sha256::new().chain_update(&plain).chain_update(tag).finalize();
            Aes256Gcm::new(&[7; 32].into())
                .decrypt_inout_detached(&Nonce::from([0; 12]), &[], plain.as_mut_slice().into(), &tag)
                .expect("it is what was encrypted");
            (plain, digest)
        });
    });
    bench.cost("decrypt a 1 KiB entry", ours, name, bare, Target::AtMost(1.5));
}

/// Unlocking with a password beside the one Argon2id run that it needs.
pub fn unlock(bench: &mut Bench, folder: &Path) {
    let path = folder.join("password");
    let password: Credential =
        Credential::password("a long sentence that nobody else says").expect("it is long");
    drop(
        Vault::create(&path, &NewVault::individual(&password), VaultOptions::default())
            .expect("a vault is made"),
    );
    let ours = bench.time("unlock", "vault", |b| {
        b.iter(|| {
            let locked = LockedVault::open(&path, VaultOptions::default()).expect("the file opens");
            locked.unlock(&password).expect("the password is right")
        });
    });
    let KdfCost { memory_kib, passes, lanes } = KdfCost::STANDARD;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).expect("they are valid");
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let bare = bench.time("unlock", "argon2id", |b| {
        b.iter(|| {
            let mut key = [0; 32];
            argon
                .hash_password_into(b"a long sentence that nobody else says", &[1; 32], &mut key)
                .expect("it runs");
            key
        });
    });
    bench.cost("unlock with a password", ours, "Argon2id", bare, Target::AtMost(1.05));
}

/// One durable commit of a 1 KiB entry.
pub fn commit(bench: &mut Bench, folder: &Path) {
    let entry = records::entry(1024, 1);
    let body = subrosa::measured::encoded(&entry);
    let owner = Actor::owner();
    let vault = records::create(&folder.join("commit"));
    records::fill(&vault, &records::entries(10_000, 1024));
    let ours = bench.time("commit", "vault", |b| {
        b.iter(|| vault.update(&owner, |tx| tx.add(&entry)).expect("the commit succeeds"));
    });
    let file =
        OpenOptions::new().create_new(true).write(true).open(folder.join("bare")).expect("a file is made");
    file.write_all_at(&vec![1; 64 << 20], 0).expect("the file is filled");
    file.sync_all().expect("the file is durable");
    let mut offset = 0;
    let bare = bench.time("commit", "bare", |b| {
        b.iter(|| {
            file.write_all_at(&body, offset % (63 << 20)).expect("the write succeeds");
            file.sync_data().expect("the write is durable");
            offset += body.len() as u64;
        });
    });
    bench.cost("durable commit to 10000 entries", ours, "append + fdatasync", bare, Target::None);
    for journal in ["WAL", "DELETE"] {
        let peer = Peer { journal, ..Peer::CIPHER };
        let connection = peer.create(&folder.join(format!("commit-{journal}")));
        let mut id = 0;
        let theirs = bench.time("commit", journal, |b| {
            b.iter(|| {
                id += 1;
                sqlite::insert_one(&connection, id, &body);
            });
        });
        let target = match journal {
            "WAL" => Target::AtMostOr { wanted: 1.0, must: 1.5 },
            _ => Target::None,
        };
        bench.cost("durable commit to 10000 entries", ours, &peer.name(), theirs, target);
    }
}
