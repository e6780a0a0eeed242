//! The place whose bodies run on workers.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use forloop_core::places::{Attempt, FutureSet, Inline, JobHandle, Place, Push};
use forloop_core::{Loop, Outcome, Task, spawn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::Call;
use crate::call_error::CallError;
use crate::end::{End, encode};
use crate::job::{Job, JobKey};
use crate::pending::Pending;
use crate::run::{Run, Where};

/// Adds [`on_remote`](Self::on_remote) to loops.
pub trait OnRemote {
    /// The loop, with its bodies at `P`.
    type At<P>;

    /// Runs the bodies of the loop on the workers of a [`Run`]. Each is a [call](crate::Body::call) of a named body.
    ///
    /// Everything else is decided by this loop: what starts and when, retries, time-outs, order, the end. A time-out of the
    /// loop begins when the job is submitted, and includes the time for which it waits for a worker.
    ///
    /// # Panics
    ///
    /// As with other places, a panic of a body propagates to the caller, with its message as payload.
    ///
    /// # Cancel safety
    ///
    /// A loop that is dropped stops its bodies: those that are queued do not begin, and those that run are dropped by their workers
    /// within a second. The run keeps the outcomes that there are, and a loop over the same items continues from them.
    fn on_remote(self, run: &Run) -> Self::At<Run>;
}

impl<S, L, C, M> OnRemote for Loop<S, Inline, L, C, M>
where
    S: forloop_core::types::IsStream,
{
    type At<P> = Loop<S, P, L, C, M>;

    fn on_remote(self, run: &Run) -> Loop<S, Run, L, C, M> {
        self.at(run.clone())
    }
}

impl<I, T, E> Place<Call<I, T, E>> for Run
where
    I: Serialize,
    T: DeserializeOwned,
    E: DeserializeOwned + From<CallError>,
{
    type Set = FutureSet<RemoteJob<T, E>>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        FutureSet::new()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, attempt: Attempt, call: Call<I, T, E>, (): ()) -> RemoteJob<T, E> {
        let handle = match encode(&call.item, self.payload_limit()) {
            Ok(payload) => {
                let key = JobKey { index: attempt.index as u64, attempt: attempt.attempt };
                let job = Job::new(key, call.body.id(), call.body.is_once(), payload);
                self.submit(job.with_context(self.context_of(key)))
            }
            Err(error) => Handle::ended(End::Call(error)),
        };
        RemoteJob { handle, has_expired: false, types: PhantomData }
    }
}

/// A body of a loop that runs on a worker.
pub struct RemoteJob<T, E> {
    handle: Handle,
    has_expired: bool,
    types: PhantomData<fn() -> Result<T, E>>,
}

/// What is left here of a body that runs elsewhere.
pub(crate) enum Handle {
    /// A task of this process, of a run that is `local:`.
    Local(Task<End>),
    /// A job. The run is kept open for it.
    Remote(Arc<Pending>, Run),
    /// It has ended before it was sent.
    Ended { end: Option<End>, sequence: usize },
}

impl Handle {
    pub(crate) fn ended(end: End) -> Self {
        Self::Ended { end: Some(end), sequence: <Task<End> as JobHandle>::next_sequence() }
    }
}

impl<T, E> RemoteJob<T, E> {
    fn request_stop(&self) {
        match &self.handle {
            Handle::Local(task) => task.request_cancel(),
            Handle::Remote(pending, run) => run.stop(pending),
            Handle::Ended { .. } => {}
        }
    }
}

impl<T, E> JobHandle for RemoteJob<T, E>
where
    T: DeserializeOwned,
    E: DeserializeOwned + From<CallError>,
{
    type Output = Result<T, E>;

    const INLINE: bool = false;

    fn watch(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        match &mut self.handle {
            Handle::Local(task) => JobHandle::watch(Pin::new(task), cx),
            Handle::Remote(pending, _) => pending.watch(cx),
            Handle::Ended { .. } => cx.waker().wake_by_ref(),
        }
    }

    fn poll_outcome(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<Result<T, E>>> {
        let end = match &mut self.handle {
            Handle::Local(task) => match std::task::ready!(Pin::new(task).poll_outcome(cx)) {
                Outcome::Ok(end) => end,
                outcome => return Poll::Ready(outcome.map(|_| unreachable!("it has no value"))),
            },
            Handle::Remote(pending, _) => std::task::ready!(pending.poll_end(cx)),
            Handle::Ended { end, .. } => match end.take() {
                Some(end) => end,
                None => return Poll::Pending,
            },
        };
        Poll::Ready(match end.into_outcome() {
            // It has timed out in the queue.
            Outcome::NotRun if self.has_expired => Outcome::Cancelled,
            outcome => outcome,
        })
    }

    fn mark_cancelled(self: Pin<&Self>) {
        self.request_stop();
    }

    fn cancel(self: Pin<&mut Self>) -> bool {
        self.request_stop();
        false
    }

    fn expire(mut self: Pin<&mut Self>) -> bool {
        self.has_expired = true;
        self.request_stop();
        false
    }

    fn rank(self: Pin<&Self>, _index: usize) -> Option<usize> {
        match &self.get_ref().handle {
            Handle::Local(task) => JobHandle::rank(Pin::new(task), 0),
            Handle::Remote(pending, _) => pending.sequence(),
            Handle::Ended { sequence, .. } => Some(*sequence),
        }
    }

    fn sequence(&self) -> usize {
        match &self.handle {
            Handle::Local(task) => JobHandle::sequence(task),
            Handle::Remote(pending, _) => pending.sequence().unwrap_or(usize::MAX),
            Handle::Ended { sequence, .. } => *sequence,
        }
    }

    fn next_sequence() -> usize {
        <Task<End> as JobHandle>::next_sequence()
    }
}

/// A job that is not awaited any more need not run.
impl<T, E> Drop for RemoteJob<T, E> {
    fn drop(&mut self) {
        self.request_stop();
    }
}

impl<T, E> fmt::Debug for RemoteJob<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RemoteJob");
        if let Handle::Remote(pending, _) = &self.handle {
            debug.field("key", &pending.job.key);
        }
        debug.finish_non_exhaustive()
    }
}

impl Run {
    /// Starts a job, here or on a worker.
    fn submit(&self, job: Job) -> Handle {
        match self.place() {
            Where::Local { bodies, runtime } => match bodies.start(&job, None) {
                Some(body) => Handle::Local(spawn(runtime, body)),
                None => {
                    let served = bodies.ids();
                    Handle::ended(End::Call(CallError::NotServed { body: job.body, served }))
                }
            },
            Where::Remote(producer) => match producer.submit(job) {
                Ok(pending) => Handle::Remote(pending, self.clone()),
                Err(error) => Handle::ended(End::Call(error)),
            },
        }
    }

    fn stop(&self, pending: &Arc<Pending>) {
        if let Where::Remote(producer) = self.place() {
            producer.stop(pending);
        }
    }
}
