//! What runs a loop whose judge hears of each end in its time.

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{Collector, finish};
use crate::Panic;
use crate::driver::{Drive, Spawner};
use crate::engine::JobHandle;
use crate::options::{ItemPolicy, OutcomePolicy};
use crate::outcome::catch;
use crate::place::Delivery;

pin_project! {
    /// A loop that runs to its end and then gives one result, as [`CollectFuture`](super::CollectFuture) is.
    ///
    /// But its judge is told of each end in the order of ends, as soon as it can be; an end that it was not
    /// told yet counts against the limit, also on workers; and the judge may call what panics.
    #[derive(Debug)]
    pub(super) struct PromptCollectFuture<S, A, J, C, V> {
        #[pin]
        drive: Drive<S, A, J, C>,
        collector: Option<V>,
    }
}

/// Why the loop is not told more ends for now.
enum ConditionMet {
    /// Those it was told have left their places: whoever draws bodies must hear of that.
    Told,
    /// The judge has made up its mind.
    Decided,
    /// What the judge has called.
    Panicked(Panic),
}

impl<S, A, J, C, V> PromptCollectFuture<S, A, J, C, V>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    #[inline]
    pub(super) fn new(drive: Drive<S, A, J, C>, collector: V) -> Self {
        Self { drive, collector: Some(collector) }
    }
}

impl<S, A, J, C, V> Future for PromptCollectFuture<S, A, J, C, V>
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
        let collector = this.collector.as_mut().expect("a loop that has ended is not polled again");
        if collector.is_decided() {
            this.drive.as_mut().stop();
        }
        if let Some(ends) = this.drive.as_mut().begin(false, Some(|_| Delivery::Prompt)) {
            collector.expect(ends);
            this.drive.as_mut().note(V::ATTEMPT_LOG);
        }
        this.drive.as_mut().polled_anew();
        loop {
            let mut was_told = false;
            let on_complete = |end: Option<_>| match end.map(|end| catch(|| collector.take(end))) {
                Some(Ok(ControlFlow::Continue(()))) => {
                    was_told = true;
                    ControlFlow::Continue(())
                }
                Some(Ok(ControlFlow::Break(()))) => ControlFlow::Break(ConditionMet::Decided),
                Some(Err(panic)) => ControlFlow::Break(ConditionMet::Panicked(panic)),
                None if J::ON_POOL && was_told => ControlFlow::Break(ConditionMet::Told),
                None => ControlFlow::Continue(()),
            };
            match ready!(this.drive.as_mut().poll_completions(cx, 0, on_complete)) {
                ControlFlow::Continue(()) => break,
                ControlFlow::Break(ConditionMet::Told) => {}
                ControlFlow::Break(ConditionMet::Decided) => this.drive.as_mut().stop(),
                ControlFlow::Break(ConditionMet::Panicked(panic)) => {
                    this.drive.as_mut().stop_for(panic)
                }
            }
        }
        Poll::Ready(finish(this.drive, this.collector))
    }
}
