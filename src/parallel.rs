//! Work on every core that the process may use, its results taken in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::secret::WipesStack;

/// Produces a result of every part and consumes the results in the order of the
/// parts. Parts are produced on all cores; results are consumed on this thread,
/// as they come, so that few wait at a time. The first error ends the work.
pub(crate) fn in_order<T: Sync, R: Send, E: Send>(
    parts: &[T],
    produce: impl Fn(&T) -> Result<R, E> + Sync,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let helpers = match parts.len() {
        0 | 1 => 0,
        _ => thread::available_parallelism().map_or(0, |cores| cores.get() - 1),
    };
    if helpers == 0 {
        return parts.iter().try_for_each(|part| consume(produce(part)?));
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let produce_one = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(part) = parts.get(index) else { return false };
        let result = produce(part);
        done.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
        true
    };
    thread::scope(|scope| {
        let work = || {
            let _wipes = WipesStack;
            while produce_one() {}
        };
        let mut helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
        let mut due = 0;
        loop {
            let result = done.lock().unwrap_or_else(PoisonError::into_inner).remove(&due);
            match result {
                Some(result) => {
                    if let Err(error) = result.and_then(&mut consume) {
                        // Nothing more is begun.
                        next.store(parts.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                    due += 1;
                }
                None if due == parts.len() => return Ok(()),
                None if produce_one() => {}
                None => {
                    // Every part was begun: what is due comes when its thread ends.
                    let helper = helpers.pop().expect("a part that is not done has a thread");
                    if let Err(panic) = helper.join() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    #[should_panic(expected = "in a part")]
    fn a_panic_in_a_part_is_not_swallowed() {
        let parts: Vec<u64> = (0..1000).collect();
        let produce = |part: &u64| if *part == 999 { panic!("in a part") } else { Ok::<u64, ()>(*part) };
        let _ = in_order(&parts, produce, |_| Ok(()));
    }
}
