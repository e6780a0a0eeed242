//! The recorder: wraps bodies, and hears of them.

use std::fmt;
use std::sync::Arc;

use forloop_core::Timer;

use crate::Timeline;
use crate::log::Log;
use crate::watched::{AnyOutput, Life, ResultOutput, Verdict, Watched};

/// Hears of everything that happens to the bodies that it watches, wherever they run.
///
/// A handle: clones of it record into the same timeline. Several loops, and loops within bodies, may
/// share one.
///
/// # Costs
///
/// A body that is not watched costs nothing: the loop knows nothing of recorders. One that is has three
/// events, and two or three more each time that it waits. An event is a look at the clock, a mutex that is
/// held for a few instructions, and 24 bytes that are kept as long as the recorder is; a body is
/// 24 bytes more, and an allocation each time that it gives its waker to something new. So do not leave a
/// recorder in a service that runs for months. No lock is held while a body or a waker is called.
///
/// # Examples
///
/// Tasks of a group, by name.
///
/// ```
/// # use forloop_core as forloop;
/// use forloop_smol::Smol;
/// use forloop_timeline::Recorder;
///
/// let recorder = Recorder::new(&Smol);
/// let group = forloop::task_group(Smol, async |group| {
///     let user = group.spawn(recorder.try_watch_future("user", async { Ok("ada") }));
///     let mails = group.spawn(recorder.try_watch_future("mails", async { Ok(3) }));
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>((user.await?, mails.await?))
/// });
/// assert_eq!(futures_lite::future::block_on(group).unwrap(), ("ada", 3));
/// assert_eq!(recorder.timeline().len(), 2);
/// ```
#[derive(Clone)]
pub struct Recorder {
    log: Arc<Log>,
}

impl Recorder {
    /// Makes a recorder with the clock of `timer`: any runtime. Its time begins now.
    ///
    /// Take the runtime on which the bodies sleep: its clock may be a simulated one.
    pub fn new<R: Timer + Clone + Send + Sync + 'static>(timer: &R) -> Self {
        let timer = timer.clone();
        Self { log: Arc::new(Log::new(Box::new(move || timer.now()))) }
    }

    /// Wraps the body of a loop: give the result to any strategy in its stead.
    ///
    /// It means the same as `body`, wherever it runs. What happens to each future that `body` returns is
    /// recorded under `name` and the number of the call. All ends with an output are
    /// [`Done`](crate::EventKind::Done); see [`try_watch`](Self::try_watch) for bodies that return a
    /// `Result`.
    ///
    /// The compiler sees the closure before it has seen the items: where it asks for a type, write it,
    /// `|url: &str|`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # use forloop_smol::Smol as runtime;
    /// # futures_lite::future::block_on(async {
    /// let recorder = forloop_timeline::Recorder::new(&runtime);
    /// let squares = forloop::each(0..4).limit(2)?.gather(recorder.watch("square", async |n| n * n));
    /// assert_eq!(squares.await, [0, 1, 4, 9]);
    /// assert!(recorder.timeline().to_svg().contains("square 3"));
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// What it gives panics if `body` does, or if the recorder has heard of four billion bodies.
    pub fn watch<I, F, B>(&self, name: &str, body: F) -> impl FnMut(I) -> Watched<B> + use<I, F, B>
    where
        F: FnMut(I) -> B,
        B: Future,
    {
        self.watch_as::<I, F, B, AnyOutput>(name, body)
    }

    /// Wraps the body of a loop, as [`watch`](Self::watch) does, and tells an `Err` from an `Ok`.
    ///
    /// An `Err` is recorded as [`Failed`](crate::EventKind::Failed).
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # use forloop_smol::Smol as runtime;
    /// use forloop_timeline::{EventKind, Recorder};
    ///
    /// # futures_lite::future::block_on(async {
    /// let recorder = Recorder::new(&runtime);
    /// let parse = recorder.try_watch("parse", async |text: &str| text.parse::<u32>());
    /// forloop::each(["1", "two", "3"]).limit(2)?.settle(parse).await;
    ///
    /// let timeline = recorder.timeline();
    /// let failed = timeline.events().find(|event| event.kind == EventKind::Failed);
    /// assert_eq!(failed.unwrap().index, 1);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`watch`](Self::watch).
    pub fn try_watch<I, F, B, T, E>(
        &self,
        name: &str,
        body: F,
    ) -> impl FnMut(I) -> Watched<B, ResultOutput> + use<I, F, B, T, E>
    where
        F: FnMut(I) -> B,
        B: Future<Output = Result<T, E>>,
    {
        self.watch_as::<I, F, B, ResultOutput>(name, body)
    }

    /// Wraps one future: a task, a child of a group, a part of a `join`.
    ///
    /// All ends with an output are [`Done`](crate::EventKind::Done).
    ///
    /// # Panics
    ///
    /// If the recorder has heard of four billion bodies.
    pub fn watch_future<F: Future>(&self, name: &str, future: F) -> Watched<F> {
        Watched::new(future, Life::single(self.log.clone(), name))
    }

    /// Wraps one future, as [`watch_future`](Self::watch_future) does, and tells an `Err` from an `Ok`.
    ///
    /// # Panics
    ///
    /// If the recorder has heard of four billion bodies.
    pub fn try_watch_future<F, T, E>(&self, name: &str, future: F) -> Watched<F, ResultOutput>
    where
        F: Future<Output = Result<T, E>>,
    {
        Watched::new(future, Life::single(self.log.clone(), name))
    }

    /// Returns what was recorded until now: a copy, which later events do not change.
    ///
    /// Bodies that have not ended by now are told as such.
    pub fn timeline(&self) -> Timeline {
        let (records, taken) = self.log.snapshot();
        Timeline::new(records, taken)
    }

    fn watch_as<I, F, B, V>(
        &self,
        name: &str,
        mut body: F,
    ) -> impl FnMut(I) -> Watched<B, V> + use<I, F, B, V>
    where
        F: FnMut(I) -> B,
        B: Future,
        V: Verdict<B::Output>,
    {
        let log = self.log.clone();
        let group = log.group(name);
        let mut calls = 0;
        move |item| {
            let mut life = Life::new(log.clone(), group, calls);
            calls += 1;
            let future = life.or_panicked(|| body(item));
            Watched::new(future, life)
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
