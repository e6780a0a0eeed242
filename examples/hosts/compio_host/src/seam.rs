//! Threads that run a compio runtime each, and take what they run from a queue.

use std::future::{pending, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Sender;
use forloop::{BlockOn, Spawn, Timer};

/// Called on one of the threads, where it may spawn what stays there.
type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end with the last handle, and drop their tasks.
#[derive(Debug, Clone)]
pub(crate) struct Compio {
    jobs: Sender<Job>,
    threads: NonZeroUsize,
}

impl Compio {
    pub(crate) fn with_threads(threads: NonZeroUsize) -> Self {
        let (sender, jobs) = async_channel::unbounded::<Job>();
        for number in 0..threads.get() {
            let jobs = jobs.clone();
            let run = move || {
                let runtime = compio::runtime::Runtime::new().expect("a runtime can be started");
                // It takes a job when its tasks leave it time, so an idle thread takes more of them.
                runtime.block_on(async {
                    while let Ok(job) = jobs.recv().await {
                        job();
                    }
                });
            };
            let named = thread::Builder::new().name(format!("compio {number}"));
            named.spawn(run).expect("a thread can be started");
        }
        Self { jobs: sender, threads }
    }

    /// Runs a future that stays on one of the threads, as every future of compio does, and returns its output.
    ///
    /// It is cancelled when the returned future is dropped. That one is `Send`, so it may be in a body.
    pub(crate) fn on_a_thread<M, F>(
        &self,
        make: M,
    ) -> impl Future<Output = F::Output> + Send + use<M, F>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output: Send + 'static> + 'static,
    {
        let (sender, output) = async_channel::bounded(1);
        self.call(move || {
            let future = async move {
                let (mut future, mut dropped) = (pin!(make()), pin!(sender.closed()));
                let output = poll_fn(|cx| match future.as_mut().poll(cx) {
                    Poll::Ready(output) => Poll::Ready(Some(output)),
                    Poll::Pending => dropped.as_mut().poll(cx).map(|()| None),
                });
                if let Some(output) = output.await {
                    // The receiver may be dropped by now.
                    let _ = sender.try_send(output);
                }
            };
            compio::runtime::spawn(future).detach();
        });
        async move {
            match output.recv().await {
                Ok(output) => output,
                // The threads have ended, so there will be no output.
                Err(_) => pending().await,
            }
        }
    }

    fn call(&self, job: impl FnOnce() + Send + 'static) {
        // After the end of the threads this drops the job.
        let _ = self.jobs.try_send(Box::new(job));
    }
}

impl Spawn for Compio {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.call(|| compio::runtime::spawn(future).detach());
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }
}

impl Timer for Compio {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // Counts from this call. A moment that the clock cannot show never comes.
        let sleep = Instant::now()
            .checked_add(duration)
            .map(|due| self.on_a_thread(move || compio::time::sleep_until(due)));
        async move {
            match sleep {
                Some(sleep) => sleep.await,
                None => pending().await,
            }
        }
    }

    fn now(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

impl BlockOn for Compio {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        forloop::block_on(future)
    }
}
