//! The sleep of a `Timer` may move to another thread.

use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use forloop::Sleep;
use forloop::Timer;

struct PerCore;

struct Entry {
    _stays: PhantomData<Rc<()>>,
}

impl Future for Entry {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Timer for PerCore {
    fn sleep(&self, _: Duration) -> impl Sleep + use<> {
        Entry { _stays: PhantomData }
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

fn main() {}
