//! The future of a group, and what may be said about its end.

use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::looping::NoOptions;
use crate::options::{CancelOn, Deadline, Policy, WithInterrupt};
use crate::outcome::catch;
use crate::{Cause, Failure, LoopError, Panic, Timer};

/// What runs a group, whatever its children are.
pub trait GroupDriver {
    /// What the body returns.
    type Value;

    /// What the body or a child fails with.
    type Error;

    /// Lets a child's failure stop nobody.
    fn supervise(&mut self);

    /// Whether there is something left to cut short.
    fn is_under_way(&self) -> bool;

    /// Cuts the group short.
    fn interrupt(&mut self, cause: Cause);

    /// Cancels the group for a panic, and goes on with it when everything has stopped.
    fn stop_for(&mut self, panic: Panic);

    /// Polls for the moment at which everything has stopped.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Tells the group's end: the body's value, and the failures that were no reason to stop.
    fn end(&mut self) -> Completed<Self::Value, Self::Error>;
}

/// How a group has ended.
pub(super) type Completed<T, E> = Result<(T, Vec<Failure<E>>), LoopError<E>>;

/// A group that can be awaited: a [`task_group`](crate::task_group), a [`scope`](crate::scope) or a
/// [`local_scope`](crate::local_scope).
#[must_use = "a group does nothing until it is awaited"]
pub struct GroupFuture<D, C = NoOptions, M = FailFast> {
    driver: D,
    /// Gone once the group has ended.
    policy: Option<C>,
    mode: M,
}

// Nothing in it is pinned in place.
impl<D, C, M> Unpin for GroupFuture<D, C, M> {}

impl<D> GroupFuture<D> {
    pub(super) fn new(driver: D) -> Self {
        Self { driver, policy: Some(NoOptions), mode: FailFast }
    }
}

impl<D, C, M> GroupFuture<D, C, M> {
    /// Cancels the group when `signal` is ready, whatever it gives: as
    /// [`Group::cancel`](crate::Group::cancel), but from outside, so that the group returns
    /// [`LoopError::Cancelled`] also if its body has a value; or, if a child has failed by then,
    /// [`LoopError::Failed`] with that cause. If the signal is ready before the group begins, its body
    /// is never called.
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
    pub fn cancel_on<W: IntoFuture>(
        self,
        signal: W,
    ) -> GroupFuture<D, WithInterrupt<C, CancelOn<W::IntoFuture>>, M> {
        let signal = CancelOn::new(signal.into_future());
        self.with(|policy| WithInterrupt::new(policy, signal))
    }

    /// Gives the whole group so much time, from its first poll; then it is cancelled and returns
    /// [`LoopError::TimedOut`]; or, if a child has failed by then, [`LoopError::Failed`] with that
    /// cause.
    pub fn deadline<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        after: Duration,
    ) -> GroupFuture<D, WithInterrupt<C, Deadline<R>>, M> {
        let deadline = Deadline::new(timer, after);
        self.with(|policy| WithInterrupt::new(policy, deadline))
    }

    /// The same group under another policy.
    fn with<I>(self, policy: impl FnOnce(C) -> I) -> GroupFuture<D, I, M> {
        let Self { driver, policy: before, mode } = self;
        GroupFuture { driver, policy: before.map(policy), mode }
    }
}

impl<D: GroupDriver, C> GroupFuture<D, C> {
    /// Lets a child's failure stop nobody: siblings and body go on, and the group returns every
    /// child's error beside the body's value.
    ///
    /// An error of the body itself stops the group as ever, and so does a panic. The errors are kept
    /// until the group ends: children of a group that runs for ever had better handle their own.
    ///
    /// Known from Kotlin as `supervisorScope`.
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
    pub fn supervised(self) -> GroupFuture<D, C, Supervise> {
        let Self { mut driver, policy, mode: FailFast } = self;
        driver.supervise();
        GroupFuture { driver, policy, mode: Supervise }
    }
}

/// What a child's failure does to its group, and what the group then gives.
pub trait FailureMode {
    /// What a group that has come to its end gives for its body's value `T`.
    type Gives<T, E>;

    /// Makes it.
    fn gives<T, E>(value: T, failures: Vec<Failure<E>>) -> Self::Gives<T, E>;
}

/// A child's failure stops the group.
#[derive(Debug, Clone, Copy)]
pub struct FailFast;

impl FailureMode for FailFast {
    type Gives<T, E> = T;

    fn gives<T, E>(value: T, _none: Vec<Failure<E>>) -> T {
        value
    }
}

/// A child's failure stops nobody.
#[derive(Debug, Clone, Copy)]
pub struct Supervise;

impl FailureMode for Supervise {
    type Gives<T, E> = Supervised<T, E>;

    fn gives<T, E>(value: T, failures: Vec<Failure<E>>) -> Supervised<T, E> {
        Supervised { value, failures }
    }
}

/// What a [supervised](GroupFuture::supervised) group gives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the children's failures are in here"]
pub struct Supervised<T, E> {
    /// The body's value.
    pub value: T,
    /// The children's errors, the first in time first.
    pub failures: Vec<Failure<E>>,
}

impl<D: GroupDriver, C: Policy, M: FailureMode> Future for GroupFuture<D, C, M> {
    type Output = Result<M::Gives<D::Value, D::Error>, LoopError<D::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { driver, policy, .. } = &mut *self;
        if let Some(policy) = policy.as_mut().filter(|_| driver.is_under_way()) {
            match catch(|| policy.poll_interrupt(cx, false)) {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(reason)) => driver.interrupt(reason.into()),
                Err(panic) => driver.stop_for(panic),
            }
        }
        ready!(driver.poll_stopped(cx));
        // What it holds may panic when it is dropped, and later might be too late to say so.
        if let Err(panic) = catch(|| *policy = None) {
            driver.stop_for(panic);
        }
        let ended = driver.end();
        Poll::Ready(ended.map(|(value, failures)| M::gives(value, failures)))
    }
}

impl<D, C, M> fmt::Debug for GroupFuture<D, C, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grouped").finish_non_exhaustive()
    }
}
