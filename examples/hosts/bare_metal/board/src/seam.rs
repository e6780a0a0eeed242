//! A board as a host of loops: its tick is their clock, and its interrupt wakes sleepers.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::{Cell, RefCell};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use forloop_core::{BlockOn, Timer};

/// The board: one core, and a tick each millisecond.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Board;

/// The processor's clock.
const TICKS_PER_MILLISECOND: u32 = 25_000;

static NOW: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
static SLEEPERS: Mutex<RefCell<BTreeMap<Alarm, Waker>>> = Mutex::new(RefCell::new(BTreeMap::new()));
static NEXT: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// When a sleeper is due, and its unique number.
type Alarm = (u64, u64);

/// Starts the clock and its interrupt.
pub(crate) fn begin(mut tick: SYST) {
    tick.set_clock_source(SystClkSource::Core);
    tick.set_reload(TICKS_PER_MILLISECOND - 1);
    tick.clear_current();
    tick.enable_counter();
    tick.enable_interrupt();
}

#[exception]
fn SysTick() {
    let now = critical_section::with(|held| {
        let now = NOW.borrow(held);
        now.set(now.get() + 1);
        now.get()
    });
    // Woken and dropped outside the critical section.
    while let Some(waker) = next_due(now) {
        waker.wake();
    }
}

fn next_due(now: u64) -> Option<Waker> {
    critical_section::with(|held| {
        let mut sleepers = SLEEPERS.borrow_ref_mut(held);
        let first = sleepers.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    })
}

fn now() -> u64 {
    critical_section::with(|held| NOW.borrow(held).get())
}

/// Waits until a time; dropping it unregisters its waker.
struct Sleep(Alarm);

impl Future for Sleep {
    type Output = ();

    fn poll(self: core::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let before = critical_section::with(|held| {
            if self.0.0 <= NOW.borrow(held).get() {
                return Err(waker);
            }
            Ok(SLEEPERS.borrow_ref_mut(held).insert(self.0, waker))
        });
        if before.is_err() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = critical_section::with(|held| SLEEPERS.borrow_ref_mut(held).remove(&self.0));
        drop(waker);
    }
}

impl Timer for Board {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // Rounded up to milliseconds, and one more, because the current one has started already.
        let milliseconds = duration.as_nanos().div_ceil(1_000_000).saturating_add(1);
        let due = now().saturating_add(milliseconds.try_into().unwrap_or(u64::MAX));
        let number = critical_section::with(|held| {
            let next = NEXT.borrow(held);
            next.replace(next.get() + 1)
        });
        Sleep((due, number))
    }

    fn now(&self) -> Duration {
        Duration::from_millis(now())
    }
}

/// Whether the program's one task was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl BlockOn for Board {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        loop {
            if flag.0.swap(false, Ordering::Acquire)
                && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return output;
            }
            // An interrupt after this check ends the wait too, and is handled after it.
            cortex_m::interrupt::free(|_| {
                if !flag.0.load(Ordering::Acquire) {
                    cortex_m::asm::wfi();
                }
            });
        }
    }
}
