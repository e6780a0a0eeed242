//! `observe`: observers of a loop's events.

use core::fmt;
use core::time::Duration;

use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::looping::TimerSet;
use crate::outcome::StopReason;
use crate::{Event, LocalTimer, Loop};

/// Receives the events of a loop.
///
/// The loop calls it in its own task, between two polls of bodies, so it should be quick. It need not be `Send` if
/// the loop is not, except [on workers](Loop::on_workers): the worker that pulls calls it there. Every closure `|at, event|` is an observer. A panic of an observer stops the loop and
/// propagates to the caller, as a panic of the source does.
pub trait Observer {
    /// Receives one event, and when it happened by the clock of the loop.
    fn on_event(&mut self, at: Duration, event: &Event);
}

impl<G: FnMut(Duration, &Event)> Observer for G {
    fn on_event(&mut self, at: Duration, event: &Event) {
        self(at, event);
    }
}

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Calls `observer` with each [`Event`] of this loop when it happens: for progress bars, logs and metrics.
    ///
    /// A loop may have several observers, and each receives every event. A loop without observers pays nothing.
    ///
    /// # Costs
    ///
    /// A reading of the clock for each event.
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
    /// async fn lengths<R>(clock: &R, urls: &[&str]) -> Vec<usize>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let log = |at, event: &Event| {
    ///         if let Event::Completed { index, kind, attempts, .. } = event {
    ///             eprintln!("{at:?}: item {index}: {kind:?} after {attempts} attempts");
    ///         }
    ///     };
    ///     let observed = forloop::each(urls).unbounded().timer(clock).observe(log);
    ///     observed.gather(async |url| url.len()).await
    /// }
    /// ```
    #[doc(alias = "progress bar")]
    #[doc(alias = "metrics")]
    pub fn observe<O: Observer>(self, observer: O) -> Loop<S, P, L, WithRule<C, Observed<M, O>>, M>
    where
        M: TimerSet,
    {
        let timer = self.timer.timer();
        self.with_option(Observed { timer, observer })
    }
}

/// An observer of a loop and its clock.
pub struct Observed<M: TimerSet, O> {
    timer: M::Timer,
    observer: O,
}

impl<M: TimerSet, O: Observer> Rule for Observed<M, O> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        self.observer.on_event(self.timer.now_local(), event);
        None
    }
}

impl<I, M: TimerSet, O: Observer> ItemRule<I> for Observed<M, O> {}
impl<T, M: TimerSet, O: Observer> OutcomeRule<T> for Observed<M, O> {}

impl<M: TimerSet, O: Clone> Clone for Observed<M, O> {
    fn clone(&self) -> Self {
        Self { timer: self.timer.clone(), observer: self.observer.clone() }
    }
}

impl<M: TimerSet, O> fmt::Debug for Observed<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}
