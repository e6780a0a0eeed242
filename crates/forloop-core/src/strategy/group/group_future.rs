//! The future of a group, and its options.

use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::looping::{NoOptions, TimerSet, TimerUnset, WithTimer};
use crate::options::{CancelOn, Deadline, IsSignal, Policy, WithInterrupt};
use crate::outcome::{FirstOf, catch};
use crate::{Cause, Failure, LocalTimer, LoopError, Panic};

/// Runs a group of any kind of children.
pub trait GroupDriver {
    /// What the body returns.
    type Value;

    /// The error of the body and of the children.
    type Error;

    /// Has a child's failure not stop the group.
    fn supervise(&mut self);

    /// Whether the group can still be interrupted: it neither stops nor has completed.
    fn is_running(&self) -> bool;

    /// Stops the group for a reason from outside.
    fn interrupt(&mut self, cause: Cause);

    /// Stops the group for a panic, which [`finish`](Self::finish) resumes.
    fn stop_for(&mut self, panic: Panic);

    /// Drives the group until everything has stopped.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Returns the body's value and the failures that did not stop the group; or the error, or resumes the panic,
    /// that did.
    fn finish(&mut self) -> GroupResult<Self::Value, Self::Error>;
}

/// What a group completes with.
pub(super) type GroupResult<T, E> = Result<(T, Vec<Failure<E>>), LoopError<E>>;

/// A group that can be awaited: a [`task_group`](crate::task_group), a [`scope`](crate::scope) or a
/// [`local_scope`](crate::local_scope).
#[must_use = "a group does nothing until it is awaited"]
pub struct GroupFuture<D, C = NoOptions, M = FailFast, R = TimerUnset> {
    driver: D,
    /// `None` once the group has completed.
    policy: Option<C>,
    mode: M,
    timer: R,
}

// Nothing in it is pinned in place.
impl<D, C, M, R> Unpin for GroupFuture<D, C, M, R> {}

impl<D> GroupFuture<D> {
    #[inline(always)] // so that it is constructed in place
    pub(super) fn new(driver: D) -> Self {
        Self { driver, policy: Some(NoOptions), mode: FailFast, timer: TimerUnset }
    }
}

impl<D, C, M, R> GroupFuture<D, C, M, R> {
    /// Cancels the group when `signal` completes, with any output.
    ///
    /// As [`Group::cancel`](crate::Group::cancel), but from outside: the group returns
    /// [`LoopError::Cancelled`] even if its body has returned a value. If a child has failed by then, it
    /// returns [`LoopError::Failed`] with that cause. If the signal is complete before the group begins,
    /// its body is never called.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{CancelToken, LoopError};
    ///
    /// let token = CancelToken::new();
    /// let stop = token.clone();
    /// let served = forloop::scope(|scope| async move {
    ///     scope.spawn(async { Ok(std::future::pending::<()>().await) });
    ///     stop.cancel();
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// let served = served.cancel_on(&token).await;
    /// assert!(matches!(served, Err(LoopError::Cancelled)));
    /// # });
    /// ```
    pub fn cancel_on<W: IsSignal>(
        self,
        signal: W,
    ) -> GroupFuture<D, WithInterrupt<C, CancelOn<W::Future>>, M, R> {
        let signal = CancelOn::new(signal.into_signal());
        self.with(|policy| WithInterrupt::new(policy, signal))
    }

    /// Sets the clock of the [`deadline`](Self::deadline) that follows: see [`Loop::timer`](crate::Loop::timer).
    pub fn timer<T>(self, timer: &T) -> GroupFuture<D, C, M, WithTimer<T>>
    where
        T: LocalTimer + Clone + 'static,
    {
        self.with_timer(WithTimer(timer.clone()))
    }

    /// Returns the same group with another source of clocks.
    #[doc(hidden)]
    #[inline(always)] // so that it is constructed in place
    pub fn with_timer<T>(self, timer: T) -> GroupFuture<D, C, M, T> {
        let Self { driver, policy, mode, timer: _ } = self;
        GroupFuture { driver, policy, mode, timer }
    }

    /// Cancels the group `after` this time, counted from its first poll.
    ///
    /// The group then returns [`LoopError::TimedOut`], or [`LoopError::Failed`] with that cause if a
    /// child has failed by then.
    pub fn deadline(self, after: Duration) -> GroupFuture<D, WithInterrupt<C, Deadline<R>>, M, R>
    where
        R: TimerSet,
    {
        let deadline = Deadline::new(self.timer.timer(), after);
        self.with(|policy| WithInterrupt::new(policy, deadline))
    }

    /// Returns the same group under another policy.
    fn with<I>(self, policy: impl FnOnce(C) -> I) -> GroupFuture<D, I, M, R> {
        let Self { driver, policy: before, mode, timer } = self;
        GroupFuture { driver, policy: before.map(policy), mode, timer }
    }
}

impl<D: GroupDriver, C, R> GroupFuture<D, C, FailFast, R> {
    /// Has a child's failure not stop the group: siblings and body continue, and the group returns every
    /// child's error beside the body's value.
    ///
    /// An error of the body itself still stops the group, and so does a panic. The group keeps the errors
    /// until it completes, so the children of a group that runs forever should handle their own.
    ///
    /// Equivalent to Kotlin's `supervisorScope`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let supervised = forloop::scope(|scope| async move {
    ///     scope.spawn(async { Err::<(), _>("one of them failed") });
    ///     let other = scope.spawn(async { Ok(2) });
    ///     Ok(other.await.unwrap())
    /// })
    /// .supervised()
    /// .await
    /// .unwrap();
    /// assert_eq!(supervised.value, 2);
    /// assert_eq!(supervised.failures[0].error, "one of them failed");
    /// # });
    /// ```
    #[doc(alias = "supervisorScope")]
    #[doc(alias = "SupervisorJob")]
    pub fn supervised(self) -> GroupFuture<D, C, Supervise, R> {
        let Self { mut driver, policy, mode: FailFast, timer } = self;
        driver.supervise();
        GroupFuture { driver, policy, mode: Supervise, timer }
    }
}

/// Whether a child's failure stops the group, and what the group returns.
pub trait FailureMode {
    /// What a group that was not stopped returns for its body's value `T`.
    type Output<T, E>;

    /// Converts the body's value to it.
    fn output_of<T, E>(value: T, failures: Vec<Failure<E>>) -> Self::Output<T, E>;
}

/// A child's failure stops the group.
#[derive(Debug, Clone, Copy)]
pub struct FailFast;

impl FailureMode for FailFast {
    type Output<T, E> = T;

    fn output_of<T, E>(value: T, _none: Vec<Failure<E>>) -> T {
        value
    }
}

/// A child's failure does not stop the group.
#[derive(Debug, Clone, Copy)]
pub struct Supervise;

impl FailureMode for Supervise {
    type Output<T, E> = Supervised<T, E>;

    fn output_of<T, E>(value: T, failures: Vec<Failure<E>>) -> Supervised<T, E> {
        Supervised { value, failures }
    }
}

/// What a [supervised](GroupFuture::supervised) group returns.
///
/// Its `Debug` output is bounded: it has the first failures, and how many more there are.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the children's failures are in here"]
#[non_exhaustive]
pub struct Supervised<T, E> {
    /// The body's value.
    pub value: T,
    /// The children's errors, the earliest first.
    pub failures: Vec<Failure<E>>,
}

impl<T: fmt::Debug, E: fmt::Debug> fmt::Debug for Supervised<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervised")
            .field("value", &self.value)
            .field("failures", &FirstOf(&self.failures))
            .finish()
    }
}

impl<D: GroupDriver, C: Policy, M: FailureMode, R> Future for GroupFuture<D, C, M, R> {
    type Output = Result<M::Output<D::Value, D::Error>, LoopError<D::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { driver, policy, .. } = &mut *self;
        if let Some(policy) = policy.as_mut().filter(|_| driver.is_running()) {
            match catch(|| policy.poll_interrupt(cx, false)) {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(reason)) => driver.interrupt(reason.into()),
                Err(panic) => driver.stop_for(panic),
            }
        }
        ready!(driver.poll_stopped(cx));
        // Dropped here, so that the group can report a panic of its destructor.
        if let Err(panic) = catch(|| *policy = None) {
            driver.stop_for(panic);
        }
        Poll::Ready(driver.finish().map(|(value, failures)| M::output_of(value, failures)))
    }
}

impl<D, C, M, R> fmt::Debug for GroupFuture<D, C, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupFuture").finish_non_exhaustive()
    }
}
