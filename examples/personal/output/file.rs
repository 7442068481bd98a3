//! New files, which only their owner may read: kept whole or not at all.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// A file that was not there before, which only its owner may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new private file, kept only if everything that is to be in it gets there.
pub(crate) struct NewFile<'a> {
    path: &'a Path,
    file: File,
    whole: bool,
}

impl<'a> NewFile<'a> {
    /// Creates the file, empty.
    pub(crate) fn create(path: &'a Path) -> Result<Self, Failure> {
        let file = create_private(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::refused("there is a file of the output's name already; choose another name")
            }
            _ => Failure::creating(path, &error),
        })?;
        Ok(Self { path, file, whole: false })
    }

    /// What a library writes to.
    pub(crate) fn as_writer(&mut self) -> &mut impl io::Write {
        &mut self.file
    }

    /// Writes a part.
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(content)
            .map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Takes room for this many bytes, so that a full disk shows before anything is done that
    /// cannot be undone. What is written goes there; the rest is given back.
    pub(crate) fn reserve(&mut self, length: u64) -> Result<(), Failure> {
        let zeros = io::repeat(0).take(length);
        let taken =
            io::copy(&mut io::BufReader::new(zeros), &mut self.file).and_then(|_| self.file.sync_all());
        taken
            .and_then(|()| self.file.rewind())
            .map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Makes what is written durable, before something is done that needs it.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        let durable = self.file.sync_all();
        durable.map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Makes the file durable and gives it another name, never another file's.
    pub(crate) fn finish_as(self, name: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::refused("there is a file of the output's name already; choose another name")
            }
            _ => Failure::file("the output file cannot be written", &error),
        };
        self.file.sync_all().map_err(failed)?;
        match std::fs::hard_link(self.path, name) {
            // Where there are no hard links: reserve the name first.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) =>
            {
                create_private(name).map_err(failed)?;
                std::fs::rename(self.path, name).map_err(failed)
            }
            // Dropping takes the temporary name away.
            result => result.map_err(failed),
        }
    }

    /// Makes the file durable and keeps it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let cut = self.file.stream_position().and_then(|end| self.file.set_len(end));
        cut.map_err(|error| Failure::file("the output file cannot be written", &error))?;
        self.sync()?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.whole {
            // Half a file helps nobody; what cannot be removed stays, 0600.
            let _ = std::fs::remove_file(self.path);
        }
    }
}
