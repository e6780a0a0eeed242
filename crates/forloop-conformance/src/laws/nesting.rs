//! Loops in loops.

use forloop_core::{Place, each};

use crate::{Backend, Gate, Job, Tally, job};

/// NST-1
pub fn limits_multiply_and_an_inner_loop_takes_no_slot_of_the_outer<B: Backend>(backend: B)
where
    B::Place: Place<Job<u64>>,
{
    // Twelve bodies wait for each other: fewer in flight would never finish.
    let (all_in, arrived) = (Gate::default(), Tally::default());
    let sums = each(0..3).limit(3).unwrap().gather(|outer: u64| {
        let inner = each(0..4).limit(4).unwrap().at(backend.place());
        let (all_in, arrived) = (&all_in, &arrived);
        inner.gather(move |n: u64| {
            let (all_in, arrived) = (all_in.clone(), arrived.clone());
            job(async move {
                arrived.write(n);
                if arrived.read().len() == 12 {
                    all_in.open();
                }
                all_in.passed().await;
                outer * 4 + n
            })
        })
    });
    let sums = backend.block_on(sums);
    assert_eq!(sums.concat(), (0..12).collect::<Vec<_>>());
}
