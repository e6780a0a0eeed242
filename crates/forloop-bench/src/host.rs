//! What polls a loop: a bare thread, or a runtime.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use async_executor::Executor;
use tokio::runtime::{Builder, Runtime};

use crate::body::Slots;
use crate::counters::counted_poll;

/// Where the loop's future is polled.
#[derive(Debug)]
pub(crate) enum Host {
    /// A thread that sleeps until it is woken.
    Bare,
    /// async-io's `block_on`, which also drives timers.
    AsyncIo,
    /// async-std's `block_on`.
    AsyncStd,
    /// A tokio runtime on this thread.
    Tokio(Runtime),
    /// A tokio runtime with two workers.
    TokioTwo(Runtime),
    /// smol's executor, run by this thread.
    Smol(Arc<Executor<'static>>),
    /// smol's executor, run by this thread and one more.
    SmolTwo(Arc<Executor<'static>>),
}

/// Wakes bodies in the given order, while their loop is polled.
#[derive(Debug)]
pub(crate) struct Waking {
    pub(crate) slots: &'static Slots,
    pub(crate) order: Vec<usize>,
}

impl Host {
    pub(crate) fn tokio() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self::Tokio(runtime.expect("the system provides the resources of a runtime"))
    }

    pub(crate) fn tokio_two() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self::TokioTwo(runtime.expect("the system provides the resources of a runtime"))
    }

    pub(crate) fn smol() -> Self {
        Self::Smol(Arc::new(Executor::new()))
    }

    pub(crate) fn smol_two() -> Self {
        let executor = Arc::new(Executor::new());
        let runs = executor.clone();
        thread::spawn(move || async_io::block_on(runs.run(std::future::pending::<()>())));
        Self::SmolTwo(executor)
    }

    /// Returns smol's executor, for peers that spawn on it.
    pub(crate) fn executor(&self) -> Arc<Executor<'static>> {
        match self {
            Self::Smol(executor) | Self::SmolTwo(executor) => executor.clone(),
            other => panic!("{other:?} has no smol executor"),
        }
    }

    /// Returns a handle to the tokio runtime, for peers that need one.
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        match self {
            Self::Tokio(runtime) | Self::TokioTwo(runtime) => runtime.handle().clone(),
            other => panic!("{other:?} has no tokio runtime"),
        }
    }

    /// Runs a loop to completion on the calling thread.
    ///
    /// The hosts take a trait object: compiling them for each loop would take minutes. One indirect call
    /// for each poll of the loop is the same for all peers.
    #[inline(always)] // or it moves the loop, and its figure has the cost of that
    pub(crate) fn run(&self, looping: impl Future<Output = ()>, waking: Option<Waking>) {
        self.run_pinned(pin!(looping), waking);
    }

    fn run_pinned(&self, looping: Pin<&mut dyn Future<Output = ()>>, waking: Option<Waking>) {
        let looping = drive(looping, waking);
        match self {
            Self::Bare => block_on(looping),
            Self::AsyncIo => async_io::block_on(looping),
            Self::AsyncStd => async_std::task::block_on(looping),
            Self::Tokio(runtime) | Self::TokioTwo(runtime) => runtime.block_on(looping),
            Self::Smol(executor) | Self::SmolTwo(executor) => {
                async_io::block_on(executor.run(looping));
            }
        }
    }

    /// Runs a loop to completion as a task next to its bodies, as a program on two threads would.
    pub(crate) fn run_as_task(&self, looping: impl Future<Output = ()> + Send + 'static) {
        self.run_boxed(Box::pin(looping));
    }

    fn run_boxed(&self, looping: Pin<Box<dyn Future<Output = ()> + Send>>) {
        match self {
            Self::TokioTwo(runtime) => {
                runtime.block_on(runtime.spawn(looping)).expect("no loop panics");
            }
            Self::AsyncStd => async_std::task::block_on(async_std::task::spawn(looping)),
            other => other.run(looping, None),
        }
    }
}

/// Counts each poll of the loop, and wakes one body after another between the polls.
async fn drive(mut looping: Pin<&mut dyn Future<Output = ()>>, waking: Option<Waking>) {
    let Some(Waking { slots, order }) = waking else {
        return poll_fn(|cx| counted_poll(|| looping.as_mut().poll(cx))).await;
    };
    let mut order = order.into_iter();
    // The first body is woken only after all bodies have been polled once.
    let (mut polled, mut last) = (0, None);
    poll_fn(|cx| {
        if counted_poll(|| looping.as_mut().poll(cx)).is_ready() {
            return Poll::Ready(());
        }
        while polled < slots.len() && slots.waits(polled) {
            polled += 1;
        }
        if polled == slots.len() && last.is_none_or(|last| slots.is_done(last)) {
            last = order.next();
            if let Some(index) = last {
                slots.wake(index);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Unparks the thread that polls a loop.
#[derive(Debug)]
pub(crate) struct ThreadWaker {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

impl ThreadWaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), is_woken: AtomicBool::new(false) })
    }

    pub(crate) fn take_wake(&self) -> bool {
        self.is_woken.swap(false, Ordering::AcqRel)
    }
}

thread_local! {
    /// Created once per thread, so that its creation is not part of the time of a short loop.
    static THREAD_WAKER: (Arc<ThreadWaker>, Waker) = {
        let thread_waker = ThreadWaker::new();
        (thread_waker.clone(), Waker::from(thread_waker))
    };
}

fn block_on(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    THREAD_WAKER.with(|(thread_waker, waker)| {
        while future.as_mut().poll(&mut Context::from_waker(waker)).is_pending() {
            while !thread_waker.take_wake() {
                thread::park();
            }
        }
    });
}
