//! `stagger`: a body begins when the one before it has failed, or some time after it began.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, Loop, StopReason, Timer};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Begins a body when the one that was begun before it has failed, or so much time after that began: whichever is
    /// first.
    ///
    /// With [`race_ok`](Self::race_ok) that is what browsers do to connect to the first of several
    /// addresses that answers, and call "happy eyeballs" (RFC 8305, which asks for 250 ms between attempts).
    ///
    /// Failed is a body that returned an error, has no time left, or whose panic was caught; a strategy that does not
    /// look into what bodies return, such as `race`, knows no errors. An end that is no failure lets nobody
    /// begin earlier.
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
    ///     runtime: &R,
    ///     addresses: &[SocketAddr],
    /// ) -> Result<Connection, LoopError<io::Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let attempts = forloop::each(addresses)
    ///         .unbounded()
    ///         .stagger(runtime, Duration::from_millis(250));
    ///     let (_, connection) = attempts.race_ok(|&address| connect(address)).await?;
    ///     Ok(connection)
    /// }
    /// ```
    pub fn stagger<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        delay: Duration,
    ) -> Loop<S, P, L, WithRule<C, Stagger<R>>> {
        self.with_option(Stagger::new(timer.clone(), delay))
    }
}

/// How long after one body the next may begin.
pub struct Stagger<R> {
    timer: R,
    delay: Duration,
    /// Who has begun last, and when the next may.
    last: Option<(usize, Duration)>,
    alarm: Alarm,
}

impl<R> Stagger<R> {
    fn new(timer: R, delay: Duration) -> Self {
        Self { timer, delay, last: None, alarm: Alarm::default() }
    }
}

impl<R: Timer + 'static> Rule for Stagger<R> {
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.last {
            Some((_, next)) => self.alarm.poll_until(&self.timer, next, cx),
            None => Poll::Ready(()),
        }
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, .. } => {
                // A time that no clock can show never comes.
                let next = self.timer.now().checked_add(self.delay).unwrap_or(Duration::MAX);
                self.last = Some((index, next));
            }
            Event::Retried { index, .. } => self.failed(index),
            Event::Completed { index, how, .. } if how.is_failure() => self.failed(index),
            _ => {}
        }
        None
    }
}

impl<R> Stagger<R> {
    fn failed(&mut self, index: usize) {
        self.last.take_if(|&mut (last, _)| last == index);
    }
}

impl<I, R: Timer + 'static> ItemRule<I> for Stagger<R> {}
impl<T, R: Timer + 'static> OutcomeRule<T> for Stagger<R> {}

impl<R: Clone> Clone for Stagger<R> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.delay)
    }
}

impl<R> fmt::Debug for Stagger<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stagger").field("delay", &self.delay).finish_non_exhaustive()
    }
}
