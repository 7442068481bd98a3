//! Work on every core that the process may use, its results taken in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::secret::WipesStack;

/// Parts for each core that may be begun and not yet consumed.
const AHEAD: usize = 2;
/// The same while the results that wait have fewer bytes than [`LIGHT`]: so many that the others
/// go on while one of them takes long.
const FURTHER_AHEAD: usize = 6;
const LIGHT: usize = 4 << 20;

/// What parts leave for the next ones to use again: buffers, whose pages the system
/// would else hand out and clear anew.
#[derive(Default)]
pub(crate) struct Spare<T>(Mutex<Vec<T>>);

impl<T: Default> Spare<T> {
    /// One that was given, or a new one.
    pub(crate) fn take(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give(&self, used: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(used);
    }
}

/// Produces a result of every part and consumes the results in the order of the
/// parts. Parts are produced on all cores; results are consumed on this thread,
/// as they come. Nobody begins a part while [`AHEAD`] for each core wait to be
/// consumed. The first error ends the work.
pub(crate) fn in_order<T: Sync, R: Send, E: Send>(
    parts: &[T],
    produce: impl Fn(&T) -> Result<R, E> + Sync,
    consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    in_order_by_weight(parts, |_| LIGHT, produce, consume)
}

/// The same, further ahead as long as the results that wait are light. `weigh` gives the bytes
/// of a result.
pub(crate) fn in_order_by_weight<T: Sync, R: Send, E: Send>(
    parts: &[T],
    weigh: impl Fn(&R) -> usize + Sync,
    produce: impl Fn(&T) -> Result<R, E> + Sync,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let cores = match parts.len() {
        0 | 1 => 1,
        _ => thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    if cores == 1 {
        return parts.iter().try_for_each(|part| consume(produce(part)?));
    }
    let line = Line::new(parts.len(), cores);
    let produce_at = |index: usize| {
        if let Some(part) = parts.get(index) {
            let result = produce(part);
            let weight = result.as_ref().map_or(0, &weigh);
            line.hand_in(index, (result, weight));
        }
    };
    thread::scope(|scope| {
        let work = || {
            let _wipes = WipesStack;
            let _ends = EndsOnPanic(&line);
            while let Some(index) = line.begin() {
                produce_at(index);
            }
        };
        let helpers: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        // Whatever ends this, an error or a panic too, no helper waits any more.
        let _ends = Ends(&line);
        loop {
            match line.next() {
                Next::Due((result, weight)) => {
                    consume(result?)?;
                    line.consumed(weight);
                }
                Next::Begin(index) => produce_at(index),
                Next::Done => return Ok(()),
                Next::Lost => {
                    let panics = helpers.into_iter().filter_map(|helper| helper.join().err());
                    std::panic::resume_unwind(panics.last().expect("a part that is lost had a panic"));
                }
            }
        }
    })
}

/// Works on parts on a thread beside this one, in the order in which `drive` gives them;
/// on this one where there is a single core, or `alone`.
pub(crate) fn beside<T: Send, R: Send, O>(
    alone: bool,
    mut work: impl FnMut(T) -> R + Send,
    drive: impl FnOnce(&mut Helper<'_, T, R>) -> O,
) -> O {
    if alone || thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
        return drive(&mut Helper::Here { work: &mut work, done: VecDeque::new() });
    }
    let ((give, given), (hand, done)) = (mpsc::channel(), mpsc::channel());
    thread::scope(|scope| {
        scope.spawn(move || {
            let _wipes = WipesStack;
            for part in given {
                if hand.send(work(part)).is_err() {
                    return;
                }
            }
        });
        drive(&mut Helper::Beside { give, done, under_way: 0 })
    })
}

/// Who works beside this thread. A panic of it ends [`beside`] with a panic.
pub(crate) enum Helper<'a, T, R> {
    Here { work: &'a mut dyn FnMut(T) -> R, done: VecDeque<R> },
    Beside { give: mpsc::Sender<T>, done: mpsc::Receiver<R>, under_way: usize },
}

impl<T, R> Helper<'_, T, R> {
    pub(crate) fn give(&mut self, part: T) {
        match self {
            Self::Here { work, done } => done.push_back(work(part)),
            Self::Beside { give, under_way, .. } => *under_way += usize::from(give.send(part).is_ok()),
        }
    }

    /// Parts that were given and not taken back.
    pub(crate) fn under_way(&self) -> usize {
        match self {
            Self::Here { done, .. } => done.len(),
            Self::Beside { under_way, .. } => *under_way,
        }
    }

    /// The next result, waited for; none where nothing is under way.
    pub(crate) fn take(&mut self) -> Option<R> {
        match self {
            Self::Here { done, .. } => done.pop_front(),
            Self::Beside { done, under_way, .. } => {
                *under_way = under_way.checked_sub(1)?;
                done.recv().ok()
            }
        }
    }
}

/// The parts on their way from who produces them to who consumes them.
struct Line<R> {
    parts: usize,
    cores: usize,
    state: Mutex<State<R>>,
    changed: Condvar,
}

struct State<R> {
    /// The part to begin next.
    next: usize,
    /// The part to consume next.
    due: usize,
    done: BTreeMap<usize, (R, usize)>,
    /// Bytes of the results that are there and not yet consumed.
    weight: usize,
    /// Nothing more is begun.
    is_over: bool,
}

/// What the thread that consumes does next.
enum Next<R> {
    Due((R, usize)),
    Begin(usize),
    Done,
    /// A helper panicked.
    Lost,
}

impl<R> Line<R> {
    fn new(parts: usize, cores: usize) -> Self {
        let state = State { next: 0, due: 0, done: BTreeMap::new(), weight: 0, is_over: false };
        Self { parts, cores, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<R>>) -> MutexGuard<'s, State<R>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The part that a helper begins, once it is not too far ahead.
    fn begin(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.is_over || state.next >= self.parts {
                return None;
            }
            if let Some(index) = self.take(&mut state) {
                return Some(index);
            }
            state = self.wait(state);
        }
    }

    fn take(&self, state: &mut State<R>) -> Option<usize> {
        let index = state.next;
        let ahead = if state.weight < LIGHT { FURTHER_AHEAD } else { AHEAD };
        let free = index < self.parts && index - state.due < ahead.saturating_mul(self.cores);
        state.next += usize::from(free);
        free.then_some(index)
    }

    fn hand_in(&self, index: usize, (result, weight): (R, usize)) {
        let mut state = self.state();
        state.weight = state.weight.saturating_add(weight);
        state.done.insert(index, (result, weight));
        drop(state);
        self.changed.notify_all();
    }

    fn next(&self) -> Next<R> {
        let mut state = self.state();
        loop {
            let due = state.due;
            if due == self.parts {
                return Next::Done;
            }
            if let Some(result) = state.done.remove(&due) {
                return Next::Due(result);
            }
            if state.is_over {
                return Next::Lost;
            }
            if let Some(index) = self.take(&mut state) {
                return Next::Begin(index);
            }
            state = self.wait(state);
        }
    }

    fn consumed(&self, weight: usize) {
        let mut state = self.state();
        state.due += 1;
        state.weight = state.weight.saturating_sub(weight);
        drop(state);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state().is_over = true;
        self.changed.notify_all();
    }
}

/// Ends the work when it goes out of scope.
struct Ends<'a, R>(&'a Line<R>);

impl<R> Drop for Ends<'_, R> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Ends the work when a panic passes.
struct EndsOnPanic<'a, R>(&'a Line<R>);

impl<R> Drop for EndsOnPanic<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_gives_results_back_in_the_order_of_the_parts() {
        for alone in [true, false] {
            let mut seen = 0;
            let work = |part: u64| {
                seen += part;
                part * 2
            };
            let taken = beside(alone, work, |helper| {
                let mut taken = Vec::new();
                for part in 0..100 {
                    helper.give(part);
                    while helper.under_way() > 2 {
                        taken.extend(helper.take());
                    }
                }
                assert_eq!(helper.under_way(), 2);
                taken.extend(std::iter::from_fn(|| helper.take()));
                taken
            });
            assert!(taken.into_iter().eq((0..100).map(|part| part * 2)));
            assert_eq!(seen, 99 * 100 / 2);
        }
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_helper_is_not_swallowed() {
        beside(
            false,
            |part: u64| assert!(part != 7),
            |helper| {
                (0..9).for_each(|part| helper.give(part));
                while helper.take().is_some() {}
            },
        );
    }

    #[test]
    fn results_are_consumed_in_the_order_of_the_parts() {
        for count in [0, 1, 2, 1000] {
            let parts: Vec<u64> = (0..count).collect();
            let mut taken = Vec::new();
            let produced = in_order(
                &parts,
                |part| Ok::<u64, ()>(part * 2),
                |result| {
                    taken.push(result);
                    Ok(())
                },
            );
            assert_eq!(produced, Ok(()));
            assert!(taken.iter().copied().eq((0..count).map(|part| part * 2)));
        }
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let parts: Vec<u64> = (0..1000).collect();
        let mut taken = 0;
        let produce = |part: &u64| if *part == 500 { Err("produced") } else { Ok(*part) };
        let error = in_order(&parts, produce, |_| {
            taken += 1;
            Ok(())
        });
        assert_eq!((error, taken), (Err("produced"), 500));
        let consume = |part| if part == 7 { Err("consumed") } else { Ok(()) };
        assert_eq!(in_order(&parts, |part| Ok(*part), consume), Err("consumed"));
    }

    #[test]
    fn nobody_runs_further_ahead_of_a_slow_consumer_than_allowed() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (begun, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut consumed = 0;
        let produce = |part: &usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            Ok::<usize, ()>(*part)
        };
        let parts: Vec<usize> = (0..200).collect();
        let done = in_order(&parts, produce, |_| {
            thread::sleep(std::time::Duration::from_micros(500));
            most.fetch_max(begun.load(Ordering::SeqCst) - consumed, Ordering::SeqCst);
            consumed += 1;
            Ok(())
        });
        assert_eq!((done, consumed), (Ok(()), parts.len()));
        assert!(most.into_inner() <= AHEAD * cores);
    }

    #[test]
    fn light_results_let_others_run_further_ahead_and_heavy_ones_do_not() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for (weight, ahead) in [(1, FURTHER_AHEAD), (LIGHT, AHEAD), (usize::MAX, AHEAD)] {
            let (begun, mut consumed, mut most) = (AtomicUsize::new(0), 0, 0);
            let produce = |part: &usize| {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok::<usize, ()>(*part)
            };
            let parts: Vec<usize> = (0..100).collect();
            let done = in_order_by_weight(
                &parts,
                |_| weight,
                produce,
                |_| {
                    thread::sleep(std::time::Duration::from_micros(500));
                    most = most.max(begun.load(Ordering::SeqCst) - consumed);
                    consumed += 1;
                    Ok(())
                },
            );
            assert_eq!((done, consumed), (Ok(()), parts.len()));
            assert!(most <= ahead * cores, "{most} of weight {weight}");
        }
    }

    #[test]
    #[should_panic(expected = "in the consumer")]
    fn a_panic_in_the_consumer_ends_the_helpers_too() {
        let parts: Vec<u64> = (0..1000).collect();
        let _ = in_order(
            &parts,
            |part| Ok::<u64, ()>(*part),
            |part| match part {
                500 => panic!("in the consumer"),
                _ => Ok(()),
            },
        );
    }

    #[test]
    #[should_panic(expected = "in a part")]
    fn a_panic_in_a_part_is_not_swallowed() {
        let parts: Vec<u64> = (0..1000).collect();
        let produce = |part: &u64| if *part == 999 { panic!("in a part") } else { Ok::<u64, ()>(*part) };
        let _ = in_order(&parts, produce, |_| Ok(()));
    }
}
