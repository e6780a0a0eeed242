//! The recorder, which wraps bodies and records their events.

use std::fmt;
use std::sync::Arc;

use forloop_core::Timer;

use crate::log::Log;
use crate::timeline::Timeline;
use crate::watched::{AnyOutput, BodyLog, Classify, ResultOutput, Watched};

/// Records the events of the bodies that it watches, wherever they run.
///
/// A recorder is a handle: its clones record into the same timeline. Several loops, and loops nested in
/// bodies, may share one.
///
/// # Costs
///
/// A body that is not watched costs nothing. A watched body has three events, and two or three more for
/// each time that it waits. An event costs a reading of the clock, a mutex held for a few instructions, and
/// 24 bytes that are kept for the life of the recorder. A body takes another 24 bytes, and an allocation
/// each time that it passes on a new waker. Do not leave a recorder in a service that runs for months. No
/// lock is held while a body or a waker is called.
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
    /// Creates a recorder with the clock of `timer`, which may be any runtime. Its time starts at zero.
    ///
    /// Pass the runtime on which the bodies sleep: its clock may be virtual.
    pub fn new<R: Timer + Clone + Send + Sync + 'static>(timer: &R) -> Self {
        let timer = timer.clone();
        Self { log: Arc::new(Log::new(Box::new(move || timer.now()))) }
    }

    /// Wraps the body of a loop: pass the result to any strategy in place of `body`.
    ///
    /// The result behaves like `body`, wherever it runs. The events of each future that `body` returns are
    /// recorded under `name` and the number of the call. A future that returns anything is
    /// [`Completed`](crate::EventKind::Completed); use [`try_watch`](Self::try_watch) for bodies that return a
    /// `Result`.
    ///
    /// The compiler checks the closure before it knows the items. If it asks for a type, annotate the
    /// parameter: `|url: &str|`.
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
    /// The returned closure panics if `body` does, or at the recorder's four-billionth body.
    pub fn watch<I, F, B>(&self, name: &str, body: F) -> impl FnMut(I) -> Watched<B> + use<I, F, B>
    where
        F: FnMut(I) -> B,
        B: Future,
    {
        self.watch_as::<I, F, B, AnyOutput>(name, body)
    }

    /// Wraps the body of a loop as [`watch`](Self::watch) does, and distinguishes an `Err` from an `Ok`.
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
    /// A future that returns anything is [`Completed`](crate::EventKind::Completed).
    ///
    /// # Panics
    ///
    /// Panics at the recorder's four-billionth body.
    pub fn watch_future<F: Future>(&self, name: &str, future: F) -> Watched<F> {
        Watched::new(future, BodyLog::single(self.log.clone(), name))
    }

    /// Wraps one future as [`watch_future`](Self::watch_future) does, and distinguishes an `Err` from an
    /// `Ok`.
    ///
    /// # Panics
    ///
    /// Panics at the recorder's four-billionth body.
    pub fn try_watch_future<F, T, E>(&self, name: &str, future: F) -> Watched<F, ResultOutput>
    where
        F: Future<Output = Result<T, E>>,
    {
        Watched::new(future, BodyLog::single(self.log.clone(), name))
    }

    /// Returns a copy of what was recorded so far, which later events do not change.
    ///
    /// Bodies that have not completed are shown as still running.
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
        V: Classify<B::Output>,
    {
        let log = self.log.clone();
        let group = log.group(name);
        let mut calls = 0;
        move |item| {
            let mut body_log = BodyLog::new(log.clone(), group, calls);
            calls += 1;
            let future = body_log.record_panics(|| body(item));
            Watched::new(future, body_log)
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
