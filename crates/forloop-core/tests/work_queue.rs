//! A source to which bodies add items: when it ends, what it rejects, whom it wakes.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use forloop_core::{CancelToken, Cause, WorkHandle, WorkItem, WorkQueue, each_stream};
use futures_lite::future::{block_on, poll_once, yield_now, zip};
use futures_lite::{Stream, StreamExt};

/// Counts wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What a poll of the queue with this waker returns: the item, without its handle.
fn poll(queue: &mut WorkQueue<u32>, wakes: &Arc<Wakes>) -> Poll<Option<u32>> {
    let waker = Waker::from(wakes.clone());
    let polled = pin!(queue).poll_next(&mut Context::from_waker(&waker));
    polled.map(|item| item.map(|item| *item))
}

#[test]
fn a_queue_without_items_ends_at_once() {
    assert_eq!(
        block_on(each_stream(WorkQueue::<u32>::new([])).unbounded().gather(async |n| *n)),
        []
    );
}

#[test]
fn a_tree_is_walked_to_its_leaves_in_the_order_that_was_chosen() {
    let walk = |queue: WorkQueue<u32>| {
        block_on(each_stream(queue).sequential().gather(async |node: WorkItem<u32>| {
            yield_now().await;
            for child in [*node * 2, *node * 2 + 1].into_iter().filter(|&child| child < 8) {
                assert!(node.push(child));
            }
            *node
        }))
    };
    assert_eq!(walk(WorkQueue::new([1])), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(walk(WorkQueue::new([1]).lifo()), [1, 3, 7, 6, 2, 5, 4]);
}

#[test]
fn an_item_is_taken_once_for_each_key() {
    let queue = WorkQueue::new(["a", "b", "a"]).unique_by(|&text| text);
    let texts = block_on(each_stream(queue).unbounded().gather(async |text: WorkItem<&str>| {
        assert!(!text.push("b"));
        text.push("c");
        *text
    }));
    assert_eq!(texts, ["a", "b", "c"]);
}

#[test]
fn the_queue_waits_for_each_item_and_handle_and_then_wakes_its_loop_once() {
    let wakes = Arc::new(Wakes::default());
    let mut queue = WorkQueue::new([1]);
    let handle = queue.handle();
    let waker = Waker::from(wakes.clone());
    let item = pin!(&mut queue).poll_next(&mut Context::from_waker(&waker));
    let Poll::Ready(Some(item)) = item else { panic!("no item") };
    let clone = item.clone();
    assert!(poll(&mut queue, &wakes).is_pending());
    drop((item, handle));
    // A clone of the item is left.
    assert!(poll(&mut queue, &wakes).is_pending());
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    assert_eq!(queue.size_hint(), (0, None));
    drop(clone);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(queue.size_hint(), (0, Some(0)));
    assert_eq!(poll(&mut queue, &wakes), Poll::Ready(None));
}

#[test]
fn a_push_wakes_the_loop_that_waits() {
    let wakes = Arc::new(Wakes::default());
    let (first, mut queue) = (Arc::new(Wakes::default()), WorkQueue::new([]));
    let handle = queue.handle();
    assert!(poll(&mut queue, &first).is_pending() && poll(&mut queue, &wakes).is_pending());
    assert!(handle.push(1) && handle.push(2));
    // The last waker counts, and it is used once.
    assert_eq!((first.0.load(Ordering::SeqCst), wakes.0.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(poll(&mut queue, &wakes), Poll::Ready(Some(1)));
}

#[test]
fn a_closed_queue_ends_after_the_items_that_wait() {
    let wakes = Arc::new(Wakes::default());
    let mut queue = WorkQueue::new([1]);
    let (handle, other) = (queue.handle(), queue.handle().clone());
    handle.close();
    assert!(!other.push(2));
    assert_eq!(poll(&mut queue, &wakes), Poll::Ready(Some(1)));
    assert_eq!(poll(&mut queue, &wakes), Poll::Ready(None));

    let mut waits = WorkQueue::new([]);
    let handle = waits.handle();
    assert!(poll(&mut waits, &wakes).is_pending());
    handle.close();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(poll(&mut waits, &wakes), Poll::Ready(None));
}

#[test]
fn items_come_from_outside_while_the_loop_runs() {
    let queue = WorkQueue::new([]);
    let handle = queue.handle();
    let sum = Cell::new(0);
    let looping = each_stream(queue).limit(2).unwrap().for_each(async |n: WorkItem<u32>| {
        sum.set(sum.get() + *n);
    });
    block_on(zip(looping, async {
        for n in 1..=100 {
            handle.push(n);
            yield_now().await;
        }
        drop(handle);
    }));
    assert_eq!(sum.get(), 5050);
}

#[test]
fn a_loop_that_stops_drops_the_items_that_wait_and_rejects_others() {
    let token = CancelToken::new();
    let witness = Rc::new(());
    let queue = WorkQueue::new((0..3).map(|n| (n, witness.clone())));
    let handle: WorkHandle<(i32, Rc<()>)> = queue.handle();
    let looping = each_stream(queue).sequential().cancel_on(&token).for_each(async |item| {
        if item.0 == 1 {
            token.cancel();
            pending::<()>().await;
        }
    });
    assert_eq!(block_on(looping).unwrap_err().cause, Cause::Cancelled);
    assert_eq!(Rc::strong_count(&witness), 1);
    assert!(!handle.push((4, witness)));
}

#[test]
fn an_item_whose_destructor_adds_another_is_dropped_with_its_queue() {
    struct Adds(Option<WorkHandle<Self>>);
    impl Drop for Adds {
        fn drop(&mut self) {
            if let Some(handle) = self.0.take() {
                assert!(!handle.push(Self(None)));
            }
        }
    }
    let queue = WorkQueue::new([]);
    let handle = queue.handle();
    handle.push(Adds(Some(handle.clone())));
    drop(queue);
}

#[test]
fn a_key_that_panics_does_not_break_the_queue() {
    let queue = WorkQueue::new([1]).unique_by(|&n| if n == 13 { panic!("unlucky") } else { n });
    let handle = queue.handle();
    std::panic::catch_unwind(|| handle.push(13)).unwrap_err();
    assert!(handle.push(2) && !handle.push(1));
    drop(handle);
    let items = block_on(each_stream(queue).unbounded().gather(async |n: WorkItem<u32>| *n));
    assert_eq!(items, [1, 2]);
}

#[test]
fn a_body_that_keeps_its_item_keeps_the_queue_open() {
    let kept = Cell::new(None);
    let queue = WorkQueue::new([1]);
    let mut looping = pin!(each_stream(queue).unbounded().for_each(async |n: WorkItem<u32>| {
        if *n == 1 {
            kept.set(Some(n));
        }
    }));
    assert!(block_on(poll_once(&mut looping)).is_none());
    let item = kept.take().unwrap();
    item.push(2);
    assert!(block_on(poll_once(&mut looping)).is_none());
    drop(item);
    block_on(looping);
}

#[test]
fn a_queue_is_a_stream_as_any_other() {
    let sums = WorkQueue::new([1, 2, 3]).map(|n| *n).collect::<Vec<_>>();
    assert_eq!(block_on(sums), [1, 2, 3]);
}
