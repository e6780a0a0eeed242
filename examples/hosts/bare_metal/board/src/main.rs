//! Loops on a board without an operating system, threads or `std`. An interrupt wakes the bodies, and all
//! memory is free again when the loops have completed.

#![no_std]
#![no_main]

extern crate alloc;

mod heap;
mod seam;

use alloc::vec::Vec;
use core::cell::Cell;
use core::future::poll_fn;
use core::panic::PanicInfo;
use core::task::Poll;
use core::time::Duration;

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use cortex_m_semihosting::hprintln;
use forloop_core::{BlockOn, CancelToken, Cause, Outcome, Timer, ZeroLimit, each};

use self::seam::Board;

#[entry]
fn main() -> ! {
    heap::begin();
    seam::begin(Peripherals::take().expect("nothing else takes them").SYST);
    // The clock keeps its memory for sleepers from its first use on.
    Board.block_on(sleep(1));
    let before = heap::used();
    match Board.block_on(loops()) {
        Ok(()) => assert_eq!(heap::used(), before, "bytes are left"),
        Err(ZeroLimit) => unreachable!("the limits are not zero"),
    }
    hprintln!("every byte is free again");
    exit(EXIT_SUCCESS);
    unreachable!("the emulator has exited");
}

#[panic_handler]
fn panicked(panic: &PanicInfo<'_>) -> ! {
    hprintln!("{}", panic);
    exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

async fn sleep(ms: u64) -> u64 {
    Board.sleep(Duration::from_millis(ms)).await;
    ms
}

async fn loops() -> Result<(), ZeroLimit> {
    let start = Board.now();
    let slept = each([60, 40, 20]).unbounded().gather(sleep).await;
    let took = (Board.now() - start).as_millis();
    assert!((60..115).contains(&took), "{took} ms");
    hprintln!("all at once, outputs in input order: {:?}", slept);

    let (running, most) = (Cell::new(0), Cell::new(0));
    let few = each([6, 2, 4, 2, 6, 2]).limit(2)?.for_each(async |ms| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        sleep(ms).await;
        running.set(running.get() - 1);
    });
    few.await;
    hprintln!("at most {} at once", most.get());

    let settled = each([2, 60_000, 4])
        .limit(2)?
        .timer(&Board)
        .timeout(Duration::from_millis(50))
        .settle(async |ms| if ms == 4 { Err("no answer") } else { Ok(sleep(ms).await) })
        .await;
    let [Outcome::Ok(2), Outcome::TimedOut, Outcome::Err("no answer")] = settled[..] else {
        panic!("{settled:?}");
    };
    hprintln!("one answered, one timed out, one failed");

    let failed = each([1, 60_000]).unbounded().try_gather(async |ms| match sleep(ms).await {
        1 => Err("the first"),
        ms => Ok(ms),
    });
    hprintln!("stopped at the first failure: {:#}", failed.await.unwrap_err());

    let stop = CancelToken::new();
    let endless = each(1..).limit(3)?.cancel_on(&stop).for_each(|n| {
        if n == 20 {
            stop.cancel();
        }
        async { _ = sleep(1).await }
    });
    assert_eq!(endless.await.map_err(|cut| cut.cause), Err(Cause::Cancelled));
    hprintln!("a loop without end was cancelled");

    let caller = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let own = each([20, 30, 10]).unbounded().with_parent_waker().as_completed(async |ms| {
        sleep(ms).await;
        poll_fn(|cx| Poll::Ready(cx.waker().will_wake(&caller))).await
    });
    let order: Vec<_> = own
        .consume(async |mut feed| {
            let mut order = Vec::new();
            while let Some((index, is_callers)) = feed.next().await {
                assert!(is_callers);
                order.push(index);
            }
            order
        })
        .await;
    hprintln!("with the parent waker, as they finished: {:?}", order);

    let before = heap::used();
    let sum = each(1..=10_000_u64).limit(50)?.for_each(async |n| {
        if n % 100 == 0 {
            sleep(1).await;
        }
    });
    sum.await;
    assert_eq!(heap::used(), before);
    hprintln!("ten thousand bodies, fifty at a time");
    Ok(())
}
