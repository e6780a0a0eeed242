//! What runs a loop whose judge hears of each end in its time.

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{Judge, verdict};
use crate::Panic;
use crate::drive::Drive;
use crate::panic::catch;
use crate::place::{Launch, Started};
use crate::policy::{Admit, Review};
use crate::workers::Weight;

pin_project! {
    /// A loop that runs to its end and then gives one result, as [`Judged`](super::Judged) is.
    ///
    /// But its judge is told of each end in the order of ends, as soon as it can be; an end that it was not
    /// told yet counts against the limit, also on workers; and the judge may call what panics.
    #[derive(Debug)]
    pub(super) struct Attended<S, A, J, C, V> {
        #[pin]
        drive: Drive<S, A, J, C>,
        judge: Option<V>,
    }
}

/// Why the loop is not told more ends for now.
enum Enough {
    /// Those it was told have left their places: whoever draws bodies must hear of that.
    Told,
    /// The judge has made up its mind.
    Decided,
    /// What the judge has called.
    Panicked(Panic),
}

impl<S, A, J, C, V> Attended<S, A, J, C, V>
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item> + Review<J::Output>,
{
    #[inline]
    pub(super) fn new(drive: Drive<S, A, J, C>, judge: V) -> Self {
        Self { drive, judge: Some(judge) }
    }
}

impl<S, A, J, C, V> Future for Attended<S, A, J, C, V>
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item> + Review<J::Output>,
    V: Judge<J::Output, C>,
{
    type Output = V::Verdict;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Verdict> {
        let mut this = self.project();
        let judge = this.judge.as_mut().expect("a loop that has ended is not polled again");
        if judge.is_decided() {
            this.drive.as_mut().stop();
        }
        if let Some(ends) = this.drive.as_mut().begin(false, Some(|_| Weight::News)) {
            judge.expect(ends);
            this.drive.as_mut().note(V::NOTES);
        }
        this.drive.as_mut().polled_anew();
        loop {
            let mut was_told = false;
            let ended = |end: Option<_>| match end.map(|end| catch(|| judge.take(end))) {
                Some(Ok(ControlFlow::Continue(()))) => {
                    was_told = true;
                    ControlFlow::Continue(())
                }
                Some(Ok(ControlFlow::Break(()))) => ControlFlow::Break(Enough::Decided),
                Some(Err(panic)) => ControlFlow::Break(Enough::Panicked(panic)),
                None if J::BY_WORKERS && was_told => ControlFlow::Break(Enough::Told),
                None => ControlFlow::Continue(()),
            };
            match ready!(this.drive.as_mut().poll_ends(cx, 0, ended)) {
                ControlFlow::Continue(()) => break,
                ControlFlow::Break(Enough::Told) => {}
                ControlFlow::Break(Enough::Decided) => this.drive.as_mut().stop(),
                ControlFlow::Break(Enough::Panicked(panic)) => this.drive.as_mut().stop_for(panic),
            }
        }
        Poll::Ready(verdict(this.drive, this.judge))
    }
}
