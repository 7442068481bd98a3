//! Locking by itself: the keys of a handle are wiped after some time without a call.
//!
//! The thread that watches holds no key and only a weak reference to those that
//! do: it ends with its vault.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::options::Clock;
use super::state::State;

/// Longest sleep of the thread: it notices late that the computer was suspended,
/// but not later than that. The next call notices at once.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Knows when the last call was.
pub(crate) struct Watch {
    after: Duration,
    clock: Clock,
    calls: Mutex<Calls>,
    ended: Condvar,
}

struct Calls {
    last: SystemTime,
    /// Calls that are under way: while there are any, nothing is locked.
    under_way: usize,
    ended: bool,
}

impl Watch {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it is until the keys are to be wiped; nothing if it is time.
    fn remaining(&self, calls: &mut Calls) -> Option<Duration> {
        let now = (self.clock)();
        if calls.under_way > 0 || now < calls.last {
            // A clock that was set back starts anew.
            calls.last = now;
        }
        let idle = now.duration_since(calls.last).unwrap_or_default();
        self.after.checked_sub(idle).filter(|left| !left.is_zero())
    }

    /// A call begins; `None` when it comes too late.
    fn begin(&self) -> Option<Call<'_>> {
        let mut calls = self.calls();
        self.remaining(&mut calls)?;
        calls.under_way += 1;
        Some(Call(self))
    }

    /// Sleeps until it is time; false when the vault is no longer there.
    fn sleep(&self) -> bool {
        let mut calls = self.calls();
        while !calls.ended {
            let Some(left) = self.remaining(&mut calls) else { return true };
            let woken = self.ended.wait_timeout(calls, left.min(LONGEST_SLEEP));
            calls = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

/// A call that is under way.
pub(crate) struct Call<'a>(&'a Watch);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut calls = self.0.calls();
        calls.under_way = calls.under_way.saturating_sub(1);
        calls.last = (self.0.clock)();
    }
}

/// A watch and the thread that sleeps on it, until it is dropped.
pub(crate) struct AutoLock {
    watch: Arc<Watch>,
    thread: Option<JoinHandle<()>>,
    /// The process that the thread is in: a forked child has none to wait for.
    process: u32,
}

impl AutoLock {
    /// Wipes the keys in `state` after this long without a call.
    ///
    /// Where no thread can be started, the next call still finds the vault locked.
    pub(crate) fn start(after: Duration, clock: Clock, state: &Arc<RwLock<State>>) -> Self {
        let calls = Mutex::new(Calls { last: clock(), under_way: 0, ended: false });
        let watch = Arc::new(Watch { after, clock, calls, ended: Condvar::new() });
        let (watching, state) = (Arc::clone(&watch), Arc::downgrade(state));
        let thread = std::thread::Builder::new().name("vault auto-lock".into());
        let thread = thread.stack_size(64 * 1024).spawn(move || wipe_in_time(&watching, &state));
        Self { watch, thread: thread.ok(), process: std::process::id() }
    }

    /// A call begins; `None` when it comes too late.
    pub(crate) fn begin(&self) -> Option<Call<'_>> {
        self.watch.begin()
    }

    /// To see whether the thread has ended.
    #[cfg(test)]
    pub(crate) fn watch(&self) -> Weak<Watch> {
        Arc::downgrade(&self.watch)
    }
}

impl Drop for AutoLock {
    fn drop(&mut self) {
        self.watch.calls().ended = true;
        self.watch.ended.notify_all();
        if let Some(thread) = self.thread.take()
            && self.process == std::process::id()
        {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}

fn wipe_in_time(watch: &Watch, state: &Weak<RwLock<State>>) {
    if watch.sleep()
        && let Some(state) = state.upgrade()
    {
        State::wipe(&state);
    }
}
