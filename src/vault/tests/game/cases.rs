//! Cases of the game that chance seldom deals.

use super::super::basics::{diagnosis, file, options};
use super::super::disk::{Change, Event, SimDisk};
use super::super::tamper::at;
use super::history::{Act, History, Own, Step, Who, Work};
use super::view::{Observer, View};
use super::{cut_at, rules};
use crate::format::header::geometry;
use crate::format::segment::{HIDDEN_PART, LEAST, PROTECTED_PART, class};
use crate::store::{Segment, StoreWriter as _, Tier};
use crate::testing::seed_randomness;
use crate::*;

const SEALED: Compartment = Compartment::Sealed;

/// A commit of the owner's in which an everyday onlooker sees nothing.
fn unseen(seed: u64, own: [Own; 2]) -> Step {
    Step { seed, writer: Who::Owner, reopens: None, act: Act::Work(Vec::new()), own }
}

fn nothing() -> Own {
    Own::Work(Vec::new())
}

fn add(words: usize) -> Own {
    Own::Work(vec![Work::Add { to: SEALED, words, number: 1 }])
}

fn both() -> [History; 2] {
    [(), ()].map(|()| History::new(Who::Clinic))
}

/// What an everyday onlooker sees of each.
fn views(histories: &[History; 2]) -> [View; 2] {
    histories.each_ref().map(|history| Observer::new(Who::Clinic.credential()).look(&history.disk, &[]))
}

fn assert_alike(histories: &[History; 2]) {
    let [one, other] = views(histories);
    assert_eq!(one.differs_from(&other, false), None);
}

#[test]
fn the_rules_of_the_games_cover_every_onlooker_with_and_without_withdrawals() {
    let dealt: Vec<_> = (0..4).map(|seed| (rules(seed).onlooker, rules(seed).withdraws)).collect();
    assert_eq!(dealt.iter().filter(|(onlooker, _)| *onlooker == Who::Clinic).count(), 2);
    assert!(dealt.contains(&(Who::Clinic, true)) && dealt.contains(&(Who::Clinician, false)));
}

/// Bytes that stand where nothing names them are not looked at, even if they are those of an
/// object that would open.
#[test]
fn a_filler_that_looks_like_data_is_filler() {
    let mut history = History::new(Who::Clinic);
    let ids = history.ids();
    let Segment { end, .. } = history.open(Who::Owner).unlocked().unwrap().snapshot.root.segment;
    history.close();
    let mut image = history.disk.image();
    let (filler, data) = (at(end) - 4096..at(end), at(geometry::APPEND)..at(geometry::APPEND) + 4096);
    let data = image[data].to_vec();
    assert!(image[filler.clone()].iter().any(|byte| *byte != 0));
    image[filler].copy_from_slice(&data);
    let disk = SimDisk::without_trace(image);
    let vault = disk.unlock(&Who::Owner.credential()).unwrap();
    assert_eq!(vault.recovery(), Recovery::NotNeeded);
    assert!(ids.iter().all(|id| vault.entry(*id).is_ok()));
    assert_eq!(vault.check().unwrap().findings, []);
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).unwrap();
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_segment_that_fills_its_class_is_as_long_whatever_is_in_its_parts_and_one_byte_more_shows() {
    let parts = PROTECTED_PART + HIDDEN_PART;
    let everyday = vec![9; usize::try_from(class(2 * LEAST + parts) - parts).unwrap()];
    let put = |tier: Tier, bytes: u64| {
        let history = History::new(Who::Clinic);
        let store = history.disk.store();
        let mut writer = store.lock(std::time::Duration::ZERO).unwrap();
        writer.start(geometry::APPEND);
        writer.set_apart(&[Tier::Everyday, Tier::Protected, Tier::Hidden], false);
        let references = writer.put(&[&everyday]).unwrap();
        writer.put_in(tier, &[&vec![3; usize::try_from(bytes).unwrap()]]).unwrap();
        let Segment { start, end, parts, .. } = writer.end_segment().unwrap();
        ((start, end, parts, references), writer.is_beyond_parts())
    };
    let (empty, _) = put(Tier::Hidden, 0);
    assert_eq!(empty.1 - empty.0, parts + everyday.len() as u64, "no filler");
    for (tier, most) in [(Tier::Protected, PROTECTED_PART), (Tier::Hidden, HIDDEN_PART)] {
        for bytes in [1, most - 1, most] {
            assert_eq!(put(tier, bytes), (empty.clone(), false), "{bytes} bytes of {tier:?}");
        }
        let (longer, shows) = put(tier, most + 1);
        assert!(shows && longer.1 > empty.1, "one byte more than the part of {tier:?}");
    }
}

#[test]
fn what_a_part_has_no_room_for_shows_and_the_commit_says_so() {
    let shows = |words: usize| {
        let mut histories = both();
        let step = unseen(7, [nothing(), add(words)]);
        let [_, shows] = [0, 1].map(|number| histories[number].play(&step, number).shows_more);
        let [one, other] = views(&histories);
        (shows, one.differs_from(&other, true).is_some())
    };
    // The longest text for which there is room, by halves.
    let (mut fits, mut too_long) = (1, 4096);
    assert_eq!((shows(fits), shows(too_long)), ((false, false), (true, true)));
    while too_long - fits > 1 {
        let words = usize::midpoint(fits, too_long);
        let (says, differs) = shows(words);
        assert_eq!(says, differs, "{words} words");
        *(if says { &mut too_long } else { &mut fits }) = words;
    }
    assert!(fits * 16 > 12 << 10, "most of the part is for what is hidden: {fits} words");
}

#[test]
fn a_list_that_is_carried_over_three_commits_and_then_finished_looks_like_none() {
    let mut histories = both();
    for history in &mut histories {
        history.open(Who::Owner);
    }
    let before = histories.each_ref().map(|history| history.disk.trace().events.len());
    let expunge = Own::Work(vec![Work::Expunge { entry: 2 }]);
    let step = unseen(3, [nothing(), expunge]);
    for (number, history) in histories.iter_mut().enumerate() {
        history.play(&step, number);
    }
    assert!(histories[1].has_withdrawn_unseen(Who::Owner));
    let gone: Vec<EntryId> = {
        let left = histories[1].ids();
        histories[0].ids().into_iter().filter(|id| !left.contains(id)).collect()
    };
    assert_eq!(gone.len(), 1);
    // The process ends right after the first root is written: nothing is erased yet.
    for (number, history) in histories.iter_mut().enumerate() {
        history.leave();
        let trace = history.disk.trace();
        let is_root = |event: &Event| {
            let roots = [geometry::ROOT_A, geometry::ROOT_B].map(at);
            matches!(event, Event::Change(Change::Write { offset, .. }) if roots.contains(offset))
        };
        let written = (before[number]..trace.events.len()).find(|event| is_root(&trace.events[*event]));
        history.disk = cut_at(&trace, written.unwrap());
    }
    let is_listed = |history: &History| {
        let owner = history.disk.open().unwrap().unlock_read_only(&Who::Owner.credential()).unwrap();
        owner.unlocked().unwrap().reader().erase_lists().into_iter().map(Result::unwrap).next()
    };
    let listed = is_listed(&histories[1]).expect("there is a list");
    let listed: Vec<_> = listed
        .iter()
        .map(|object| at(u64::from_le_bytes(*object.reference.first_chunk().unwrap())))
        .collect();
    let bytes = |history: &History| -> Vec<Vec<u8>> {
        listed.iter().map(|start| history.disk.image()[*start..start + 64].to_vec()).collect()
    };
    let there = bytes(&histories[1]);
    for seed in 0..3 {
        let seen = Act::Work(vec![Work::Add { to: Compartment::General, words: 5, number: 3 }]);
        let own = [nothing(), nothing()];
        let step = Step { seed, writer: Who::Clinic, reopens: Some(seed > 0), act: seen, own };
        for (number, history) in histories.iter_mut().enumerate() {
            history.play(&step, number);
        }
        assert_alike(&histories);
        assert!(bytes(&histories[1]) == there && is_listed(&histories[1]).is_some(), "it is carried over");
    }
    for (number, history) in histories.iter_mut().enumerate() {
        history.play(&Step { reopens: Some(true), ..unseen(9, [nothing(), nothing()]) }, number);
        history.close();
        assert!(history.open(Who::Owner).check().unwrap().is_clean());
    }
    assert_alike(&histories);
    assert!(bytes(&histories[1]).iter().zip(&there).all(|(now, then)| now != then), "it was finished");
    assert!(is_listed(&histories[1]).is_none());
    let [one, other] = histories.each_mut().map(|history| history.open(Who::Owner).entry(gone[0]).is_ok());
    assert!(one && !other);
}

/// Fills what a compaction has room for, in the second history alone; both make as many
/// commits.
fn fill_reserve(histories: &mut [History; 2]) -> u64 {
    for seed in 0.. {
        let step = unseen(seed, [nothing(), Own::Attach(SEALED, 3000)]);
        let live = histories[1].live();
        // The next one, with its pages, would be more than there is room for.
        let room = crate::format::segment::compacted(live[0], 0);
        if live[0] + live[1] + 6000 > room {
            return seed;
        }
        for (number, history) in histories.iter_mut().enumerate() {
            assert!(!history.play(&step, number).shows_more);
        }
    }
    unreachable!("the reserve has an end")
}

#[test]
fn a_compacted_file_is_as_long_with_nothing_hidden_as_with_the_whole_reserve() {
    let mut histories = both();
    let commits = fill_reserve(&mut histories);
    assert!(commits > 4, "{commits} commits fill the reserve");
    assert_alike(&histories);
    let compact = |histories: &mut [History; 2]| {
        let step = Step { act: Act::Compact, ..unseen(99, [nothing(), nothing()]) };
        for (number, history) in histories.iter_mut().enumerate() {
            history.play(&step, number);
            history.close();
        }
    };
    compact(&mut histories);
    assert_alike(&histories);
    // What is beyond it shows.
    for seed in 200..212 {
        let step = unseen(seed, [nothing(), Own::Attach(SEALED, 12_000)]);
        for (number, history) in histories.iter_mut().enumerate() {
            history.play(&step, number);
        }
    }
    assert!(!histories[1].fits_compacted());
    compact(&mut histories);
    let [one, other] = views(&histories);
    assert!(one.differs_from(&other, false).is_some());
}

#[test]
fn when_a_file_is_compacted_at_closing_does_not_tell_what_is_hidden() {
    crate::testing::make_worth_compacting(0);
    let mut histories = both();
    fill_reserve(&mut histories);
    let mut is_due = [false; 2];
    for seed in 300..330 {
        for (number, history) in histories.iter_mut().enumerate() {
            history.play(&unseen(seed, [nothing(), nothing()]), number);
            is_due[number] = history.open(Who::Owner).space().unwrap().is_compaction_due();
        }
        assert_eq!(is_due[0], is_due[1], "commit {seed}");
    }
    assert!(is_due[0]);
    crate::testing::make_worth_compacting(16 << 20);
}

/// A change of keys writes the root page of every compartment anew: the parts have room for
/// those, however full they are.
#[test]
fn new_keys_do_not_show_how_much_is_in_compartments_that_others_do_not_open() {
    let mut histories = both();
    let display = "Persistent depressive disorder with anxious distress, early onset ".repeat(3);
    let places = [SEALED, Compartment::PsychotherapyNotes, Compartment::SubstanceUse];
    for number in 0..90 {
        let entry = diagnosis(&format!("F{number}"), &display, "2019-03-04");
        let put = |tx: &mut Transaction<'_>| tx.add_in(places[number % 3], &entry).map(drop);
        histories[0].play(&unseen(number as u64, [nothing(), nothing()]), 0);
        let committed = histories[1].open(Who::Owner).update(&Actor::owner(), put).unwrap();
        assert!(!committed.shows_more);
    }
    for history in &mut histories {
        let vault = history.open(Who::Owner);
        let listed = vault.access().unwrap();
        let password = listed.into_iter().find(|access| access.name == "password").unwrap();
        let change = AccessChange::default().revoking([password.id]);
        vault.change_access(&Actor::owner(), &change).unwrap();
        history.close();
    }
    let ends = histories
        .each_mut()
        .map(|history| history.open(Who::Owner).unlocked().unwrap().snapshot.root.segment)
        .map(|segment| (segment.start, segment.end, segment.parts));
    assert_eq!(ends[0], ends[1]);
    assert_alike(&histories);
}

#[test]
fn a_visit_that_wrote_where_others_do_not_look_and_one_that_did_nothing_look_alike() {
    let visit = |renews: bool, seen: &[Work], own: &Own| {
        let mut histories = both();
        for (number, history) in histories.iter_mut().enumerate() {
            history.renews = renews;
            let act = Act::Visit(seen.to_vec());
            history.play(&Step { act, ..unseen(5, [nothing(), own.clone()]) }, number);
        }
        let [one, other] = views(&histories);
        one.differs_from(&other, true)
    };
    let seen = Work::Add { to: Compartment::General, words: 5, number: 3 };
    for seen in [&[][..], &[seen]] {
        for own in [add(3), Own::Attach(SEALED, 5000), nothing()] {
            assert_eq!(visit(true, seen, &own), None, "{seen:?} {own:?}");
            let differs = visit(false, seen, &own).is_some();
            assert_eq!(differs, !matches!(own, Own::Work(work) if work.is_empty()));
        }
    }
}

/// Whoever creates a vault and writes there at once has nobody else's commits to hide among.
#[test]
fn a_new_vault_looks_alike_whatever_was_written_where_others_do_not_look() {
    let commits = |writes: bool| {
        let (_folder, path) = file();
        let (owner, clinic) = (Who::Owner.credential(), Who::Clinic.credential());
        let mut new = NewVault::individual(&owner);
        new.access.push(Access::new(&clinic, "clinic", Grant::of(&[Compartment::General])));
        let vault = Vault::create(&path, &new, options().with_renewal_at_close(true)).unwrap();
        if writes {
            let entry = diagnosis("J45", "Asthma", "2019");
            vault.update(&Actor::owner(), |tx| tx.add_in(SEALED, &entry)).unwrap();
        }
        vault.close().unwrap();
        let clinic = LockedVault::open(&path, options()).unwrap().unlock_read_only(&clinic).unwrap();
        clinic.ledger().unwrap().iter().map(|line| line.action).collect::<Vec<_>>()
    };
    let told = commits(false);
    assert!(told.contains(&Action::Renewed));
    assert_eq!(commits(true), told);
}

/// Nobody else is there, or everybody else opens the same: nothing is written for them.
#[test]
fn a_vault_without_anybody_to_hide_from_makes_no_commit_at_closing() {
    let (owner, second) = (Who::Owner.credential(), Who::Clinic.credential());
    for (name, access, renews) in [
        ("alone", vec![], false),
        ("two owners", vec![Access::to_everything(&second, "second")], false),
        ("a clinic", vec![Access::new(&second, "clinic", Grant::of(&[Compartment::General]))], true),
    ] {
        let (_folder, path) = file();
        let mut new = NewVault::individual(&owner);
        new.access.extend(access);
        let options = options().with_renewal_at_close(true);
        Vault::create(&path, &new, options.clone()).unwrap().close().unwrap();
        let open = || LockedVault::open(&path, options.clone()).unwrap();
        let before = open().unlock_read_only(&owner).unwrap().epoch();
        open().unlock(&owner).unwrap().close().unwrap();
        let after = open().unlock_read_only(&owner).unwrap();
        assert_eq!(after.epoch() > before, renews, "{name}");
        if renews {
            let line = after.ledger().unwrap().pop().unwrap();
            assert_eq!((line.action, line.actor.as_str()), (Action::Renewed, "subrosa"));
            // Who cannot write hidden compartments makes none.
            let mut epoch = after.epoch().number();
            let mut made = || {
                let before = epoch;
                epoch = open().unlock_read_only(&owner).unwrap().epoch().number();
                epoch - before
            };
            open().unlock(&second).unwrap().close().unwrap();
            assert_eq!(made(), 0);
            let entry = diagnosis("J45", "Asthma", "2019");
            for (to, commits) in [(Compartment::General, 2), (SEALED, 1)] {
                let vault = open().unlock(&owner).unwrap();
                vault.update(&Actor::owner(), |tx| tx.add_in(to, &entry)).unwrap();
                vault.close().unwrap();
                assert_eq!(made(), commits, "{to}");
            }
            // Keys that are forgotten are those of a handle that closes.
            open().unlock(&owner).unwrap().forget_keys().unwrap();
            assert_eq!(made(), 1);
        }
    }
}

/// A vault in which an entry was amended, exported and released, another one came by an import,
/// and a third one has a file. Gives them.
fn with_history(history: &mut History) -> Vec<EntryId> {
    let owner = Actor::owner();
    let vault = history.open(Who::Owner);
    let asthma = diagnosis("J45", "Asthma", "2019");
    let amended = vault.update(&owner, |tx| Ok([tx.add(&asthma)?, tx.add(&asthma)?])).unwrap().value;
    vault.update(&owner, |tx| tx.amend(amended[0], &diagnosis("J45.1", "Asthma", "2019"), "better")).unwrap();
    let line = |id: &str| format!(r#"{{"resourceType":"Condition","id":"{id}","code":{{"text":"gout"}}}}"#);
    let mut import = Import::new(ImportOptions::default());
    let lines = [line("9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8"), line("17")].join("\n");
    import.read(Some("portal.ndjson"), lines.as_bytes()).unwrap();
    let report = super::super::take_all(vault, &owner, &import.finish().unwrap()).unwrap();
    let new = NewAttachment::new(Attachment::default());
    let file = vault.attach(&owner, &new, &mut &[7; 900][..]).unwrap().value;
    vault.export(&owner).unwrap();
    let request = ReleaseRequest::new("An insurer", "a claim", Policy::only(amended)).unwrap();
    vault.release(&owner, &request).unwrap();
    vec![amended[0], report.added[0], report.added[1], file]
}

/// Whoever opens everyday compartments, or protected ones too, does not tell whether an entry
/// went to `sealed` or for good: not by lines, lengths, links, nor by what was overwritten.
#[test]
fn an_entry_that_was_moved_away_and_one_that_was_expunged_look_alike() {
    for onlooker in [Who::Clinic, Who::Clinician] {
        for number in 0..4 {
            let mut histories = both();
            let mut observers = [(), ()].map(|()| Observer::new(onlooker.credential()));
            let ids = histories.each_mut().map(|history| {
                seed_randomness(91);
                with_history(history)[number]
            });
            let mut look = |histories: &[History; 2], probes: &[EntryId]| {
                let [one, other] = [0, 1].map(|at| observers[at].look(&histories[at].disk, probes));
                one.differs_from(&other, true)
            };
            assert_eq!(look(&histories, &[]), None);
            let there = [0, 1].map(|at| {
                let committed = histories[at].open(Who::Owner).update(&Actor::owner(), |tx| match at {
                    0 => tx.expunge(ids[0], "an order").map(|()| None),
                    _ => tx.move_to(ids[1], SEALED, Some("an order")).map(Some),
                });
                let committed = committed.unwrap();
                assert!(!committed.shows_more);
                committed.value
            });
            let probes = [ids[0], ids[1], there[1].unwrap()];
            assert_eq!(look(&histories, &probes), None, "{onlooker:?} {number}");
            for history in &mut histories {
                history.close();
            }
            assert_eq!(look(&histories, &probes), None, "{onlooker:?} {number} at rest");
            assert!(histories[1].open(Who::Owner).entry(probes[2]).is_ok());
        }
    }
}
