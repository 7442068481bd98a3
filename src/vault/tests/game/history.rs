//! One of two histories of a vault, and what is done in it: in both the same in the
//! compartments that an onlooker opens, and in each what it likes in all others.

use std::sync::OnceLock;

use super::super::basics::{diagnosis, individual, key, note, options};
use super::super::disk::SimDisk;
use super::super::workload::{guest, owner, password};
use crate::crypto::random::Randomness;
use crate::engine::facts::Action;
use crate::format::segment::{Tier, compacted};
use crate::store::Destination;
use crate::testing::seed_randomness;
use crate::vault::session::create::file_image;
use crate::*;

/// Whose credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Everything.
    Owner,
    /// Everyday and protected compartments.
    Clinician,
    /// Everyday compartments alone.
    Clinic,
}

const PROTECTED: [Compartment; 2] = [Compartment::PsychotherapyNotes, Compartment::SubstanceUse];

impl Who {
    pub(super) fn credential(self) -> Credential {
        match self {
            Self::Owner => owner(),
            Self::Clinician => key(3),
            Self::Clinic => key(2),
        }
    }

    pub(super) fn opens(self, compartment: Compartment) -> bool {
        match self {
            Self::Owner => true,
            Self::Clinician => compartment.tier() < Tier::Hidden,
            Self::Clinic => compartment.tier() == Tier::Everyday,
        }
    }

    fn actor(self) -> Actor {
        match self {
            Self::Owner => Actor::owner(),
            Self::Clinician => Actor::new("Dr. Fennimore").unwrap(),
            Self::Clinic => Actor::new("front desk").unwrap(),
        }
    }
}

/// A piece of work; entries are named by their number among those that it may be about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Add {
        to: Compartment,
        words: usize,
        number: usize,
    },
    Amend {
        entry: usize,
        words: usize,
        is_explained: bool,
    },
    Retract {
        entry: usize,
    },
    Expunge {
        entry: usize,
    },
    /// To another compartment; an entry that is there is retracted.
    Move {
        entry: usize,
        to: Compartment,
    },
}

/// What makes a commit in both histories.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// What everybody sees of the commit, which may be nothing. Each history adds its own.
    Work(Vec<Work>),
    /// Somebody with all keys opens the vault, does what everybody sees, if anything, adds what
    /// this history adds, if anything, and closes it.
    Visit(Vec<Work>),
    Attach(usize),
    Import(usize),
    Release(usize),
    Export,
    BackUp,
    ChangePassword,
    Grant,
    Revoke,
    Compact,
}

/// What a history adds in compartments that the onlooker does not open.
#[derive(Debug, Clone)]
pub(super) enum Own {
    Work(Vec<Work>),
    /// In a commit in which everybody sees nothing.
    Attach(Compartment, usize),
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) seed: u64,
    pub(super) writer: Who,
    /// Whether the vault is closed and opened again before, and closed or merely left.
    pub(super) reopens: Option<bool>,
    pub(super) act: Act,
    pub(super) own: [Own; 2],
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) answer: String,
    pub(super) shows_more: bool,
}

/// Entries and where they are.
type Entries = Vec<(Compartment, EntryId)>;

static NEW: OnceLock<(Vec<u8>, Entries)> = OnceLock::new();

pub(super) struct History {
    pub(super) disk: SimDisk,
    vault: Option<(Who, Vault)>,
    onlooker: Who,
    entries: Entries,
    password: String,
    guests: usize,
    /// Whether a visit makes a commit, whatever was done.
    pub(super) renews: bool,
}

impl History {
    /// A copy of one vault at rest, with an entry in each compartment.
    pub(super) fn new(onlooker: Who) -> Self {
        let (image, entries) = NEW.get_or_init(new_vault).clone();
        let disk = SimDisk::new(image);
        Self { disk, vault: None, onlooker, entries, password: "password".into(), guests: 0, renews: true }
    }

    /// The entries that this writer opens, and the onlooker too or not.
    fn entries(&self, writer: Who, are_seen: bool) -> Entries {
        let is_due = |entry: &&(Compartment, EntryId)| {
            writer.opens(entry.0) && self.onlooker.opens(entry.0) == are_seen
        };
        self.entries.iter().filter(is_due).copied().collect()
    }

    pub(super) fn ids(&self) -> Vec<EntryId> {
        self.entries.iter().map(|(_, id)| *id).collect()
    }

    pub(super) fn open(&mut self, who: Who) -> &Vault {
        if self.vault.as_ref().is_none_or(|(opened, _)| *opened != who) {
            self.vault = None;
            let locked = self.disk.open_with(options().with_renewal_at_close(self.renews)).unwrap();
            self.vault = Some((who, locked.unlock(&who.credential()).unwrap()));
        }
        &self.vault.as_ref().unwrap().1
    }

    pub(super) fn close(&mut self) {
        if let Some((_, vault)) = self.vault.take() {
            vault.close().unwrap();
        }
    }

    /// Leaves without closing, as a process that ends.
    pub(super) fn leave(&mut self) {
        self.vault = None;
    }

    /// Whether a compaction has room for what the onlooker does not open.
    pub(super) fn fits_compacted(&mut self) -> bool {
        let live = self.live();
        live[0] + live[1] <= compacted(live[0], 0)
    }

    /// Live bytes of everyday compartments and of all others.
    pub(super) fn live(&mut self) -> [u64; 2] {
        let unlocked = self.open(Who::Owner).unlocked().unwrap();
        let mut live = [0; 2];
        for (compartment, place) in Compartment::ALL.into_iter().zip(&unlocked.snapshot.places) {
            live[usize::from(compartment.tier() != Tier::Everyday)] += place.as_ref().unwrap().live;
        }
        live
    }

    /// Whether the last commit, by this writer, withdrew something from a compartment that the
    /// onlooker does not open. Lists of places that the writer does not hold are older.
    pub(super) fn has_withdrawn_unseen(&self, writer: Who) -> bool {
        let files = SimDisk::of_files(self.disk.files());
        let vault = files.open().unwrap().unlock_read_only(&owner()).unwrap();
        let unlocked = vault.unlocked().unwrap();
        let is_unseen = |place: Compartment| writer.opens(place) && !self.onlooker.opens(place);
        unlocked.reader().named_erase_lists().any(|(compartment, _)| is_unseen(compartment))
    }

    /// Does a step as the history of this number.
    pub(super) fn play(&mut self, step: &Step, number: usize) -> Done {
        match step.reopens {
            Some(true) => self.close(),
            Some(false) => self.leave(),
            None => {}
        }
        if matches!(step.act, Act::Visit(_)) {
            self.close();
        }
        self.open(step.writer);
        seed_randomness(step.seed);
        let shows_more = match (&step.act, &step.own[number]) {
            (Act::Work(work), Own::Attach(to, length)) if work.is_empty() => {
                self.attach(step.writer, *to, *length, step.seed)
            }
            (Act::Work(work), own) => {
                let own = if let Own::Work(own) = own { own.as_slice() } else { &[] };
                self.work(step, work, own)
            }
            (Act::Visit(seen), own) => {
                if !seen.is_empty() {
                    self.work(&Step { seed: !step.seed, ..step.clone() }, seen, &[]);
                }
                let shows_more = match own {
                    Own::Attach(to, length) => self.attach(step.writer, *to, *length, step.seed),
                    Own::Work(work) if work.is_empty() => false,
                    Own::Work(work) => self.work(step, &[], work),
                };
                self.close();
                shows_more
            }
            (Act::Attach(length), _) => self.attach(step.writer, Compartment::General, *length, step.seed),
            (act, _) => return Done { answer: self.alone(step, act), shows_more: false },
        };
        Done { answer: String::new(), shows_more }
    }

    /// One commit of what everybody sees and then of what the onlooker does not; without
    /// either everything is encrypted anew and nothing else.
    fn work(&mut self, step: &Step, seen: &[Work], own: &[Work]) -> bool {
        let by = step.writer;
        let parts = [(seen, self.entries(by, true)), (own, self.entries(by, false))];
        let (actor, is_renewal) = (step.writer.actor(), seen.is_empty());
        let (mut added, mut gone) = (Entries::new(), Vec::new());
        let vault = self.open(step.writer);
        let committed = vault.update(&actor, |tx| {
            // Drawn alike, whatever the handle drew before.
            tx.work.random = Randomness::seeded(step.seed);
            if is_renewal {
                tx.announce(Action::Renewed);
            }
            for (work, entries) in &parts {
                for piece in *work {
                    do_piece(tx, piece, entries, &mut added, &mut gone)?;
                }
            }
            Ok(())
        });
        self.entries.extend(added);
        self.entries.retain(|(_, id)| !gone.contains(id));
        committed.unwrap().shows_more
    }

    fn attach(&mut self, writer: Who, to: Compartment, length: usize, seed: u64) -> bool {
        let title = Some(Token::new("scan").unwrap());
        let new = NewAttachment::new(Attachment { title, ..Attachment::default() }).in_compartment(to);
        let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(length).collect();
        let committed = self.open(writer).attach(&writer.actor(), &new, &mut &bytes[..]).unwrap();
        self.entries.push((to, committed.value));
        committed.shows_more
    }

    /// An act that is a commit of its own.
    fn alone(&mut self, step: &Step, act: &Act) -> String {
        let actor = step.writer.actor();
        let seen = self.entries(step.writer, true);
        let (from, to) = (self.password.clone(), format!("password {}", step.seed));
        let words = |text: &str| Password::new(text.to_owned()).unwrap();
        let guests = self.guests;
        let disk = self.disk.clone();
        let vault = self.open(step.writer);
        let said =
            |result: Result<(), Error>| result.map_or_else(|error| error.to_string(), |()| "done".into());
        match act {
            Act::Import(count) => {
                let report = super::super::take_all(vault, &actor, &imported(step.seed, *count)).unwrap();
                self.entries.extend(report.added.iter().map(|id| (Compartment::General, *id)));
                report.added.len().to_string()
            }
            Act::Release(entry) => {
                let policy = Policy::only([seen[entry % seen.len()].1]);
                let request = ReleaseRequest::new("An insurer", "a claim", policy).unwrap();
                said(vault.release(&actor, &request).map(drop))
            }
            Act::Export => said(vault.export(&actor).map(drop)),
            Act::BackUp => {
                let name = format!("backup-{}", vault.epoch());
                let to = Destination::on(disk.folder(), name.into()).unwrap();
                said(vault.backup_to(&actor, &to, "in the drawer", &mut |_| {}).map(drop))
            }
            Act::ChangePassword => {
                vault.change_password(&actor, words(&from), words(&to)).unwrap();
                self.password = to;
                "changed".into()
            }
            Act::Grant => {
                let credential = guest(100 + u8::try_from(guests).unwrap());
                let grant = Grant::of(&[Compartment::General]);
                let access = Access { credential: &credential, name: &format!("guest {guests}"), grant };
                vault.change_access(&actor, &AccessChange::default().adding(access)).unwrap();
                self.guests += 1;
                "granted".into()
            }
            Act::Revoke => {
                let listed = vault.access().unwrap();
                let guest = listed.into_iter().find(|access| access.name.starts_with("guest"));
                let change = AccessChange::default().revoking(guest.map(|guest| guest.id));
                said(vault.change_access(&actor, &change).map(drop))
            }
            Act::Compact => format!("{:?}", vault.compact(&actor).unwrap()),
            Act::Work(_) | Act::Visit(_) | Act::Attach(_) => unreachable!("done before"),
        }
    }
}

fn do_piece(
    tx: &mut Transaction<'_>,
    piece: &Work,
    entries: &Entries,
    added: &mut Entries,
    gone: &mut Vec<EntryId>,
) -> Result<(), Error> {
    let chosen = |number: usize| entries.get(number % entries.len().max(1));
    match *piece {
        Work::Add { to, words, number } => {
            added.push((to, tx.add_in(to, &entry(to, words, number))?));
        }
        Work::Amend { entry: chosen_by, words, is_explained } => {
            if let Some((compartment, id)) = chosen(chosen_by) {
                let reason = if is_explained { "better known" } else { "" };
                tx.amend(*id, &entry(*compartment, words, chosen_by), reason)?;
            }
        }
        Work::Retract { entry } => {
            if let Some((_, id)) = chosen(entry) {
                tx.retract(*id, "entered in error")?;
            }
        }
        Work::Expunge { entry } => {
            if let Some((_, id)) = chosen(entry) {
                tx.expunge(*id, "order")?;
                gone.push(*id);
            }
        }
        Work::Move { entry, to } => {
            match chosen(entry) {
                // Something is done all the same: it may be all that makes the commit.
                Some((place, id)) if *place == to => tx.retract(*id, "entered in error")?,
                Some((_, id)) => {
                    added.push((to, tx.move_to(*id, to, Some("order"))?));
                    gone.push(*id);
                }
                None => {}
            }
        }
    }
    Ok(())
}

/// An entry of this compartment, of about so many words.
fn entry(compartment: Compartment, words: usize, number: usize) -> Entry {
    let text = format!("slept badly {number} ").repeat(words.max(1));
    match compartment {
        Compartment::PsychotherapyNotes => note("psychotherapy", &text),
        Compartment::General if number.is_multiple_of(2) => {
            diagnosis("J45", &format!("Asthma {number}"), "2019-03-04")
        }
        _ => note("progress", &text),
    }
}

fn imported(seed: u64, count: usize) -> Imported {
    let line = |at: usize| {
        format!(
            r#"{{"resourceType":"Condition","id":"{:08x}-3c1d-4a7e-9b52-{:012x}","code":{{"text":"Asthma"}}}}"#,
            seed >> 32,
            (seed << 16 >> 16) + at as u64
        )
    };
    let lines: Vec<String> = (0..count).map(line).collect();
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), lines.join("\n").as_bytes()).unwrap();
    import.finish().unwrap()
}

/// A vault with three keys and a password, and an entry or two in each compartment.
fn new_vault() -> (Vec<u8>, Entries) {
    seed_randomness(0x6a3e);
    let [owner, clinic, clinician] = [Who::Owner, Who::Clinic, Who::Clinician].map(Who::credential);
    let password = password("password");
    let protected = Grant::of(&[Compartment::General, PROTECTED[0], PROTECTED[1]]);
    let access = vec![
        Access::to_everything(&owner, "owner"),
        Access { credential: &clinic, name: "clinic", grant: Grant::of(&[Compartment::General]) },
        Access { credential: &clinician, name: "clinician", grant: protected },
        Access::to_everything(&password, "password"),
    ];
    let disk = SimDisk::new(file_image(&NewVault { access, ..individual(&owner) }, &options()));
    let vault = disk.unlock(&owner).unwrap();
    let general = Compartment::General;
    let places = [general, general, general, PROTECTED[0], PROTECTED[1], Compartment::Sealed];
    let add = |tx: &mut Transaction<'_>| {
        let numbered = places.into_iter().enumerate();
        numbered.map(|(number, place)| Ok((place, tx.add_in(place, &entry(place, 20, number))?))).collect()
    };
    let entries = vault.update(&Actor::owner(), add).unwrap().value;
    vault.close().unwrap();
    (disk.image(), entries)
}
