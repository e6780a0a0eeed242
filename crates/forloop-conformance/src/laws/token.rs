//! Cancellation tokens, their clones and their children.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

use forloop_core::CancelToken;

use crate::{Backend, Inline, Spawning, job, yields};

/// CAN-3: Cancelling a token, once or twice, cancels its clones, children and grandchildren.
pub fn cancelling_a_token_cancels_every_clone_and_child<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let (clone, child, grandchild) = (token.clone(), token.child(), token.child().child());
    assert!(!clone.is_cancelled() && !grandchild.is_cancelled());
    let waits = [clone.cancelled(), child.cancelled(), grandchild.cancelled()];
    let cancels = async {
        yields(3).await;
        token.cancel();
        token.cancel();
    };
    backend.block_on(futures_lite::future::zip(forloop_core::gather(waits), cancels));
    assert!(clone.is_cancelled() && child.is_cancelled() && grandchild.is_cancelled());
    assert!(clone.child().is_cancelled());
}

/// CAN-3: Cancelling a child token cancels neither its parent nor its siblings.
pub fn cancelling_a_child_token_does_not_cancel_its_parent<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let (one, other) = (token.child(), token.child());
    one.cancel();
    assert!(one.is_cancelled() && !token.is_cancelled() && !other.is_cancelled());
    backend.block_on(one.cancelled());
    let other = backend.block_on(futures_lite::future::poll_once(other.cancelled()));
    assert!(other.is_none());
}

/// CAN-3, law 12: A wait for a token may be dropped or forgotten; the other waits complete.
pub fn a_dropped_or_forgotten_wait_for_a_token_is_sound<B: Backend>(backend: B) {
    let token = CancelToken::new();
    backend.block_on(async {
        let mut waits: Vec<_> = (0..10).map(|_| token.child().cancelled()).collect();
        for wait in &mut waits {
            assert!(futures_lite::future::poll_once(wait).await.is_none());
        }
        std::mem::forget(waits.pop());
        waits.truncate(4);
        token.cancel();
        forloop_core::gather(waits).await;
    });
}

/// CAN-3: A wait for a token that has completed wakes its task no more when an ancestor is cancelled.
pub fn a_completed_wait_for_a_token_causes_no_further_wake(_in_task: Inline) {
    struct Wakes(AtomicUsize);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(wakes.clone());
    let cx = &mut Context::from_waker(&waker);
    let grandparent = CancelToken::new();
    let parent = grandparent.child();
    let token = parent.child();
    let (mut first, mut second) = (token.cancelled(), token.clone().into_future());
    assert!(Pin::new(&mut first).poll(cx).is_pending());
    assert!(Pin::new(&mut second).poll(cx).is_pending());
    token.cancel();
    assert!(Pin::new(&mut first).poll(cx).is_ready() && Pin::new(&mut second).poll(cx).is_ready());
    let before = wakes.0.load(Ordering::SeqCst);
    parent.cancel();
    grandparent.cancel();
    assert_eq!(wakes.0.load(Ordering::SeqCst), before);
    assert!(Pin::new(&mut first).poll(cx).is_ready(), "it stays ready");
}

/// CAN-3: A wait does not miss a cancellation on another thread, in any interleaving.
pub fn no_wait_misses_a_cancellation_on_another_thread<B: Spawning>(backend: B) {
    for _ in 0..200 {
        let token = CancelToken::new();
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let token = token.child();
                backend.spawn(job(async move {
                    yields(n).await;
                    token.cancelled().await;
                }))
            })
            .collect();
        let canceller = thread::spawn(move || token.cancel());
        backend.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        canceller.join().unwrap();
    }
}

/// Law 5: Cancelling and dropping a chain of 100,000 child tokens does not overflow the stack.
pub fn a_long_chain_of_child_tokens_does_not_overflow_the_stack<B: Backend>(backend: B) {
    let first = CancelToken::new();
    let last = (0..100_000).fold(first.clone(), |token, _| token.child());
    assert!(!last.is_cancelled());
    first.cancel();
    backend.block_on(last.cancelled());
    drop(first);
    drop(last);
}
