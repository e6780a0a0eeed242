//! The outcomes that child handles report while their group is stopping, step by step.
//!
//! The executor's only thread stands in for other threads: it runs other tasks and polls the group while a
//! child is being polled.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use async_executor::Executor;
use forloop::types::Child;
use forloop::{Cancelled, LoopError};

type Runtime = forloop::smol::Executor;
type Group = forloop::Group<Runtime, String>;
type GroupResult = Result<(), LoopError<String>>;

/// An executor, a group on it, and the handles to the group's children.
#[derive(Clone, Default)]
struct Program {
    executor: Arc<Executor<'static>>,
    group: Arc<Mutex<Option<Pin<Box<dyn Future<Output = GroupResult> + Send>>>>>,
    handles: Arc<Mutex<Vec<Child<()>>>>,
    /// The waker of the tasks that await the handles.
    listener: Arc<Listener>,
}

#[derive(Default)]
struct Listener;

impl Wake for Listener {
    fn wake(self: Arc<Self>) {}
}

impl Program {
    /// Starts a group whose children have not run yet.
    fn start(children: impl FnOnce(&Self, &Group) -> Vec<Child<()>> + Send + 'static) -> Self {
        let program = Self::default();
        let own = program.clone();
        let group = forloop::task_group(program.runtime(), |group: Group| async move {
            *own.handles.lock().unwrap() = children(&own, &group);
            Ok(())
        });
        *program.group.lock().unwrap() = Some(Box::pin(group));
        assert!(program.poll_group().is_pending());
        program
    }

    fn runtime(&self) -> Runtime {
        self.executor.clone().into()
    }

    fn run_tasks(&self) {
        while self.executor.try_tick() {}
    }

    fn poll_group(&self) -> Poll<GroupResult> {
        let mut group = self.group.lock().unwrap();
        let group = group.as_mut().expect("the group exists");
        let mut cx = Context::from_waker(Waker::noop());
        // One poll of a group processes one step.
        (0..5).map(|_| group.as_mut().poll(&mut cx)).find(Poll::is_ready).unwrap_or(Poll::Pending)
    }

    /// Runs tasks until a child has failed, polls the group, and runs the tasks again.
    fn fail_and_stop(&self) {
        self.run_tasks();
        assert!(self.poll_group().is_pending());
        self.run_tasks();
    }

    /// Polls the handle of a child.
    fn poll_handle(&self, child: usize) -> Option<Result<(), Cancelled>> {
        let waker = Waker::from(self.listener.clone());
        let child = &mut self.handles.lock().unwrap()[child];
        let outcome = match Pin::new(&mut *child).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        };
        assert_eq!(child.is_finished(), outcome.is_some());
        outcome
    }

    /// Completes the group, which has one failure to report, and checks that it leaves nothing behind.
    fn complete(self) {
        let Poll::Ready(result) = self.poll_group() else { panic!("the group waits for itself") };
        let error = result.unwrap_err();
        let errors: Vec<_> = error.failures().iter().map(|failure| &failure.error).collect();
        assert_eq!(errors, ["real"]);
        self.leave_nothing();
    }

    fn leave_nothing(self) {
        self.run_tasks();
        assert!(self.executor.is_empty());
        drop(self.group.lock().unwrap().take());
        self.handles.lock().unwrap().clear();
        assert_eq!(Arc::strong_count(&self.listener), 1, "a waker of a handle is still held");
    }
}

async fn fails() -> Result<(), String> {
    Err(String::from("real"))
}

/// Calls its closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_child_that_is_being_polled_sees_no_sibling_that_was_stopped_or_has_failed() {
    let program = Program::start(|program, group| {
        let other = program.clone();
        let in_a_step = poll_fn(move |_| {
            other.fail_and_stop();
            match (other.poll_handle(0), other.poll_handle(2)) {
                (None, None) => Poll::Pending,
                _ => Poll::Ready(Err(String::from("saw a sibling's cancellation"))),
            }
        });
        vec![group.spawn(pending()), group.spawn(in_a_step), group.spawn(fails())]
    });
    program.run_tasks();
    // No child runs any more, so other tasks that await the handles need not wait for the group.
    for child in 0..3 {
        assert_eq!(program.poll_handle(child), Some(Err(Cancelled)), "child {child}");
    }
    program.complete();
}

#[test]
fn a_child_that_completed_or_was_cancelled_alone_is_seen_while_another_is_being_polled() {
    let program = Program::start(|program, group| {
        let other = program.clone();
        let in_a_step = poll_fn(move |_| {
            other.handles.lock().unwrap()[1].cancel();
            other.run_tasks();
            assert_eq!(other.poll_handle(0), Some(Ok(())));
            assert_eq!(other.poll_handle(1), Some(Err(Cancelled)));
            Poll::Ready(Err(String::from("real")))
        });
        let completes = async { Ok(()) };
        vec![group.spawn(completes), group.spawn(pending()), group.spawn(in_a_step)]
    });
    program.run_tasks();
    program.complete();
}

#[test]
fn a_group_does_not_wait_for_a_destructor_that_waits_for_a_sibling() {
    let seen = Arc::new(Mutex::new(None));
    let sees = seen.clone();
    let program = Program::start(move |program, group| {
        let other = program.clone();
        let waits = async move {
            let _waits_when_dropped = OnDrop(move || {
                other.run_tasks();
                *sees.lock().unwrap() = other.poll_handle(1);
            });
            pending().await
        };
        vec![group.spawn(waits), group.spawn(pending()), group.spawn(fails())]
    });
    program.fail_and_stop();
    assert_eq!(*seen.lock().unwrap(), Some(Err(Cancelled)));
    program.complete();
}

#[test]
fn a_task_that_a_child_has_left_behind_may_wait_for_a_sibling() {
    let program = Program::start(|program, group| {
        let sibling: Child<()> = group.spawn(pending());
        let other = program.clone();
        let left_behind = forloop::spawn(&program.runtime(), async move {
            let _waits_when_dropped = OnDrop(move || {
                other.run_tasks();
                assert_eq!(other.poll_handle(1), Some(Err(Cancelled)));
            });
            sibling.await
        });
        let owner = async move {
            let outcome = left_behind.await.and_then(|outcome| outcome);
            outcome.map_err(|_| String::from("saw a sibling's cancellation"))
        };
        vec![group.spawn(owner), group.spawn(pending()), group.spawn(fails())]
    });
    program.fail_and_stop();
    program.run_tasks();
    program.complete();
}

#[test]
fn a_dropped_group_reports_its_children_as_cancelled() {
    let program = Program::start(|program, group| {
        let other = program.clone();
        let in_a_step = poll_fn(move |_| {
            drop(other.group.lock().unwrap().take());
            other.run_tasks();
            // The group is dropped, so an error of this child would be reported to no task.
            assert_eq!(other.poll_handle(0), Some(Err(Cancelled)));
            Poll::Pending
        });
        vec![group.spawn(pending()), group.spawn(in_a_step)]
    });
    program.run_tasks();
    assert_eq!(program.poll_handle(1), Some(Err(Cancelled)));
    program.leave_nothing();
}

#[test]
fn a_group_whose_runtime_is_dropped_reports_its_children_as_cancelled() {
    let program = Program::start(|_, group| vec![group.spawn(pending()), group.spawn(pending())]);
    program.run_tasks();
    let Program { executor, group, handles, listener } = program;
    drop(executor);
    let mut handles = std::mem::take(&mut *handles.lock().unwrap());
    let waker = Waker::from(listener);
    for child in &mut handles {
        let outcome = Pin::new(child).poll(&mut Context::from_waker(&waker));
        assert_eq!(outcome, Poll::Ready(Err(Cancelled)));
    }
    drop(group);
}
