//! Very large inputs.

use forloop::each;
use forloop_tests::{Backend, Group, job, rows};

rows! {
    a_hundred_thousand_items_come_back_in_order,
    a_hundred_thousand_children_are_forgotten_as_they_end,
}

/// BIG-1
fn a_hundred_thousand_items_come_back_in_order<B: Backend>(backend: B) {
    let outputs = each(0..100_000)
        .limit(10)
        .unwrap()
        .at(backend.place())
        .gather(|n: u64| job(async move { n + 1 }));
    assert!(backend.block_on(outputs).into_iter().eq(1..100_001));
}

/// BIG-2
fn a_hundred_thousand_children_are_forgotten_as_they_end<B: Backend>(backend: B) {
    let result = backend.group(|group| {
        job(async move {
            let mut sum = 0;
            for n in 0..100_000 {
                // Awaited a hundred at a time, so that no more than that are ever there.
                let child = group.spawn(job(async move { Ok(n) }));
                if n % 100 == 0 {
                    sum += child.await.map_err(|cancelled| cancelled.to_string())?;
                }
            }
            Ok(sum)
        })
    });
    assert_eq!(backend.block_on(result), Ok((0..1000).map(|n| n * 100).sum()));
}
