//! Tasks that record what their executor does with them, and a wait that is not measured by the machine's clock.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use forloop_core::{Spawn, SpawnLocal, SpawnScoped};

use crate::backend::{Job, job};
use crate::tasks::AnyPlace;

/// What an executor has done with a task.
#[derive(Debug, Default)]
pub(super) struct Observed {
    polls: AtomicUsize,
    polls_after_the_end: AtomicUsize,
    drops: AtomicUsize,
    has_ended: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Observed {
    pub(super) fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    pub(super) fn polls_after_the_end(&self) -> usize {
        self.polls_after_the_end.load(Ordering::SeqCst)
    }

    pub(super) fn drops(&self) -> usize {
        self.drops.load(Ordering::SeqCst)
    }

    /// The waker of the last poll.
    pub(super) fn waker(&self) -> Option<Waker> {
        lock(&self.waker).clone()
    }

    /// Drops the waker, so that it does not keep the task alive.
    pub(super) fn forget_waker(&self) {
        let waker = lock(&self.waker).take();
        drop(waker);
    }
}

/// Makes a task whose polls and drops are recorded.
pub(super) fn task(
    observed: &Arc<Observed>,
    poll: impl FnMut(&mut Context<'_>) -> Poll<()> + Send + 'static,
) -> Job<()> {
    Box::pin(Recorded { observed: observed.clone(), poll: Box::new(poll) })
}

/// Makes a task that is pending until its poll of this number.
pub(super) fn task_of_polls(observed: &Arc<Observed>, polls: usize) -> Job<()> {
    let counted = observed.clone();
    task(observed, move |_| if polls <= counted.polls() { Poll::Ready(()) } else { Poll::Pending })
}

/// Makes a task that is pending forever.
pub(super) fn endless_task(observed: &Arc<Observed>) -> Job<()> {
    task(observed, |_| Poll::Pending)
}

struct Recorded {
    observed: Arc<Observed>,
    poll: Box<dyn FnMut(&mut Context<'_>) -> Poll<()> + Send>,
}

impl Future for Recorded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let observed = self.observed.clone();
        // It may be polled after its end, which is what the seam is examined for, and not panic.
        if observed.has_ended() {
            observed.polls_after_the_end.fetch_add(1, Ordering::SeqCst);
            return Poll::Ready(());
        }
        let before = lock(&observed.waker).replace(cx.waker().clone());
        drop(before);
        observed.polls.fetch_add(1, Ordering::SeqCst);
        let poll = (self.poll)(cx);
        if poll.is_ready() {
            observed.has_ended.store(true, Ordering::SeqCst);
        }
        poll
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.observed.drops.fetch_add(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that is under way, to see whether a task is polled inside it.
#[derive(Debug, Clone, Default)]
pub(super) struct Calling {
    thread: Arc<Mutex<Option<ThreadId>>>,
}

impl Calling {
    pub(super) fn during(&self, call: impl FnOnce()) {
        *lock(&self.thread) = Some(thread::current().id());
        call();
        *lock(&self.thread) = None;
    }

    /// Whether the call is under way on this thread, and so below this poll.
    pub(super) fn is_here(&self) -> bool {
        *lock(&self.thread) == Some(thread::current().id())
    }
}

/// Spawns a task at the place, without any of forloop's own code around it.
pub(super) fn spawn(place: &AnyPlace, task: Job<()>) {
    match place {
        AnyPlace::Spawned(place) => place.0.spawn(task),
        AnyPlace::SpawnedLocal(place) => place.0.spawn_local(task),
        AnyPlace::SpawnedScoped(place) => place.0.spawn_scoped(task),
    }
}

/// Spawns a task that calls the functions with one that spawns: in its first poll, and when it is dropped.
///
/// Tasks on scoped threads cannot spawn. Instead of such a task, the caller calls the functions.
pub(super) fn spawn_acting(
    place: &AnyPlace,
    on_poll: impl FnOnce(&dyn Fn(Job<()>)) + Send + 'static,
    on_drop: impl FnOnce(&dyn Fn(Job<()>)) + Send + 'static,
) {
    match place {
        AnyPlace::Spawned(place) => {
            let runtime = place.0.clone();
            let spawn = move |task| runtime.spawn(task);
            place.0.spawn(Acting { spawn, on_poll: Some(on_poll), on_drop: Some(on_drop) });
        }
        AnyPlace::SpawnedLocal(place) => {
            let runtime = place.0.clone();
            let spawn = move |task| runtime.spawn_local(task);
            place.0.spawn_local(Acting { spawn, on_poll: Some(on_poll), on_drop: Some(on_drop) });
        }
        AnyPlace::SpawnedScoped(place) => {
            let spawn = |task| place.0.spawn_scoped(task);
            on_poll(&spawn);
            on_drop(&spawn);
        }
    }
}

struct Acting<S: Fn(Job<()>), P, D: FnOnce(&dyn Fn(Job<()>))> {
    spawn: S,
    on_poll: Option<P>,
    on_drop: Option<D>,
}

// Nothing in it is pinned.
impl<S: Fn(Job<()>), P, D: FnOnce(&dyn Fn(Job<()>))> Unpin for Acting<S, P, D> {}

impl<S, P, D> Future for Acting<S, P, D>
where
    S: Fn(Job<()>),
    P: FnOnce(&dyn Fn(Job<()>)),
    D: FnOnce(&dyn Fn(Job<()>)),
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if let Some(on_poll) = self.on_poll.take() {
            on_poll(&self.spawn);
        }
        Poll::Ready(())
    }
}

impl<S: Fn(Job<()>), P, D: FnOnce(&dyn Fn(Job<()>))> Drop for Acting<S, P, D> {
    fn drop(&mut self) {
        if let Some(on_drop) = self.on_drop.take() {
            on_drop(&self.spawn);
        }
    }
}

/// The patience of a row, in ticks: half a second on an idle machine.
pub(super) const TICKS: usize = 500;

/// Waits until the condition is true, and returns `false` if it is not after so many ticks.
///
/// A tick is a sleep of a millisecond on a thread of its own. On a busy machine the ticks take longer, as what is
/// waited for does.
pub(super) fn happens_in(ticks: usize, condition: impl Fn() -> bool) -> bool {
    for _ in 0..ticks {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    condition()
}

/// The same in a future, which a thread wakes when it is decided. The condition is also true for what follows it.
pub(super) async fn until(condition: impl Fn() -> bool + Send + 'static) -> bool {
    until_in(TICKS, condition).await
}

pub(super) async fn until_in(ticks: usize, condition: impl Fn() -> bool + Send + 'static) -> bool {
    let (decided, decision) = async_channel::bounded(1);
    thread::spawn(move || {
        let happens = happens_in(ticks, condition);
        // The receiver was dropped if the row has panicked.
        let _ = decided.try_send(happens);
    });
    decision.recv().await.expect("the thread sends")
}

/// Lets a few ticks pass.
pub(super) async fn a_few_ticks() {
    until_in(3, || false).await;
}

/// Makes a task that does nothing but end, after calling `on_poll`.
pub(super) fn short_task(on_poll: impl FnOnce() + Send + 'static) -> Job<()> {
    let mut on_poll = Some(on_poll);
    job(std::future::poll_fn(move |_| {
        if let Some(on_poll) = on_poll.take() {
            on_poll();
        }
        Poll::Ready(())
    }))
}

/// Waits until the task was polled so often, and then until the poll has returned.
pub(super) async fn polls(observed: &Arc<Observed>, number: usize) -> bool {
    let counted = observed.clone();
    let happens = until(move || number <= counted.polls()).await;
    a_few_ticks().await;
    happens
}

/// Wakes the task with the waker of its last poll.
pub(super) fn wake(observed: &Observed) {
    if let Some(waker) = observed.waker() {
        waker.wake();
    }
}
