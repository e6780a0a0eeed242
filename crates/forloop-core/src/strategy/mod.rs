//! The strategies, one per file: what becomes of a loop's results.

mod as_completed;
mod attended;
mod collect;
mod consume;
mod extend;
mod filter_map;
mod first_ok;
mod fold;
mod for_each;
mod gather;
mod group;
mod race;
mod results;
mod sequential;
mod settle;
mod stream;
mod task_list;
mod try_gather;
mod wait;

pub use self::as_completed::{AsCompleted, as_completed};
pub use self::consume::Feed;
pub use self::filter_map::FilterBody;
pub use self::gather::gather;
pub use self::group::{
    Child, Conduct, FailFast, Group, Grouped, LocalScope, Mode, Readiness, Scope, StartError,
    Supervised, Supervisor, local_scope, scope, task_group,
};
pub use self::race::{race, race_ok};
pub use self::results::Results;
pub use self::sequential::sequential;
pub use self::settle::{Settled, settle};
pub use self::stream::{InOrder, Unordered};
pub use self::task_list::task_list;
pub use self::try_gather::try_gather;
pub use self::wait::{Done, Running, Wait, wait};

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::Interrupted;
use crate::drive::Drive;
use crate::engine::End;
use crate::lobby::Notes;
use crate::place::{Launch, Started};
use crate::policy::{Admit, Policy, Review};
use crate::workers::Weight;

/// What becomes of the ends of a loop's bodies, under the policy `C`.
trait Judge<T, C: Policy> {
    type Verdict;

    /// Hears how many ends there will be at least, if the source tells the truth.
    fn expect(&mut self, _ends: usize) {}

    /// Whether its mind is made up before anything begins: only asked where ends are
    /// [attended](attended::Attended) to.
    fn is_decided(&self) -> bool {
        false
    }

    /// How much a body's output tells. Without this all are [light](Weight::Light), and may be taken later
    /// than others and in another order. One that is the [last](Weight::Last) stops the loop when it is
    /// taken.
    const WEIGH: Option<fn(&T) -> Weight> = None;

    /// Whose attempts are told at the end.
    const NOTES: Notes = Notes::Failures;

    /// Takes one end; `Break` stops the loop. Later ends are still brought.
    fn take(&mut self, end: End<T>) -> ControlFlow<()>;

    /// Gives the loop's result, once every body has ended.
    fn verdict(self, ending: Ending<C::SourceError>) -> Self::Verdict;
}

/// How a loop came to its end.
struct Ending<S> {
    /// How many bodies were called.
    started: usize,
    /// What has cut it short.
    interrupted: Option<Interrupted<(), S>>,
    /// Index and attempts of the items of [note](Judge::NOTES) that were tried more than once, ascending.
    tried: Vec<(usize, u32)>,
}

/// Asks the judge of a loop that has ended for its result.
#[inline]
fn verdict<S, A, J, C, V>(
    mut drive: Pin<&mut Drive<S, A, J, C>>,
    judge: &mut Option<V>,
) -> V::Verdict
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item> + Review<J::Output>,
    V: Judge<J::Output, C>,
{
    let tried = drive.as_mut().tried();
    let interrupted = drive.as_mut().ending();
    let judge = judge.take().expect("a loop that has ended is not polled again");
    judge.verdict(Ending { started: drive.started(), interrupted, tried })
}

pin_project! {
    /// A loop that runs to its end and then gives one result.
    #[derive(Debug)]
    struct Judged<S, A, J, C, V> {
        #[pin]
        drive: Drive<S, A, J, C>,
        judge: Option<V>,
    }
}

impl<S, A, J, C, V> Judged<S, A, J, C, V> {
    #[inline]
    fn new(drive: Drive<S, A, J, C>, judge: V) -> Self {
        Self { drive, judge: Some(judge) }
    }
}

impl<S, A, J, C, V> Future for Judged<S, A, J, C, V>
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
        if let (Some(ends), Some(judge)) =
            (this.drive.as_mut().begin(true, V::WEIGH), this.judge.as_mut())
        {
            judge.expect(ends);
            this.drive.as_mut().note(V::NOTES);
        }
        this.drive.as_mut().polled_anew();
        let judge = this.judge.as_mut().expect("a loop that has ended is not polled again");
        let mut ended =
            |end: Option<_>| end.map_or(ControlFlow::Continue(()), |end| judge.take(end));
        while ready!(this.drive.as_mut().poll_ends(cx, 0, &mut ended)).is_break() {
            this.drive.as_mut().stop();
        }
        Poll::Ready(verdict(this.drive, this.judge))
    }
}
