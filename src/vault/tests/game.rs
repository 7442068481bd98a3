//! The game of two histories: in both the same is done, at the same times and by the same
//! writers, in the compartments that an onlooker opens; in all others each history does what
//! it likes. After every commit, at every crash and at rest the onlooker sees the same.
//!
//! Two things are compared apart. With all copies of the file, what a withdrawal from a
//! compartment that the onlooker does not open overwrote shows. So where a history withdraws
//! there, traces of it are not compared, and lines are. And what is more than a commit sets
//! apart shows: such a commit ends the game, if it said so.

mod cases;
mod history;
mod view;

use self::history::{Act, Done, History, Own, Step, Who, Work};
use self::view::{Difference, Observer};
use super::disk::{Chance, CrashState, Event, SimDisk, Trace};
use crate::testing::{Sabotage, sabotage};
use crate::*;

/// Games that are played unless more are asked for.
const LEAST_GAMES: u64 = 32;
const STEPS: usize = 14;

/// What a game came to.
#[derive(Debug, Default)]
struct Played {
    steps: usize,
    crashes: usize,
    /// A commit said that it shows more.
    showed_more: bool,
}

/// How a game is played.
#[derive(Debug, Clone, Copy)]
struct Rules {
    seed: u64,
    onlooker: Who,
    /// Whether anything is withdrawn from what the onlooker does not open.
    withdraws: bool,
}

struct Game {
    rules: Rules,
    chance: Chance,
    histories: [History; 2],
    observers: [Observer; 2],
    /// Events of the disks before the present step.
    before: [usize; 2],
    /// The directory before was overwritten and the list that says so is still there: every
    /// opening by the owner overwrites it again, where a part or a compaction had put it.
    keys_changed: bool,
    /// Traces count in the present step.
    traces_count: bool,
}

impl Game {
    fn new(rules: Rules) -> Self {
        let Rules { seed, onlooker, .. } = rules;
        let chance = Chance::new(seed);
        let histories = [(), ()].map(|()| History::new(onlooker));
        let observers = [(), ()].map(|()| Observer::new(onlooker.credential()));
        Self { rules, chance, histories, observers, before: [0; 2], keys_changed: false, traces_count: true }
    }

    /// Plays to the end; where the views differ, how.
    fn play(mut self) -> Result<Played, Box<(Step, Difference)>> {
        let mut played = Played::default();
        let mut last = None;
        for _ in 0..STEPS {
            let step = self.draw();
            self.before = self.histories.each_ref().map(|history| history.disk.trace().events.len());
            let done: Vec<Done> = (0..2).map(|number| self.histories[number].play(&step, number)).collect();
            if done.iter().any(|done| done.shows_more) {
                played.showed_more = true;
                return Ok(played);
            }
            if let Some(difference) = self.compare(&step, &done) {
                return Err(Box::new((step, difference)));
            }
            played.steps += 1;
            last = Some(step);
        }
        let Some(step) = last else { return Ok(played) };
        match self.crash(&mut played) {
            Some(difference) => Err(Box::new((step, difference))),
            None => Ok(played),
        }
    }

    /// What everybody may see is the same; traces too, as long as neither history withdrew what
    /// the onlooker does not open.
    fn compare(&mut self, step: &Step, done: &[Done]) -> Option<Difference> {
        let answers = [&done[0].answer, &done[1].answer];
        if answers[0] != answers[1] {
            return Some(answers.map(Clone::clone));
        }
        let mut probes: Vec<EntryId> = self.histories.iter().flat_map(History::ids).collect();
        probes.sort_unstable();
        probes.dedup();
        let views: Vec<_> =
            (0..2).map(|number| self.observers[number].look(&self.histories[number].disk, &probes)).collect();
        let unseen = self.histories.iter().any(|history| history.has_withdrawn_unseen(step.writer));
        let renews = matches!(step.act, Act::ChangePassword | Act::Grant | Act::Revoke);
        self.traces_count = !self.rules.withdraws && !renews && !self.keys_changed;
        self.keys_changed = renews || self.keys_changed && step.writer != Who::Owner;
        assert!(!unseen || renews || self.rules.withdraws, "{step:?} withdraws what nobody asked for");
        views[0].differs_from(&views[1], self.traces_count)
    }

    /// The last step is cut short, at the same write in both histories; then the onlooker comes,
    /// or somebody who has all keys, or one after the other.
    fn crash(&mut self, played: &mut Played) -> Option<Difference> {
        let traces: Vec<Trace> = self.histories.iter().map(|history| history.disk.trace()).collect();
        let writes = |number: usize| -> Vec<usize> {
            let events = traces[number].events.iter().enumerate().skip(self.before[number]);
            events.filter(|(_, event)| matches!(event, Event::Change(_))).map(|(at, _)| at).collect()
        };
        let writes = [writes(0), writes(1)];
        let count = writes[0].len().min(writes[1].len());
        if !self.traces_count || writes[0].len() != writes[1].len() || count == 0 {
            return None;
        }
        for _ in 0..2 {
            let cut = self.chance.below(count);
            let owner_first = self.chance.one_in(2);
            let mut views = Vec::new();
            for number in 0..2 {
                let disk = cut_at(&traces[number], writes[number][cut]);
                if owner_first {
                    disk.unlock(&Who::Owner.credential()).unwrap().close().unwrap();
                }
                views.push(Observer::new(self.rules.onlooker.credential()).look(&disk, &[]));
            }
            played.crashes += 1;
            // What the recovery of an opening with all keys erases is what a withdrawal does.
            if let Some(difference) = views[0].differs_from(&views[1], !owner_first) {
                return Some(difference);
            }
        }
        None
    }

    fn draw(&mut self) -> Step {
        if self.chance.one_in(8) {
            let writer = Who::Owner;
            let own = [0, 1].map(|_| self.draw_own(writer, &Act::Work(Vec::new())));
            let seed = self.chance.draw();
            // What the history calls a change: in other compartments it would be a renewal.
            let add = Work::Add { to: Compartment::General, words: 40, number: 7 };
            let act = Act::Visit(if seed.is_multiple_of(2) { vec![add] } else { Vec::new() });
            return Step { seed, writer, reopens: None, act, own };
        }
        let writer = match self.chance.below(6) {
            0 => Who::Clinic,
            1 => Who::Clinician,
            _ => Who::Owner,
        };
        let reopens = match self.chance.below(6) {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        };
        let act = self.draw_act(writer);
        let own = [0, 1].map(|_| self.draw_own(writer, &act));
        Step { seed: self.chance.draw(), writer, reopens, act, own }
    }

    fn draw_act(&mut self, writer: Who) -> Act {
        let everyday = [Compartment::General];
        let all = [Compartment::General, Compartment::PsychotherapyNotes, Compartment::SubstanceUse];
        let seen: Vec<Compartment> = match self.rules.onlooker {
            Who::Clinic => everyday.to_vec(),
            _ => all.into_iter().filter(|compartment| writer.opens(*compartment)).collect(),
        };
        match self.chance.below(20) {
            0..=4 => Act::Work(Vec::new()),
            5..=8 => Act::Work(self.draw_work(&seen, true)),
            9..=10 => Act::Attach(1 + self.chance.below(40_000)),
            11 => Act::Import(1 + self.chance.below(4)),
            12 => Act::Release(self.chance.below(99)),
            13 => Act::Export,
            14 => Act::BackUp,
            _ if writer != Who::Owner => Act::Work(self.draw_work(&seen, true)),
            15 => Act::ChangePassword,
            16 => Act::Grant,
            17 => Act::Revoke,
            _ if self.histories.iter_mut().all(History::fits_compacted) => Act::Compact,
            _ => Act::Work(Vec::new()),
        }
    }

    /// One piece about an entry that is there, and perhaps some additions.
    fn draw_work(&mut self, to: &[Compartment], may_withdraw: bool) -> Vec<Work> {
        let add = |chance: &mut Chance| Work::Add {
            to: to[chance.below(to.len())],
            words: 1 + chance.below(120),
            number: chance.below(99),
        };
        let entry = self.chance.below(99);
        let (words, is_explained) = (1 + self.chance.below(60), may_withdraw && self.chance.one_in(2));
        let first = match self.chance.below(if may_withdraw { 8 } else { 4 }) {
            0 | 1 => add(&mut self.chance),
            2 | 3 => Work::Amend { entry, words, is_explained },
            4 => Work::Retract { entry },
            5 => Work::Expunge { entry },
            // What was in a compartment of its own does not come to `general`.
            _ => match to.iter().filter(|to| **to != Compartment::General).collect::<Vec<_>>()[..] {
                [] => Work::Expunge { entry },
                ref to => Work::Move { entry, to: *to[self.chance.below(to.len())] },
            },
        };
        let more = self.chance.below(2);
        std::iter::once(first).chain((0..more).map(|_| add(&mut self.chance))).collect()
    }

    fn draw_own(&mut self, writer: Who, act: &Act) -> Own {
        let unseen: Vec<Compartment> =
            [Compartment::PsychotherapyNotes, Compartment::SubstanceUse, Compartment::Sealed]
                .into_iter()
                .filter(|place| writer.opens(*place) && !self.rules.onlooker.opens(*place))
                .collect();
        let nothing = Own::Work(Vec::new());
        match act {
            Act::Work(_) if unseen.is_empty() || self.chance.one_in(3) => nothing,
            Act::Work(work) if work.is_empty() && self.chance.one_in(4) => {
                let to = unseen[self.chance.below(unseen.len())];
                let most = if to == Compartment::Sealed { 20_000 } else { 6_000 };
                Own::Attach(to, 1 + self.chance.below(most))
            }
            Act::Work(_) => Own::Work(self.draw_work(&unseen, self.rules.withdraws)),
            _ => nothing,
        }
    }
}

/// The disk of a process that ended with the change of this number.
fn cut_at(trace: &Trace, last: usize) -> SimDisk {
    let mut files = trace.base.clone();
    for event in &trace.events[..=last] {
        if let Event::Change(change) = event {
            change.apply(&mut files);
        }
    }
    let state = CrashState { durable: files, pending: Vec::new(), acknowledged: None, label: String::new() };
    SimDisk::after(&state)
}

fn rules(seed: u64) -> Rules {
    let onlooker = if seed.is_multiple_of(2) { Who::Clinic } else { Who::Clinician };
    Rules { seed, onlooker, withdraws: seed % 4 > 1 }
}

#[test]
fn two_histories_that_differ_in_what_an_onlooker_does_not_open_look_alike() {
    let asked = std::env::var("SUBROSA_GAMES").ok().map(|text| text.parse::<u64>().unwrap());
    let games = asked.unwrap_or(LEAST_GAMES);
    let (mut steps, mut crashes, mut showed_more) = (0, 0, 0);
    for seed in 0..games {
        let rules = rules(seed);
        match Game::new(rules).play() {
            Ok(played) => {
                steps += played.steps;
                crashes += played.crashes;
                showed_more += usize::from(played.showed_more);
            }
            Err(found) => {
                let (step, [one, other]) = *found;
                panic!("{rules:?}\n{step:?}\none history:   {one}\nthe other one: {other}");
            }
        }
    }
    eprintln!("{games} games of {steps} steps and {crashes} crashes; in {showed_more} a commit showed more");
    assert!(steps as u64 >= games * 6, "most games are played to the end");
}

/// Whether an onlooker tells two histories apart, in one of some games, where a rule is broken.
fn is_told_apart(broken: fn() -> Sabotage) -> bool {
    (0..24).any(|seed| {
        sabotage(Some(broken()));
        let played = Game::new(rules(seed)).play();
        sabotage(None);
        played.is_err()
    })
}

#[test]
fn a_broken_rule_tells_two_histories_apart() {
    assert!(is_told_apart(|| Sabotage::NoParts), "parts that are there only where they are used");
    assert!(is_told_apart(|| Sabotage::StalePlaces), "places that are renewed only where they change");
    assert!(is_told_apart(|| Sabotage::PlainAction), "a common line that says what was done");
    assert!(is_told_apart(|| Sabotage::ErasesAllPages), "pages erased of which nothing is withdrawn");
}
