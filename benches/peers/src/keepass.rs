//! KeePass files through the keepass crate: its whole file is read and written.

use std::fs::File;
use std::path::Path;

use keepass::config::{DatabaseConfig, KdfConfig};
use keepass::{Database, DatabaseKey};
use subrosa::{Actor, LockedVault, VaultOptions};

use crate::measure::{Bench, Target};
use crate::records;

const ENTRIES: usize = 10_000;

fn key() -> DatabaseKey {
    DatabaseKey::new().with_password("a long sentence that nobody else says")
}

/// Open, read everything, change one entry, save durably; password work apart.
pub fn all(bench: &mut Bench, folder: &Path) {
    let entries = records::entries(ENTRIES, 1024);
    let (path, peer) = (folder.join("ours"), folder.join("theirs.kdbx"));
    let ids = records::fill(&records::create(&path), &entries);
    let owner = Actor::owner();
    let ours = bench.time("keepass", "vault", |b| {
        b.iter(|| {
            let locked = LockedVault::open(&path, VaultOptions::default()).expect("the file opens");
            let vault = locked.unlock(&records::credential()).expect("the key is right");
            let mut all = Vec::new();
            vault
                .for_each_entry(|id, entry| {
                    all.push((id, entry));
                    Ok(())
                })
                .expect("every entry opens");
            vault.update(&owner, |tx| tx.amend(ids[0], &entries[0], "")).expect("the commit succeeds");
            all
        });
    });
    let mut config = DatabaseConfig::default();
    config.kdf_config = KdfConfig::Aes { rounds: 1 };
    let mut database = Database::with_config(config);
    for entry in &entries {
        let subrosa::Record::Note(note) = &entry.record else { unreachable!("they are notes") };
        database.root_mut().add_entry().set_unprotected("Notes", note.text[0].as_str());
    }
    let save = |database: &Database| {
        // As programs do it: a new file under another name, then renamed.
        let new = folder.join("new.kdbx");
        let mut file = File::create(&new).expect("a file is made");
        database.save(&mut file, key()).expect("the database is written");
        file.sync_all().expect("the file is durable");
        std::fs::rename(&new, &peer).expect("the file is renamed");
        File::open(folder).and_then(|folder| folder.sync_all()).expect("the folder is durable");
    };
    save(&database);
    let theirs = bench.time("keepass", "keepass", |b| {
        b.iter(|| {
            let mut file = File::open(&peer).expect("the file opens");
            let mut database = Database::open(&mut file, key()).expect("the key is right");
            let id = database.iter_all_entries().next().expect("there is an entry").id();
            database.entry_mut(id).expect("it is there").set_unprotected("Title", "changed");
            save(&database);
            database
        });
    });
    let what = format!("open {ENTRIES} entries, read all, change one, save");
    bench.speed(&what, ours, "keepass", theirs, Target::None);
}
