//! The strategies, one per file: what becomes of a loop's results.

mod as_completed;
mod consume;
mod for_each;
mod gather;
mod group;
mod results;
mod sequential;
mod settle;
mod stream;
mod task_list;
mod try_gather;
mod wait;

pub use self::as_completed::{AsCompleted, as_completed};
pub use self::consume::Feed;
pub use self::gather::gather;
pub use self::group::{Child, Group, LocalScope, Scope, local_scope, scope, task_group};
pub use self::results::Results;
pub use self::sequential::sequential;
pub use self::settle::{Catching, settle};
pub use self::stream::{InOrder, Unordered};
pub use self::task_list::task_list;
pub use self::try_gather::try_gather;
pub use self::wait::{Done, Running, Wait, wait};

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::drive::Drive;
use crate::engine::End;
use crate::place::{Launch, Started};

/// What becomes of the ends of a loop's bodies.
trait Judge<T> {
    type Verdict;

    /// Takes one end; `Break` stops the loop. Later ends are still brought.
    fn take(&mut self, end: End<T>) -> ControlFlow<()>;

    /// Gives the loop's result, once every body has ended. `started` bodies were called.
    fn verdict(self, started: usize) -> Self::Verdict;
}

pin_project! {
    /// A loop that runs to its end and then gives one result.
    #[derive(Debug)]
    struct Judged<S, A, J, V> {
        #[pin]
        drive: Drive<S, A, J>,
        judge: Option<V>,
    }
}

impl<S, A, J, V> Judged<S, A, J, V> {
    fn new(drive: Drive<S, A, J>, judge: V) -> Self {
        Self { drive, judge: Some(judge) }
    }
}

impl<S, A, J, V> Future for Judged<S, A, J, V>
where
    S: Stream,
    A: Launch<S::Item, J>,
    J: Started,
    V: Judge<J::Output>,
{
    type Output = V::Verdict;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Verdict> {
        let mut this = self.project();
        while let Some(end) = ready!(this.drive.as_mut().poll_end(cx, 0)) {
            let judge = this.judge.as_mut().expect("a loop that has ended is not polled again");
            if judge.take(end).is_break() {
                this.drive.as_mut().stop();
            }
        }
        this.drive.as_mut().raise();
        let judge = this.judge.take().expect("a loop that has ended is not polled again");
        Poll::Ready(judge.verdict(this.drive.started()))
    }
}

/// Says why a loop that has no error to return cannot give a result.
fn runtime_is_gone(index: usize) -> ! {
    panic!("the runtime was shut down while a loop ran on it: body {index} did not finish");
}
