//! Failures that carry their items.

use forloop_core::{Failure, ItemError, Outcome, each, with_item};

use crate::{Backend, Job, job, yields};

/// ITM-1: With `with_item`, a failure carries the item that its body was called with.
pub fn a_failure_carries_the_item_that_its_body_was_called_with<B: Backend>(backend: B) {
    let body = || {
        let mut body = with_item(|n: u64| async move {
            yields(n as usize % 3).await;
            if n.is_multiple_of(4) { Err(format!("{n} failed")) } else { Ok(n) }
        });
        // The bodies of a backend have errors of type `String`.
        move |n: u64| -> Job<Result<u64, String>> {
            let body = body(n);
            job(async move {
                body.await.map_err(|ItemError { item, error }| {
                    assert_eq!((item, error), (n, format!("{n} failed")));
                    item.to_string()
                })
            })
        }
    };
    let looping = || each((10..20).rev()).limit(3).unwrap().at(backend.place());
    backend.block_on(async {
        let settled = looping().settle(body()).await;
        let failed: Vec<_> = settled.errors().map(|(index, item)| (index, &item[..])).collect();
        assert_eq!(failed, [(3, "16"), (7, "12")]);
        assert_eq!(settled.into_iter().filter_map(Outcome::ok).count(), 8);
        let error = looping().try_gather(body()).await.unwrap_err();
        for Failure { index, error: item, .. } in error.failures() {
            assert_eq!(*item, (19 - index.unwrap()).to_string());
        }
    });
}
