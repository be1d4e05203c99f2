//! The threads of a stage: those of its worker, and those that other workers leave idle.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::tensor::{Backend, Features, Kernels, Native, Vector};

/// Runs work on as many threads as are free. Results have the same bits for any number of threads.
#[derive(Debug)]
pub struct Threads {
    own: usize,
    free: AtomicUsize,
    /// The last pool with more threads than the worker's own.
    larger: Mutex<Option<Arc<ThreadPool>>>,
}

impl Threads {
    /// Creates the threads of a worker. The process's global pool has `own` threads.
    pub fn new(own: usize) -> Self {
        Self { own, free: AtomicUsize::new(own), larger: Mutex::default() }
    }

    /// Sets the number of threads of the work that starts from now on; at least the worker's own.
    pub fn set_free(&self, threads: usize) {
        self.free.store(threads.max(self.own), Ordering::Relaxed);
    }

    /// Returns the number of threads of work that starts now.
    pub fn current(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }

    /// Returns the number of threads of the worker itself.
    pub fn own(&self) -> usize {
        self.own
    }

    /// Runs some work on the current number of threads, and returns its result with that number.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> (R, usize) {
        match self.larger_pool() {
            // The global pool runs it: there is nothing to switch.
            None => (work(), self.own),
            Some(pool) => (pool.install(work), pool.current_num_threads()),
        }
    }

    /// Does the same for work on tensors of a backend. Work on a GPU stays on its thread: it needs no others.
    pub fn run_on<B: Backend, R>(&self, work: impl FnOnce() -> R) -> (R, usize) {
        if B::KIND != Native::KIND {
            return (work(), self.own);
        }
        let work = Movable(work);
        let (result, threads) = self.run(move || work.run());
        (result.0, threads)
    }

    /// Returns a pool with more threads than the worker's own, if they are free and can be started.
    fn larger_pool(&self) -> Option<Arc<ThreadPool>> {
        let threads = self.current();
        if threads <= self.own {
            return None;
        }
        let mut larger = self.larger.lock().unwrap_or_else(PoisonError::into_inner);
        if larger.as_ref().is_none_or(|pool| pool.current_num_threads() != threads) {
            // A machine that starts no more threads is not a fault of the stage: it keeps its own.
            *larger = ThreadPoolBuilder::new().num_threads(threads).build().ok().map(Arc::new);
        }
        larger.clone()
    }
}

/// A value that moves to another thread although its type, which is generic over backends, does not allow it.
struct Movable<T>(T);

// SAFETY: `Threads::run_on` uses it for the CPU only, whose tensors may move (asserted below). `ThreadPool::install` returns when the work
// has ended, so that no two threads use what the work borrows.
unsafe impl<T> Send for Movable<T> {}

const _: () = {
    const fn may_move<T: Send + Sync>() {}
    may_move::<Features<Native>>();
    may_move::<Vector<Native>>();
};

impl<T> Movable<T> {
    fn run<R>(self) -> Movable<R>
    where
        T: FnOnce() -> R,
    {
        Movable(self.0())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_free_threads_and_never_on_fewer_than_its_own() {
        let threads = Threads::new(1);
        let used = || threads.run(rayon::current_num_threads);
        let global = rayon::current_num_threads();
        assert_eq!(used(), (global, 1));
        threads.set_free(3);
        assert_eq!(used(), (3, 3));
        threads.set_free(2);
        assert_eq!(used(), (2, 2));
        threads.set_free(0);
        assert_eq!(used(), (global, 1));
    }
}
