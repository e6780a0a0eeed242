//! The sequential loop.

use forloop_core::each;

use crate::{Backend, Log, Peak, boxed, job, yields};

/// SEQ-1: Each body starts after the previous one has completed.
pub fn each_body_starts_after_the_previous_one_has_completed<B: Backend>(backend: B) {
    let (peak, log) = (Peak::default(), Log::default());
    let outputs =
        backend.block_on(each(0..5).sequential().at(backend.place()).gather(boxed(|n: u64| {
            let (peak, log) = (peak.clone(), log.clone());
            job(async move {
                peak.during(async {
                    log.write((n, "starts"));
                    yields(5 - n as usize).await;
                    log.write((n, "completes"));
                })
                .await;
                n
            })
        })));
    assert_eq!(outputs, [0, 1, 2, 3, 4]);
    assert_eq!(peak.most(), 1);
    let expected: Vec<_> = (0..5).flat_map(|n| [(n, "starts"), (n, "completes")]).collect();
    assert_eq!(log.read(), expected);
}

/// SEQ-2: The first error is returned, no further body is called and no further item is pulled.
pub fn the_first_error_is_returned_and_no_further_item_is_pulled<B: Backend>(backend: B) {
    let (called, pulled) = (Log::default(), Log::default());
    let items = (0..5).inspect(|&n: &u64| pulled.write(n));
    let error = backend
        .block_on(each(items).sequential().at(backend.place()).try_gather(boxed(|n| {
            called.write(n);
            job(async move { if n == 2 { Err(format!("{n}")) } else { Ok(n) } })
        })))
        .unwrap_err();
    assert_eq!(error.first().unwrap().index, Some(2));
    assert_eq!(called.read(), [0, 1, 2]);
    assert_eq!(pulled.read(), [0, 1, 2]);
}
