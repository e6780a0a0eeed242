//! `stagger`: a body starts when the previous one has failed, or after a delay.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::looping::TimerSet;
use crate::outcome::StopReason;
use crate::{Event, LocalTimer, Loop};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Starts a body when the previously started one has failed, or `delay` after that one was started, if that is
    /// earlier.
    ///
    /// With [`race_ok`](Self::race_ok) this is "happy eyeballs", with which browsers connect to the first of several
    /// addresses that answers (RFC 8305, which recommends 250 ms between attempts). Over several servers for one
    /// request, it is also a form of hedged requests. To send the same request once more, `forloop::hedge` is a future
    /// for one body.
    ///
    /// A body has failed if it returned an error, timed out, or panicked and the panic was caught. Strategies that
    /// ignore `Result`s, such as `race`, see no errors. A successful completion does not shorten the delay.
    ///
    /// The loop pulls at most one item before its body may start. So it ends with its last body, or when its source
    /// fails, and not when another body might start. If the loop stops, that item is reported as not run.
    ///
    /// # Costs
    ///
    /// One timer for the loop, and a reading of the clock for each start.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::io;
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// use forloop::LoopError;
    /// # struct Connection;
    /// # async fn connect(_: SocketAddr) -> io::Result<Connection> { Ok(Connection) }
    ///
    /// async fn connect_to_any<R>(
    ///     clock: &R,
    ///     addresses: &[SocketAddr],
    /// ) -> Result<Connection, LoopError<io::Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let attempts = forloop::each(addresses)
    ///         .unbounded()
    ///         .timer(clock)
    ///         .stagger(Duration::from_millis(250));
    ///     let (_, connection) = attempts.race_ok(|&address| connect(address)).await?;
    ///     Ok(connection)
    /// }
    /// ```
    #[doc(alias = "happy_eyeballs")]
    pub fn stagger(self, delay: Duration) -> Loop<S, P, L, WithRule<C, Stagger<M>>, M>
    where
        M: TimerSet,
    {
        let stagger = Stagger::new(self.timer.timer(), delay);
        self.with_option(stagger)
    }
}

/// A delay between two starts, which a failure of the earlier body ends.
///
/// Only the body that was started last matters. If it fails, no delay is left, and the next body may start. A failure
/// of an earlier one changes nothing: a later body was started since, because of that failure or after the delay.
pub struct Stagger<M: TimerSet> {
    timer: M::Timer,
    delay: Duration,
    /// The body that was started last, unless it has failed.
    last: Option<LastStart>,
    alarm: Alarm<M::Timer>,
}

struct LastStart {
    index: usize,
    /// When the next body may start, by the clock of `timer`.
    next_at: Duration,
}

impl<M: TimerSet> Stagger<M> {
    fn new(timer: M::Timer, delay: Duration) -> Self {
        Self { timer, delay, last: None, alarm: Alarm::default() }
    }
}

impl<M: TimerSet> Rule for Stagger<M> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.last {
            Some(last) => self.alarm.poll_until(&self.timer, last.next_at, cx),
            None => Poll::Ready(()),
        }
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, .. } => {
                // A time that no clock can show never comes.
                let next_at = self.timer.now_local().saturating_add(self.delay);
                self.last = Some(LastStart { index, next_at });
            }
            Event::Retried { index, .. } => self.on_failure(index),
            Event::Completed { index, kind, .. } if kind.is_failure() => self.on_failure(index),
            Event::LoopStarted { .. } | Event::Received { .. } | Event::Completed { .. } => {}
        }
        None
    }
}

impl<M: TimerSet> Stagger<M> {
    fn on_failure(&mut self, index: usize) {
        self.last.take_if(|last| last.index == index);
    }
}

impl<I, M: TimerSet> ItemRule<I> for Stagger<M> {}
impl<T, M: TimerSet> OutcomeRule<T> for Stagger<M> {}

impl<M: TimerSet> Clone for Stagger<M> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.delay)
    }
}

impl<M: TimerSet> fmt::Debug for Stagger<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stagger").field("delay", &self.delay).finish_non_exhaustive()
    }
}
