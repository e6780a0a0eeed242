//! A loop leaves nothing behind on the executor that ran its tasks.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use forloop::smol::{Local, LocalExecutor};
use forloop::{CancelToken, Task};

fn drained(executor: &LocalExecutor<'static>) -> bool {
    while executor.try_tick() {}
    executor.is_empty()
}

#[test]
fn a_task_that_held_its_own_handle_leaves_nothing_behind() {
    let executor = Rc::new(LocalExecutor::new());
    let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let held = own.clone();
    let task = forloop::spawn_local(&Local::from(executor.clone()), async move {
        let _own_handle = held;
        pending::<()>().await;
    });
    assert!(!drained(&executor));
    task.request_cancel();
    *own.borrow_mut() = Some(task);
    drop(own);
    assert!(drained(&executor), "the task waits for itself");
}

#[test]
fn a_loop_on_a_local_set_of_tokios_runs_bodies_that_are_not_send() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let set = Rc::new(tokio::task::LocalSet::new());
    let clock = forloop::tokio::Tokio::from(runtime.handle().clone());
    let sum = Rc::new(std::cell::Cell::new(0));
    let looping =
        forloop::each(0..10).limit(3).unwrap().timer(&clock).timeout(Duration::from_secs(9));
    let looping = looping.on_local(forloop::tokio::Local::from(set.clone())).gather(|n| {
        let (sum, clock) = (sum.clone(), clock.clone());
        async move {
            forloop::Timer::sleep(&clock, Duration::from_millis(1)).await;
            sum.set(sum.get() + n);
        }
    });
    runtime.block_on(set.run_until(looping));
    assert_eq!(sum.get(), 45);
    let task = forloop::spawn_local(&forloop::tokio::Local::from(set.clone()), pending::<()>());
    drop(set);
    assert!(task.is_finished(), "a set that is dropped drops its tasks");
}

#[test]
fn loops_that_are_cancelled_dropped_or_timed_out_leave_nothing_behind() {
    let executor = Rc::new(LocalExecutor::new());
    let local = Local::from(executor.clone());
    let token = CancelToken::new();
    let looping = || forloop::each(0..10).limit(3).unwrap().on_local(local.clone());
    let endless = |_| pending::<()>();

    let mut dropped = Box::pin(looping().for_each(endless));
    forloop::block_on(executor.run(async {
        assert!(futures_lite::future::poll_once(dropped.as_mut()).await.is_none());
        let late = looping().timer(&local).timeout(Duration::ZERO).gather(endless).await;
        assert_eq!(late.len(), 10);
        let cancelled = looping().cancel_on(&token).for_each(|n| {
            let token = token.clone();
            async move {
                if n == 2 {
                    token.cancel();
                }
                pending::<()>().await;
            }
        });
        assert!(cancelled.await.is_err());
    }));
    assert!(!drained(&executor), "the dropped loop's tasks exist until it is dropped");
    drop(dropped);
    assert!(drained(&executor));
}
