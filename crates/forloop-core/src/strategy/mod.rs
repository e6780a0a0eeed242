//! The strategies, one per file: what becomes of a loop's results.

mod as_completed;
mod collect;
mod consume;
mod extend;
mod filter_map;
mod first_ok;
mod fold;
mod for_each;
mod gather;
mod group;
mod prompt;
mod race;
mod results;
mod sequential;
mod settle;
mod stream;
mod task_list;
mod try_gather;
mod wait;

pub use self::as_completed::{AsCompleted, as_completed};
pub use self::consume::ResultReceiver;
pub use self::filter_map::FilterBody;
pub use self::gather::gather;
pub use self::group::{
    Child, FailFast, FailureMode, Group, GroupDriver, GroupFuture, LocalScope, ReadySignal, Scope,
    StartError, Supervise, Supervised, local_scope, scope, task_group,
};
pub use self::race::{race, race_ok};
pub use self::results::Results;
pub use self::sequential::sequential;
pub use self::settle::{Settled, settle};
pub use self::stream::{InOrder, Unordered};
pub use self::task_list::task_list;
pub use self::try_gather::try_gather;
pub use self::wait::{Completed, TaskSet, Wait, wait};

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::Interrupted;
use crate::admission::AttemptLog;
use crate::driver::{Drive, Spawner};
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy, Policy};
use crate::place::Delivery;

/// What becomes of the ends of a loop's bodies, under the policy `C`.
trait Collector<T, C: Policy> {
    type Collected;

    /// Hears how many ends there will be at least, if the source tells the truth.
    fn expect(&mut self, _ends: usize) {}

    /// Whether its mind is made up before anything begins: only asked where ends are
    /// [attended](prompt::PromptCollectFuture) to.
    fn is_decided(&self) -> bool {
        false
    }

    /// How much a body's output tells. Without this all are [light](Delivery::Batched), and may be taken later
    /// than others and in another order. One that is the [last](Delivery::Terminal) stops the loop when it is
    /// taken.
    const DELIVERY: Option<fn(&T) -> Delivery> = None;

    /// Whose attempts are told at the end.
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    /// Takes one end; `Break` stops the loop. Later ends are still brought.
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()>;

    /// Gives the loop's result, once every body has ended.
    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected;
}

/// How a loop came to its end.
struct LoopEnd<S> {
    /// How many bodies were called.
    started: usize,
    /// What has cut it short.
    interrupted: Option<Interrupted<(), S>>,
    /// Index and attempts of the items of [note](Collector::ATTEMPT_LOG) that were tried more than once, ascending.
    tried: Vec<(usize, u32)>,
}

/// Asks the judge of a loop that has ended for its result.
#[inline]
fn finish<S, A, J, C, V>(
    mut drive: Pin<&mut Drive<S, A, J, C>>,
    collector: &mut Option<V>,
) -> V::Collected
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
    V: Collector<J::Output, C>,
{
    let tried = drive.as_mut().tried();
    let interrupted = drive.as_mut().ending();
    let collector = collector.take().expect("a loop that has ended is not polled again");
    collector.finish(LoopEnd { started: drive.started(), interrupted, tried })
}

pin_project! {
    /// A loop that runs to its end and then gives one result.
    #[derive(Debug)]
    struct CollectFuture<S, A, J, C, V> {
        #[pin]
        drive: Drive<S, A, J, C>,
        collector: Option<V>,
    }
}

impl<S, A, J, C, V> CollectFuture<S, A, J, C, V> {
    #[inline]
    fn new(drive: Drive<S, A, J, C>, collector: V) -> Self {
        Self { drive, collector: Some(collector) }
    }
}

impl<S, A, J, C, V> Future for CollectFuture<S, A, J, C, V>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
    V: Collector<J::Output, C>,
{
    type Output = V::Collected;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Collected> {
        let mut this = self.project();
        if let (Some(ends), Some(collector)) =
            (this.drive.as_mut().begin(true, V::DELIVERY), this.collector.as_mut())
        {
            collector.expect(ends);
            this.drive.as_mut().note(V::ATTEMPT_LOG);
        }
        this.drive.as_mut().polled_anew();
        let collector = this.collector.as_mut().expect("a loop that has ended is not polled again");
        let mut on_complete =
            |end: Option<_>| end.map_or(ControlFlow::Continue(()), |end| collector.take(end));
        while ready!(this.drive.as_mut().poll_completions(cx, 0, &mut on_complete)).is_break() {
            this.drive.as_mut().stop();
        }
        Poll::Ready(finish(this.drive, this.collector))
    }
}
