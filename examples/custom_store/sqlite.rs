//! A `Store` in an SQLite database that many vaults, and whatever else the
//! program keeps, share.
//!
//! A commit is one SQL transaction: its objects are inserted, what it withdraws
//! is deleted, and the root is swapped where the expected one stands. Readers
//! use connections of their own and, in WAL mode, never wait. SQLite has one
//! writer per database, so writers of different vaults wait for each other too;
//! a server with long imports would take PostgreSQL and an advisory lock per vault.

use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use subrosa::store::{
    Chosen, Creation, Heads, Medium, ObjectRef, Publication, Repairs, Store, StoreError, StoreWriter,
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS vault (
        patient INTEGER PRIMARY KEY,
        header BLOB NOT NULL, area BLOB NOT NULL, root BLOB NOT NULL);
    -- Ids are never used twice: an old reference finds nothing rather than something else.
    CREATE TABLE IF NOT EXISTS vault_object (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL, bytes BLOB NOT NULL);";

/// How long anything but a writer waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database, with the connections that are idle.
pub(crate) struct Database {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens the database, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        let database = Self { path: path.to_owned(), idle: Mutex::default() };
        database.connection()?.execute_batch(SCHEMA).map_err(failed)?;
        Ok(Arc::new(database))
    }

    /// A connection of one's own, idle again when it is dropped.
    pub(crate) fn connection(&self) -> Result<Pooled<'_>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path).map_err(failed)?,
        };
        Ok(Pooled { database: self, connection: Some(connection) })
    }

    /// The store of one patient's vault.
    pub(crate) fn store(self: &Arc<Self>, patient: i64) -> Arc<dyn Store> {
        Arc::new(SqliteStore { database: Arc::clone(self), patient })
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every acknowledged commit survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Deleted content is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}

/// A connection that goes back where it came from.
pub(crate) struct Pooled<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a connection is there until it is dropped")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let rolled_back = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        if rolled_back && connection.busy_timeout(PATIENCE).is_ok() {
            self.database.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// One patient's vault in the database.
struct SqliteStore {
    database: Arc<Database>,
    patient: i64,
}

impl SqliteStore {
    fn one<T>(&self, sql: &str, read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = self.database.connection()?;
        let row = connection.query_row(sql, [self.patient], read).optional().map_err(failed)?;
        row.ok_or(StoreError::NotFound)
    }
}

impl Store for SqliteStore {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        self.one("SELECT header FROM vault WHERE patient = ?1", |row| row.get(0))
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        // One statement: area and root are of one commit.
        let sql = "SELECT area, root FROM vault WHERE patient = ?1";
        self.one(sql, |row| Ok(Heads { areas: vec![row.get(0)?], roots: vec![row.get(1)?] }))
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        read_objects(&*self.database.connection()?, self.patient, objects)
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        let connection = self.database.connection()?;
        let longest = Duration::from_millis(i32::MAX as u64);
        connection.busy_timeout(wait.min(longest)).map_err(failed)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        Ok(Box::new(SqliteWriter { connection, patient: self.patient }))
    }

    /// SQLite overwrites what is deleted, but its write-ahead log, replicas and
    /// backups are the operator's.
    fn medium(&self) -> Medium {
        Medium::OperatorDependent
    }
}

fn read_objects(
    connection: &Connection,
    patient: i64,
    objects: &[ObjectRef],
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT bytes FROM vault_object WHERE id = ?1 AND patient = ?2 AND length(bytes) = ?3";
    let mut select = connection.prepare(sql).map_err(failed)?;
    let mut read = |object: &ObjectRef| {
        let id = id_of(object).ok_or(StoreError::Missing)?;
        let length = i64::try_from(object.length).map_err(|_| StoreError::Missing)?;
        let row = select.query_row(params![id, patient, length], |row| row.get(0)).optional();
        row.map_err(failed)?.ok_or(StoreError::Missing)
    };
    objects.iter().map(&mut read).collect()
}

/// A reference is the row's id in eight bytes, and eight zeros.
fn reference_of(id: i64, length: usize) -> ObjectRef {
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&id.to_le_bytes());
    ObjectRef { reference, length: length as u64 }
}

fn id_of(object: &ObjectRef) -> Option<i64> {
    let (id, rest) = object.reference.split_first_chunk::<8>()?;
    (rest == [0; 8]).then_some(i64::from_le_bytes(*id))
}

/// The writer: a transaction that is rolled back unless it is published.
struct SqliteWriter<'a> {
    connection: Pooled<'a>,
    patient: i64,
}

impl SqliteWriter<'_> {
    fn erase(&self, objects: &[ObjectRef]) -> Result<usize, StoreError> {
        let sql = "DELETE FROM vault_object WHERE id = ?1 AND patient = ?2";
        let mut delete = self.connection.prepare(sql).map_err(failed)?;
        let ids = objects.iter().filter_map(id_of);
        ids.map(|id| delete.execute(params![id, self.patient]).map_err(failed)).sum()
    }

    fn commit(&self, erased: usize) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(failed)?;
        if erased > 0 {
            // The log still holds the pages as they were. Another reader may keep it
            // from being cut now: that is why the medium depends on the operator.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
        }
        Ok(())
    }
}

impl StoreWriter for SqliteWriter<'_> {
    /// A transaction of SQLite is durable or it is not there.
    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        let erased = self.erase(chosen.erase)?;
        if erased > 0 {
            self.commit(erased)?;
            // Whoever came between is found out by the root at publication.
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        }
        Ok(Repairs::default())
    }

    fn start(&mut self, _append_end: u64) {}

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let sql = "INSERT INTO vault_object (patient, bytes) VALUES (?1, ?2)";
        let mut insert = self.connection.prepare(sql).map_err(failed)?;
        let put = objects.iter().map(|bytes| {
            let id = insert.insert(params![self.patient, bytes]).map_err(failed)?;
            Ok(reference_of(id, bytes.len()))
        });
        put.collect()
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        read_objects(&self.connection, self.patient, objects)
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO vault (patient, header, area, root) VALUES (?1, ?2, ?3, ?4)";
        let values = params![self.patient, creation.header, creation.area, creation.root];
        if self.connection.execute(sql, values).map_err(failed)? == 0 {
            return Err(StoreError::Exists);
        }
        self.commit(0)
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        let sql = "UPDATE vault SET root = ?2, area = coalesce(?3, area) WHERE patient = ?1 AND root = ?4";
        let Publication { root, new_area, expected, .. } = *publication;
        let swapped = self.connection.execute(sql, params![self.patient, root, new_area, expected]);
        if swapped.map_err(failed)? == 0 {
            return Err(StoreError::Conflict);
        }
        let erased = self.erase(publication.erase)?;
        self.commit(erased)
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::NoSpace,
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Io { source: io::Error::other(error) },
    }
}
