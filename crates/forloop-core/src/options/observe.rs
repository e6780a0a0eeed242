//! `observe`: observers of a loop's events.

use core::fmt;
use core::time::Duration;

use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, LocalTimer, Loop, StopReason};

/// Receives the events of a loop.
///
/// The loop calls it in its own task, between two polls of bodies, so it should be quick. It need not be `Send` if
/// the loop is not. Every closure `|at, event|` is an observer. A panic of an observer stops the loop and
/// propagates to the caller, as a panic of the source does.
pub trait Observer {
    /// Receives one event, and when it happened by the clock of [`observe`](Loop::observe).
    fn on_event(&mut self, at: Duration, event: &Event);
}

impl<G: FnMut(Duration, &Event)> Observer for G {
    fn on_event(&mut self, at: Duration, event: &Event) {
        self(at, event);
    }
}

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Calls `observer` with each [`Event`] of this loop when it happens: for progress bars, logs and metrics.
    ///
    /// A loop may have several observers, and each receives every event. A loop without observers pays nothing.
    ///
    /// # Costs
    ///
    /// A reading of the clock for each event.
    /// On a [worker pool](Self::on_workers) the loop's task calls the body's closure and hands the bodies out.
    /// Workers do not pull items themselves.
    ///
    /// # Panics
    ///
    /// If `observer` panics, the panic propagates as one of the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::Event;
    ///
    /// async fn lengths<R>(runtime: &R, urls: &[&str]) -> Vec<usize>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let log = |at, event: &Event| {
    ///         if let Event::Completed { index, kind, attempts, .. } = event {
    ///             eprintln!("{at:?}: item {index}: {kind:?} after {attempts} attempts");
    ///         }
    ///     };
    ///     forloop::each(urls).unbounded().observe(runtime, log).gather(async |url| url.len()).await
    /// }
    /// ```
    pub fn observe<R, O>(self, timer: &R, observer: O) -> Loop<S, P, L, WithRule<C, Observed<R, O>>>
    where
        R: LocalTimer + Clone + 'static,
        O: Observer,
    {
        self.with_option(Observed { timer: timer.clone(), observer })
    }
}

/// An observer of a loop and its clock.
#[derive(Clone)]
pub struct Observed<R, O> {
    timer: R,
    observer: O,
}

impl<R: LocalTimer, O: Observer> Rule for Observed<R, O> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        self.observer.on_event(self.timer.now_local(), event);
        None
    }
}

impl<I, R: LocalTimer, O: Observer> ItemRule<I> for Observed<R, O> {}
impl<T, R: LocalTimer, O: Observer> OutcomeRule<T> for Observed<R, O> {}

impl<R, O> fmt::Debug for Observed<R, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}
