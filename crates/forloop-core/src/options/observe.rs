//! `observe`: whoever wants to see what happens in a loop.

use core::fmt;
use core::time::Duration;

use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, Loop, StopReason, Timer};

/// Hears what happens to the items of a loop.
///
/// It is told in the loop's own task, between two polls of bodies, so it should be quick; and need not be
/// `Send` if the loop is not. Every closure `|at, event|` is one. If one panics, that is as when the source does.
pub trait Observer {
    /// Hears one event, and when it happened, by the clock that [`observe`](Loop::observe) was given.
    fn on_event(&mut self, at: Duration, event: &Event);
}

impl<G: FnMut(Duration, &Event)> Observer for G {
    fn on_event(&mut self, at: Duration, event: &Event) {
        self(at, event);
    }
}

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Tells `observer` of each [`Event`] of this loop, at the time it happens: for progress bars, logs and
    /// metrics.
    ///
    /// Said several times, each observer is told. A loop without observers pays nothing for them.
    ///
    /// # Costs
    ///
    /// A reading of the clock for each event; and the loop looks at one body after another, so workers get
    /// theirs from the loop's task.
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
    ///         if let Event::Completed { index, how, attempts, .. } = event {
    ///             eprintln!("{at:?}: item {index} is {how:?} after {attempts} attempts");
    ///         }
    ///     };
    ///     forloop::each(urls).unbounded().observe(runtime, log).gather(async |url| url.len()).await
    /// }
    /// ```
    pub fn observe<R, O>(self, timer: &R, observer: O) -> Loop<S, P, L, WithRule<C, Observed<R, O>>>
    where
        R: Timer + Clone + 'static,
        O: Observer,
    {
        self.with_option(Observed { timer: timer.clone(), observer })
    }
}

/// Who is told of what happens in a loop, and by which clock.
#[derive(Clone)]
pub struct Observed<R, O> {
    timer: R,
    observer: O,
}

impl<R: Timer, O: Observer> Rule for Observed<R, O> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        self.observer.on_event(self.timer.now(), event);
        None
    }
}

impl<I, R: Timer, O: Observer> ItemRule<I> for Observed<R, O> {}
impl<T, R: Timer, O: Observer> OutcomeRule<T> for Observed<R, O> {}

impl<R, O> fmt::Debug for Observed<R, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}
