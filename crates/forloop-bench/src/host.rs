//! What polls a loop: nothing but a thread, or a runtime.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use async_executor::Executor;
use tokio::runtime::{Builder, Runtime};

use crate::body::Slots;
use crate::counters::turn;

/// Where the top of a loop is polled.
#[derive(Debug)]
pub(crate) enum Host {
    /// A thread that sleeps until it is woken.
    Bare,
    /// async-io's `block_on`, which looks after timers.
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

/// Which bodies are woken, in which order, while their loop is polled.
#[derive(Debug)]
pub(crate) struct Waking {
    pub(crate) slots: &'static Slots,
    pub(crate) order: Vec<usize>,
}

impl Host {
    pub(crate) fn tokio() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self::Tokio(runtime.expect("the system gives a runtime what it needs"))
    }

    pub(crate) fn tokio_two() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self::TokioTwo(runtime.expect("the system gives a runtime what it needs"))
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

    /// smol's executor, for peers that spawn on it.
    pub(crate) fn executor(&self) -> Arc<Executor<'static>> {
        match self {
            Self::Smol(executor) | Self::SmolTwo(executor) => executor.clone(),
            other => panic!("{other:?} has no executor of smol's"),
        }
    }

    /// The tokio runtime, for peers that are given one.
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        match self {
            Self::Tokio(runtime) | Self::TokioTwo(runtime) => runtime.handle().clone(),
            other => panic!("{other:?} has no tokio runtime"),
        }
    }

    /// Runs a loop to its end on the calling thread.
    ///
    /// The hosts are not compiled for each loop: that would take minutes, and one indirect call for
    /// each turn is the same for all peers.
    pub(crate) fn run(&self, looping: impl Future<Output = ()>, waking: Option<Waking>) {
        self.run_pinned(pin!(looping), waking);
    }

    fn run_pinned(&self, looping: Pin<&mut dyn Future<Output = ()>>, waking: Option<Waking>) {
        let looping = turning(looping, waking);
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

    /// Runs a loop to its end where a program on two threads would: as a task beside its bodies.
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

/// The loop, whose every poll is a turn, and between whose polls one body after another is woken.
async fn turning(mut looping: Pin<&mut dyn Future<Output = ()>>, waking: Option<Waking>) {
    let Some(Waking { slots, order }) = waking else {
        return poll_fn(|cx| turn(|| looping.as_mut().poll(cx))).await;
    };
    let mut order = order.into_iter();
    // All bodies have been polled once before the first is woken.
    let (mut polled, mut last) = (0, None);
    poll_fn(|cx| {
        if turn(|| looping.as_mut().poll(cx)).is_ready() {
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

/// Wakes a thread that sleeps for want of a wake.
#[derive(Debug)]
pub(crate) struct Bell {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), rung: AtomicBool::new(false) })
    }

    pub(crate) fn was_rung(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }
}

thread_local! {
    /// Made once, so that a short loop is not measured by what it takes to make it.
    static BELL: (Arc<Bell>, Waker) = {
        let bell = Bell::new();
        (bell.clone(), Waker::from(bell))
    };
}

fn block_on(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    BELL.with(|(bell, waker)| {
        while future.as_mut().poll(&mut Context::from_waker(waker)).is_pending() {
            while !bell.was_rung() {
                thread::park();
            }
        }
    });
}
