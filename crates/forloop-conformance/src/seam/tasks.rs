//! What a runtime promises of its tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use super::observe::{
    Calling, Observed, TICKS, a_few_ticks, polls, short_task, spawn, spawn_acting, task,
    task_of_polls, until, until_in, wake,
};
use super::{Notes, Verdict};
use crate::backend::{Backend, Job};
use crate::tasks::Tasks;

/// SEAM-1: `block_on` polls its future after a wake from another thread, and returns its output.
pub fn block_on_polls_its_future_after_a_wake_from_another_thread(
    tasks: Tasks,
    _notes: &mut Notes,
) -> Verdict {
    let output = tasks.block_on(async {
        let (sender, receiver) = async_channel::bounded(1);
        let woken_later = async {
            a_few_ticks().await;
            receiver.recv().await
        };
        sender.try_send(7).expect("it has room");
        woken_later.await
    });
    if output == Ok(7) { Ok(()) } else { Err("`block_on` returned another output".into()) }
}

/// SEAM-2: `spawn` returns before the first poll of the task, also in a task.
pub fn spawn_returns_before_the_first_poll(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let is_inline = Arc::new(AtomicBool::new(false));
    let observed: [Arc<Observed>; 2] = Default::default();
    let [(calling, first), (in_task, second)] = [0, 1].map(|number: usize| {
        let (calling, is_inline) = (Calling::default(), is_inline.clone());
        let caller = calling.clone();
        let polled = task(&observed[number], move |_| {
            is_inline.fetch_or(caller.is_here(), Ordering::SeqCst);
            Poll::Ready(())
        });
        (calling, polled)
    });
    let are_polled = tasks.block_on(async {
        calling.during(|| spawn(&place, first));
        spawn_acting(&place, move |spawn| in_task.during(|| spawn(second)), |_| {});
        let observed = observed.clone();
        until(move || observed.iter().all(|one| 0 < one.polls())).await
    });
    if is_inline.load(Ordering::SeqCst) {
        return Err("`spawn` polled the task before it returned: queue the first poll".into());
    }
    if are_polled { Ok(()) } else { Err("a spawned task was never polled".into()) }
}

/// SEAM-3: `wake` returns before the poll that it requests.
pub fn wake_returns_before_the_poll(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let is_inline = Arc::new(AtomicBool::new(false));
    let (calling, observed) = (Calling::default(), Arc::<Observed>::default());
    let (caller, found, counted) = (calling.clone(), is_inline.clone(), observed.clone());
    let polled = task(&observed, move |_| {
        found.fetch_or(caller.is_here(), Ordering::SeqCst);
        if counted.polls() < 3 { Poll::Pending } else { Poll::Ready(()) }
    });
    tasks.block_on(async {
        spawn(&place, polled);
        polls(&observed, 1).await;
        calling.during(|| wake(&observed));
        polls(&observed, 2).await;
        let (woken, calling) = (observed.clone(), calling.clone());
        thread::spawn(move || calling.during(|| wake(&woken)));
        polls(&observed, 3).await;
    });
    if is_inline.load(Ordering::SeqCst) {
        return Err("`wake` polled the task before it returned: queue the poll".into());
    }
    Ok(())
}

/// SEAM-4: A task is polled after each wake: from another thread, in `block_on`, and in another task.
pub fn a_woken_task_is_polled(tasks: Tasks, notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let observed = Arc::<Observed>::default();
    let (mut are_spurious, mut fault) = (false, None);
    tasks.block_on(async {
        spawn(&place, task_of_polls(&observed, 5));
        if !polls(&observed, 1).await {
            fault = Some("a spawned task was never polled".to_owned());
            return;
        }
        for by in [
            "`wake` on another thread",
            "`wake_by_ref` on another thread",
            "`block_on`'s future",
            "another task",
        ] {
            let before = observed.polls();
            let woken = observed.clone();
            match by {
                "`wake` on another thread" => drop(thread::spawn(move || wake(&woken))),
                "`wake_by_ref` on another thread" => {
                    let waker = observed.waker();
                    drop(thread::spawn(move || waker.iter().for_each(Waker::wake_by_ref)));
                }
                "another task" => spawn(&place, short_task(move || wake(&woken))),
                _ => wake(&woken),
            }
            if !polls(&observed, before + 1).await {
                fault = Some(format!("a task was woken by {by}, and was not polled again"));
                return;
            }
            // One wake, one poll. The last poll ends the task.
            are_spurious |= before + 1 < observed.polls();
            if observed.polls() == 5 {
                return;
            }
        }
    });
    if are_spurious {
        notes.push("it polls tasks that were not woken, which is legal".to_owned());
    }
    fault.map_or(Ok(()), Err)
}

/// SEAM-5: A wake during a poll leads to another poll: in the task itself, and on another thread.
pub fn a_wake_during_a_poll_counts(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let (itself, by_thread) = (Arc::<Observed>::default(), Arc::<Observed>::default());
    let wakes_itself = task(&itself, {
        let itself = itself.clone();
        move |cx| {
            if 1 < itself.polls() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    let is_woken = task(&by_thread, {
        let by_thread = by_thread.clone();
        move |cx| {
            if 1 < by_thread.polls() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            // The poll returns after the wake.
            thread::spawn(move || waker.wake()).join().expect("a waker does not panic");
            Poll::Pending
        }
    });
    let [itself, by_thread] = tasks.block_on(async {
        spawn(&place, wakes_itself);
        spawn(&place, is_woken);
        let [first, second] = [&itself, &by_thread].map(|one| {
            let one = one.clone();
            until(move || 2 <= one.polls())
        });
        [first.await, second.await]
    });
    match (itself, by_thread) {
        (true, true) => Ok(()),
        (false, _) => Err("a task woke itself during a poll, and was not polled again".into()),
        (true, false) => {
            Err("another thread woke a task during a poll, and it was not polled again".into())
        }
    }
}

/// SEAM-6: A completed task is not polled again, also if it is woken.
pub fn a_completed_task_is_not_polled_again(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let observed = Arc::<Observed>::default();
    tasks.block_on(async {
        spawn(&place, task_of_polls(&observed, 1));
        let ends = observed.clone();
        // Whether it is dropped is for the next row.
        until_in(TICKS / 10, move || ends.drops() == 1).await;
        wake(&observed);
        a_few_ticks().await;
    });
    match observed.polls_after_the_end() {
        0 => Ok(()),
        _ => Err("a task was polled again after it had completed".into()),
    }
}

/// SEAM-7: A completed task is dropped once, although its waker still exists.
pub fn a_completed_task_is_dropped_once(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    let observed = Arc::<Observed>::default();
    tasks.block_on(async {
        spawn(&place, task_of_polls(&observed, 1));
        let ends = observed.clone();
        until(move || ends.drops() == 1).await;
    });
    match observed.drops() {
        1 => Ok(()),
        0 => Err("a task completed, and its future was not dropped".into()),
        more => Err(format!("the future of a completed task was dropped {more} times")),
    }
}

/// SEAM-8: A task may spawn and wake others while it is polled and while it is dropped.
pub fn a_task_may_spawn_and_wake_while_it_is_polled_or_dropped(
    tasks: Tasks,
    _notes: &mut Notes,
) -> Verdict {
    let place = tasks.place();
    let (woken, in_poll, in_drop): (Arc<Observed>, Arc<Observed>, Arc<Observed>) =
        Default::default();
    // How far the task has come: polled, dropped, and through with it.
    let steps = Arc::new(AtomicUsize::new(0));
    let act = |spawned: &Arc<Observed>| {
        let (spawned, woken, steps) = (task_of_polls(spawned, 1), woken.clone(), steps.clone());
        move |spawn: &dyn Fn(Job<()>)| {
            steps.fetch_add(1, Ordering::SeqCst);
            spawn(spawned);
            wake(&woken);
            steps.fetch_add(1, Ordering::SeqCst);
        }
    };
    let reaches = |ticks, step| {
        let steps = steps.clone();
        until_in(ticks, move || step <= steps.load(Ordering::SeqCst))
    };
    let fault = tasks.block_on(async {
        spawn(&place, task_of_polls(&woken, 3));
        polls(&woken, 1).await;
        spawn_acting(&place, act(&in_poll), act(&in_drop));
        if !reaches(TICKS, 2).await {
            return Some("`spawn` and `wake` do not return in a poll: hold no lock during one");
        }
        // Whether it is dropped at all is for another row.
        let is_dropped = reaches(TICKS / 10, 3).await;
        if is_dropped && !reaches(TICKS, 4).await {
            return Some(
                "`spawn` and `wake` do not return while a task is dropped: hold no lock then",
            );
        }
        let polled = [Some(in_poll.clone()), is_dropped.then(|| in_drop.clone())];
        let are_polled = until(move || polled.iter().flatten().all(|one| 0 < one.polls()));
        let fault = "a task was spawned while another was polled or dropped, and was never polled";
        (!are_polled.await).then_some(fault)
    });
    fault.map_or(Ok(()), |fault| Err(fault.to_owned()))
}
