//! Attachments of any size go in and out in constant memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read;

use subrosa::record::Attachment;
use subrosa::vault::NewAttachment;
use subrosa::{Actor, NewVault, RawKey, Vault, VaultOptions};

const SIZE: u64 = 300 << 20;
/// What one direction may take beside what the process had before.
const MOST: u64 = 24 << 20;

/// Bytes that cost nothing to make: each block differs from the one before.
struct Synthetic(u64);

impl Read for Synthetic {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = usize::try_from(SIZE - self.0).unwrap().min(buffer.len()).min(64 * 1024);
        let byte = (self.0 / 65536 % 251).to_le_bytes()[0];
        buffer.get_mut(..count).unwrap().fill(byte);
        self.0 += count as u64;
        Ok(count)
    }
}

/// The most memory that this process ever had (proc(5), VmHWM).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn three_hundred_mebibytes_go_in_and_out_in_constant_memory() {
    let folder = tempfile::tempdir().unwrap();
    let key = RawKey::from_bytes(&[1; 32]).into();
    let path = folder.path().join("a.vault");
    let vault = Vault::create(&path, &NewVault::individual(&key), VaultOptions::default()).unwrap();
    let before = peak();
    let new = NewAttachment::new(Attachment::default()).expecting_size(SIZE);
    let id = vault.attach(&Actor::owner(), &new, &mut Synthetic(0)).unwrap().value;
    assert_eq!(vault.epoch().number(), 1 + 5, "64 MiB at a time");
    assert!(peak() - before < MOST, "attaching took {} MiB", (peak() - before) >> 20);
    let (mut reader, mut source) = (vault.attachment(id, 0).unwrap(), Synthetic(0));
    let (mut found, mut expected) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut total = 0;
    loop {
        let count = reader.read(&mut found).unwrap();
        if count == 0 {
            break;
        }
        source.read_exact(expected.get_mut(..count).unwrap()).unwrap();
        assert!(found.get(..count) == expected.get(..count));
        total += count as u64;
    }
    assert_eq!(total, SIZE);
    assert!(peak() - before < MOST, "both took {} MiB", (peak() - before) >> 20);
}
