//! SQLCipher and SQLite through rusqlite: the same bytes under the same 16-byte
//! ids, prepared statements, full durability, a raw key.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use subrosa::EntryId;

/// With a key it is SQLCipher, without one plain SQLite.
#[derive(Clone, Copy)]
pub struct Peer {
    pub key: bool,
    /// Write-ahead log or rollback journal.
    pub journal: &'static str,
}

impl Peer {
    pub const CIPHER: Self = Self { key: true, journal: "WAL" };
    pub const PLAIN: Self = Self { key: false, journal: "WAL" };

    pub fn name(self) -> String {
        format!("{} ({})", if self.key { "SQLCipher" } else { "SQLite" }, self.journal)
    }

    pub fn open(self, path: &Path) -> Connection {
        let connection = Connection::open(path).expect("the database opens");
        if self.key {
            // A raw key and salt: no key derivation.
            let key = "07".repeat(32) + &"05".repeat(16);
            connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\";")).expect("the key is taken");
        }
        connection
    }

    pub fn create(self, path: &Path) -> Connection {
        let connection = self.open(path);
        let journal = self.journal;
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
                 CREATE TABLE entry (id BLOB PRIMARY KEY, body BLOB NOT NULL);"
            ))
            .expect("the table is made");
        connection
    }
}

pub fn insert_all(connection: &mut Connection, rows: &[(EntryId, Vec<u8>)]) {
    let transaction = connection.transaction().expect("a transaction begins");
    {
        let mut insert =
            transaction.prepare_cached("INSERT INTO entry VALUES (?1, ?2)").expect("the statement is right");
        for (id, body) in rows {
            insert.execute(params![id.as_bytes(), body]).expect("the row is taken");
        }
    }
    transaction.commit().expect("the commit succeeds");
}

pub fn insert_one(connection: &Connection, id: u128, body: &[u8]) {
    let mut insert =
        connection.prepare_cached("INSERT INTO entry VALUES (?1, ?2)").expect("the statement is right");
    insert.execute(params![id.to_le_bytes(), body]).expect("the row is taken");
}

pub fn read_one(connection: &Connection, id: &EntryId) -> Vec<u8> {
    let mut select =
        connection.prepare_cached("SELECT body FROM entry WHERE id = ?1").expect("the statement is right");
    let body = select.query_row(params![id.as_bytes()], |row| row.get(0)).optional();
    body.expect("the query runs").expect("the row is there")
}

/// Reads every body; gives their total length.
pub fn scan(connection: &Connection) -> usize {
    let mut select = connection.prepare_cached("SELECT body FROM entry").expect("the statement is right");
    let mut rows = select.query([]).expect("the query runs");
    let mut total = 0;
    while let Some(row) = rows.next().expect("the row is read") {
        let body = row.get_ref(0).expect("there is a body").as_blob().expect("it is bytes");
        total += std::hint::black_box(body.to_vec()).len();
    }
    total
}
