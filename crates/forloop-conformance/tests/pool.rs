//! An adapter for a hand-written thread pool, and the line that tests it.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Sender;
use async_task::Runnable;
use forloop_core::{BlockOn, Spawn, Timer};

/// Threads that run tasks from a shared queue, and stop when the last handle to it is dropped.
#[derive(Clone)]
struct Pool {
    ready: Sender<Runnable>,
}

impl Pool {
    fn with_threads(count: usize) -> Self {
        let (ready, queue) = async_channel::unbounded::<Runnable>();
        for _ in 0..count {
            let queue = queue.clone();
            thread::spawn(move || {
                while let Ok(task) = queue.recv_blocking() {
                    task.run();
                }
            });
        }
        Self { ready }
    }
}

impl Spawn for Pool {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let ready = self.ready.clone();
        // A pool that has stopped drops the task, as a runtime does when it shuts down.
        let schedule = move |task| drop(ready.try_send(task));
        let (first, task) = async_task::spawn(future, schedule);
        first.schedule();
        task.detach();
    }
}

impl Timer for Pool {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let timer = async_io::Timer::after(duration);
        async {
            timer.await;
        }
    }

    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

impl BlockOn for Pool {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(future)
    }
}

forloop_conformance::suite!(Pool::with_threads(2));
