//! A wrapper that makes any runtime less regular.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use forloop_core::{BlockOn, Spawn, Timer};
use pin_project_lite::pin_project;

use crate::schedule::mix;

/// Wraps a runtime, and starts its tasks late and fires its timers late, at random. The runtime may be a
/// real one or a simulation.
///
/// The delays follow from the seed and from the order of the calls. On a multi-threaded runtime that order
/// may differ between runs.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use forloop_core::{BlockOn, each};
/// use forloop_sim::{Jitter, Sim};
///
/// let late = Jitter::new(Sim::new(), 42).latency(Duration::from_millis(5));
/// let squares = each(0..4).limit(2)?.on(late.clone()).gather(|n| async move { n * n });
/// assert_eq!(late.block_on(squares), [0, 1, 4, 9]);
/// # Ok::<(), forloop_core::ZeroLimit>(())
/// ```
#[derive(Debug, Clone)]
pub struct Jitter<R> {
    runtime: R,
    latency: Duration,
    yields: u64,
    calls: Arc<AtomicU64>,
}

impl<R> Jitter<R> {
    /// Wraps `runtime`; each of its tasks yields up to three times before it starts.
    pub fn new(runtime: R, seed: u64) -> Self {
        let calls = Arc::new(AtomicU64::new(mix(seed)));
        Self { runtime, latency: Duration::ZERO, yields: 4, calls }
    }

    /// Delays the start of each task, and each timer, by up to `most`.
    pub fn latency(self, max: Duration) -> Self {
        Self { latency: max, ..self }
    }

    /// Makes each task yield up to `most` times before it starts.
    pub fn yields(self, max: u32) -> Self {
        Self { yields: u64::from(max) + 1, ..self }
    }

    fn below(&self, bound: u64) -> u64 {
        let call = self.calls.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        ((u128::from(mix(call)) * u128::from(bound)) >> 64) as u64
    }

    fn delay(&self) -> Duration {
        let max = u64::try_from(self.latency.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.below(max.saturating_add(1)))
    }
}

impl<R: Spawn + Timer> Spawn for Jitter<R>
where
    R: Clone + Send + 'static,
{
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let yields = Yields { left: self.below(self.yields) };
        if self.latency.is_zero() {
            let sleep: Option<std::future::Ready<()>> = None;
            return self.runtime.spawn(Delayed { yields, sleep, future });
        }
        let sleep = Some(self.runtime.sleep(self.delay()));
        self.runtime.spawn(Delayed { yields, sleep, future });
    }

    fn threads(&self) -> NonZeroUsize {
        self.runtime.threads()
    }
}

impl<R: Timer> Timer for Jitter<R> {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<R> {
        self.runtime.sleep(duration.saturating_add(self.delay()))
    }

    fn now(&self) -> Duration {
        self.runtime.now()
    }
}

impl<R: BlockOn> BlockOn for Jitter<R> {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// Yields `left` more times.
struct Yields {
    left: u64,
}

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pin_project! {
    /// A task that starts late.
    struct Delayed<S, F> {
        yields: Yields,
        // `None` once it is ready.
        #[pin]
        sleep: Option<S>,
        #[pin]
        future: F,
    }
}

impl<S: Future<Output = ()>, F: Future<Output = ()>> Future for Delayed<S, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        ready!(Pin::new(this.yields).poll(cx));
        if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
            ready!(sleep.poll(cx));
            this.sleep.set(None);
        }
        this.future.poll(cx)
    }
}
