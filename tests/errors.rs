//! What an embedder does with errors: act on the kind, print the chain, use `?`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use subrosa::interop::ImportError;
use subrosa::record::{Diagnosis, Narrative, Note};
use subrosa::release::CodeFilter;
use subrosa::store::StoreError;
use subrosa::{
    Actor, Credential, Entry, EntryId, Error, ErrorKind, Filter, Import, ImportOptions, Kind, LockedVault,
    Mask, NewVault, PartialDate, Policy, Provenance, RawKey, Token, Vault, VaultOptions,
};

fn vault(key: &Credential) -> Vault {
    Vault::create_in_memory(&NewVault::individual(key), VaultOptions::default()).unwrap()
}

fn key() -> Credential {
    Credential::from(RawKey::generate().unwrap())
}

/// Each text of a chain, from the outermost error inwards.
fn chain(error: &dyn StdError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

fn assert_says_each_thing_once(error: &dyn StdError) {
    let texts = chain(error);
    for (index, text) in texts.iter().enumerate() {
        assert!(!texts[..index].iter().any(|outer| outer.contains(text)), "{texts:?}");
    }
}

/// The causes of all errors of the library as they are declared: one that is in the
/// message is not a source.
#[test]
fn no_declared_error_repeats_its_source() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut variants = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for part in text.split("#[error(").skip(1) {
            let (message, rest) = part.split_once(")]").unwrap();
            let own = rest.split("#[error(").next().unwrap().split("\n}").next().unwrap();
            let is_source = own.contains("#[from]") || own.contains("#[source]") || own.contains(" source: ");
            let is_said = message.contains("{source") || message.contains("{0");
            assert!(!(is_source && is_said), "{}: {message}", file.display());
            variants += 1;
        }
    }
    assert!(variants > 100, "{variants}: the declarations are written in another way now");
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.extend(path.extension().is_some_and(|end| end == "rs").then_some(path)),
        }
    }
}

#[test]
fn what_the_system_said_is_the_source_and_printed_once() {
    let cause = || io::Error::new(io::ErrorKind::PermissionDenied, "no permission at all");
    for error in [
        Error::Source { source: cause() },
        Error::Destination { source: cause() },
        Error::Store(StoreError::Io { source: cause() }),
        Error::Store(StoreError::Sync { source: cause() }),
        Error::Import(ImportError::Read(cause())),
    ] {
        assert_eq!(chain(&error).last().unwrap(), "no permission at all", "{error:?}");
        assert_eq!(chain(&error).len(), 2, "{error:?}");
        assert_says_each_thing_once(&error);
        assert_eq!(error.kind(), ErrorKind::Environment);
    }
}

#[test]
fn what_the_library_says_itself_is_in_the_message() {
    let import =
        Import::new(ImportOptions::default()).read(None, &b"{\"resourceType\": tru}"[..]).err().unwrap();
    let issue = subrosa::excerpt::IssueExcerptError::from(subrosa::excerpt::VerifyError::from(
        subrosa::excerpt::KeyError::Unsupported,
    ));
    let issue = Error::from(issue);
    for error in [&import as &dyn StdError, &issue] {
        assert_says_each_thing_once(error);
    }
    assert!(issue.to_string().contains("for signatures"), "{issue}");
}

#[test]
fn a_kind_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.vault");
    let (key, other) = (key(), key());
    let open = || LockedVault::open(&path, VaultOptions::default());
    let create = || Vault::create(&path, &NewVault::individual(&key), VaultOptions::default());
    assert_eq!(open().err().unwrap().kind(), ErrorKind::NotFound);
    let vault = create().unwrap();
    assert_eq!(create().err().unwrap().kind(), ErrorKind::Exists);
    assert_eq!(open().unwrap().unlock(&other).err().unwrap().kind(), ErrorKind::WrongCredential);
    let absent = EntryId::from_bytes([7; 16]);
    assert_eq!(vault.entry(absent).err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(vault.expunge(&Actor::owner(), &[], "x").err().unwrap().kind(), ErrorKind::Refused);
    vault.forget_keys().unwrap();
    assert_eq!(vault.list(&Filter::default()).err().unwrap().kind(), ErrorKind::Locked);
    drop(vault);
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let damaged = open().and_then(|vault| vault.unlock(&key));
    assert_eq!(damaged.err().unwrap().kind(), ErrorKind::Damaged);
}

#[test]
fn whoever_waits_for_another_writer_in_vain_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.vault");
    let key = key();
    let options = || VaultOptions::default().with_lock_wait(std::time::Duration::ZERO);
    let vault = Vault::create(&path, &NewVault::individual(&key), options()).unwrap();
    let second = LockedVault::open(&path, options()).unwrap().unlock(&key).unwrap();
    let busy = vault.update(&Actor::owner(), |_| second.update(&Actor::owner(), |_| Ok(())));
    let error = busy.err().unwrap();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Busy, true), "{error}");
}

/// One function with `?` for all that an embedder builds on the way to an entry.
fn build() -> Result<(Entry, Policy), Error> {
    let mut note = Note::default();
    note.title = Some(Token::new("a title")?);
    note.text = vec![Narrative::new("words")?];
    note.date = Some("2024-05".parse::<PartialDate>()?);
    let entry = Entry::new(note, Provenance::default());
    let filter: CodeFilter = "http://loinc.org|8867-4".parse()?;
    let id: EntryId = "00112233445566778899aabbccddeeff".parse()?;
    let policy =
        Policy::everything_of([Kind::Note]).with_code(filter).and_entry(id).mask("date", Mask::Year)?;
    let mut import = Import::new(ImportOptions::default());
    import.read(None, &br#"{"resourceType": "Patient", "id": "1"}"#[..])?;
    import.finish()?;
    Ok((entry, policy))
}

#[test]
fn one_question_mark_does_for_all_that_is_built() {
    assert!(build().is_ok());
    let refused: Error = Token::new("").unwrap_err().into();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Refused, "unusable-text"));
}

#[derive(Debug)]
enum Own {
    Vault(Error),
    Mine,
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self::Vault(error)
    }
}

#[test]
fn a_closure_may_have_an_error_of_its_own_and_nothing_is_written_then() {
    let key = key();
    let vault = vault(&key);
    let entry = Entry::new(Diagnosis::default(), Provenance::default());
    let mine = vault.try_update(&Actor::owner(), |tx| {
        tx.add(&entry)?;
        Err::<(), _>(Own::Mine)
    });
    assert!(matches!(mine, Err(Own::Mine)));
    let absent = EntryId::from_bytes([7; 16]);
    let vaults = vault.try_update(&Actor::owner(), |tx| {
        tx.retract(absent, "x")?;
        Ok::<_, Own>(())
    });
    assert!(matches!(vaults, Err(Own::Vault(Error::NoSuchEntry { .. }))));
    assert!(vault.list(&Filter::default()).unwrap().is_empty());
    let id = vault.try_update(&Actor::owner(), |tx| Ok::<_, Own>(tx.add(&entry)?)).unwrap().value;
    let visited = vault.try_for_each_entry(|found, _| if found == id { Err(Own::Mine) } else { Ok(()) });
    assert!(matches!(visited, Err(Own::Mine)));
    vault.try_for_each_entry(|_, _| Ok::<_, Own>(())).unwrap();
    vault.forget_keys().unwrap();
    let locked = vault.try_for_each_entry(|_, _| Ok::<_, Own>(()));
    assert!(matches!(locked, Err(Own::Vault(Error::Locked))));
}
