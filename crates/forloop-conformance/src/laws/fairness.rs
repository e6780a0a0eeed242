//! Law 9 on runtimes that allow a task only so many operations in a turn, as tokio does: no body uses them all up in
//! every turn. And law 9 for sources that take long: they do not keep the executor.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use forloop_core::{LoopError, TaskSet, each, local_scope, wait};

use crate::Inline;
use crate::strategies::{Run, every_strategy};

/// The operations that a task may do in one turn.
const ALLOWANCE: usize = 100;

/// The turns after which a body that still waits for an operation is starved.
const TURNS: usize = 100;

/// What is left of the operations in this turn. Once they are used up, each is pending. The bodies that wait for one are
/// woken when the turn is over, as tokio does it.
#[derive(Default)]
struct Allowance {
    left: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

impl Allowance {
    /// Does one operation.
    async fn take(&self) {
        std::future::poll_fn(|cx| match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                forloop_budget::set_exhausted(left == 0);
                Poll::Ready(())
            }
            None => {
                self.waiting.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    /// Does operations until all of `patient` bodies are done.
    async fn take_until(&self, done: &Cell<usize>, patient: usize) {
        while done.get() < patient {
            self.take().await;
        }
    }

    /// Does one operation, and counts as done.
    async fn take_one(&self, done: &Cell<usize>) {
        self.take().await;
        done.set(done.get() + 1);
    }

    /// Polls a future until it is ready, each time with a new allowance.
    fn check<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..TURNS {
            self.left.set(ALLOWANCE);
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            forloop_budget::set_exhausted(false);
            self.waiting.take().into_iter().for_each(Waker::wake);
            if let Poll::Ready(output) = polled {
                return output;
            }
        }
        panic!("{what}: a body was starved for {TURNS} turns");
    }
}

/// Law 9: A body that uses up the operations of a turn does not starve the others, with any strategy.
pub fn no_body_uses_up_every_turn_of_its_loop(_in_task: Inline) {
    for (bodies, busy) in [(2, 0), (2, 1), (4, 0), (4, 2), (70, 0), (70, 65)] {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let (shared, done) = (&allowance, &done);
        let body = move |n: usize| async move {
            if n == busy {
                shared.take_until(done, bodies - 1).await;
            } else {
                shared.take_one(done).await;
            }
            n as u64
        };
        for Run { strategy, returned } in every_strategy!(local: each(0..bodies).unbounded(), body)
        {
            done.set(0);
            allowance.check(strategy.name, returned);
        }
    }
}

/// Law 9: Bodies that start do not use up the operations of every turn before a body that waits for one.
pub fn new_bodies_do_not_use_up_every_turn(_in_task: Inline) {
    for (limit, patient) in [(3, 0), (3, 2), (100, 0), (100, 40), (usize::MAX, 0), (usize::MAX, 40)]
    {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let looping = each(0..).limit(limit).unwrap().try_for_each(async |n| {
            if n == patient {
                futures_lite::future::yield_now().await;
                allowance.take_one(&done).await;
                return Err(n);
            }
            for _ in 0..2 {
                allowance.take().await;
            }
            Ok(())
        });
        assert!(allowance.check(&format!("limit {limit}, body {patient}"), looping).is_err());
    }
}

/// Law 9: A loop inside a body does not starve the bodies beside it, nor a body of a loop inside.
pub fn no_nested_loop_uses_up_every_turn(_in_task: Inline) {
    for busy in 0..9 {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let body = async |n| {
            if n == busy {
                allowance.take_until(&done, 8).await;
            } else {
                allowance.take_one(&done).await;
            }
        };
        let looping = each(0..3).unbounded().for_each(async |outer| {
            each(0..3).unbounded().for_each(|inner| body(3 * outer + inner)).await;
        });
        allowance.check("nested", looping);
    }
}

/// Law 9: A future of a set does not starve the others while they are waited for.
pub fn no_future_uses_up_every_turn_of_its_set(_in_task: Inline) {
    for busy in 0..4 {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let body = async |n| {
            if n == busy {
                allowance.take_until(&done, 3).await;
            } else {
                allowance.take_one(&done).await;
            }
        };
        let mut set = TaskSet::new((0..4).map(body));
        let (completed, _) = allowance.check("wait", wait(&mut set));
        assert_eq!(completed.len(), 4);
        done.set(0);
        let mut set = TaskSet::new((0..4).map(body));
        let (completed, _) = allowance.check("wait", wait(&mut set).first_completed());
        assert!(!completed.is_empty());
    }
}

/// Law 9: Neither the body of a group nor a child uses up every turn.
pub fn no_part_of_a_group_uses_up_every_turn(_in_task: Inline) {
    for busy in 0..4 {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let part = async |n| {
            futures_lite::future::yield_now().await;
            if n == busy {
                allowance.take_until(&done, 3).await;
            } else {
                allowance.take_one(&done).await;
            }
            Ok::<(), LoopError<()>>(())
        };
        let part = &part;
        let group = local_scope(|scope| async move {
            for n in 1..4 {
                drop(scope.spawn(part(n)));
            }
            part(0).await
        });
        allowance.check("group", group).unwrap();
    }
}

/// Law 9: Neither the consumer of a loop nor its bodies use up every turn.
pub fn neither_consumer_nor_bodies_use_up_every_turn(_in_task: Inline) {
    for busy in 0..3 {
        let (allowance, done) = (Allowance::default(), Cell::new(0));
        let part = async |n| {
            futures_lite::future::yield_now().await;
            if n == busy {
                allowance.take_until(&done, 2).await;
            } else {
                allowance.take_one(&done).await;
            }
        };
        let part = &part;
        let looping = each(1..3).unbounded().stream(part).consume(async |mut results| {
            part(0).await;
            while results.next().await.is_some() {}
        });
        allowance.check("consume", looping);
    }
}

/// An iterator that takes twice as long for an item as a loop may keep its executor.
#[derive(Default)]
struct SlowSource {
    pulled: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

impl SlowSource {
    /// Gives the items. Their number is not known before.
    fn items(&self) -> impl Iterator<Item = usize> {
        (0..20).filter(|&n| {
            self.pulled.set(n + 1);
            forloop_budget::set_time(Some(2 * forloop_budget::LONG * (n as u32 + 1)));
            self.waiting.take().into_iter().for_each(Waker::wake);
            true
        })
    }

    /// A body that is woken with the next item. It checks that it is polled before another one is pulled.
    async fn body(&self, n: usize) -> u64 {
        let mut is_woken = false;
        std::future::poll_fn(|cx| {
            // Nothing wakes a body after the last item.
            if std::mem::replace(&mut is_woken, true) || n >= 18 {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        assert!(self.pulled.get() <= n + 2, "{} items before body {n}", self.pulled.get());
        n as u64
    }

    /// Polls a loop until it is ready, and checks that each poll pulls at most one item.
    fn check<T>(&self, what: &str, looping: impl Future<Output = T>) -> T {
        let mut looping = pin!(looping);
        loop {
            let pulled = self.pulled.get();
            let polled = looping.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(self.pulled.get() <= pulled + 1, "{what}: more than one item in a poll");
            if let Poll::Ready(output) = polled {
                return output;
            }
        }
    }
}

/// Law 9: A source that takes long for an item delays a woken body, and the tasks beside the loop, by one item, with any
/// strategy.
pub fn a_slow_source_delays_a_woken_body_by_one_item(_in_task: Inline) {
    let source = SlowSource::default();
    let shared = &source;
    let body = move |n| shared.body(n);
    let plain = every_strategy!(local: each(shared.items()).limit(10).unwrap(), body);
    let with_rule =
        every_strategy!(local: each(shared.items()).limit(10).unwrap().weight_by(|_| 1), body);
    for Run { strategy, returned } in plain.into_iter().chain(with_rule) {
        source.pulled.set(0);
        source.waiting.take();
        forloop_budget::set_time(Some(Duration::ZERO));
        source.check(strategy.name, returned);
    }
}
