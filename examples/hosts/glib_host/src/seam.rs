//! GLib's main loop as the host of loops: tasks on its thread, and its timers.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use atomic_waker::AtomicWaker;
use forloop::{SpawnLocal, Timer};
use glib::{ControlFlow, MainContext, Priority, Source};

/// A main context, whose thread runs the tasks.
#[derive(Debug, Clone)]
pub(crate) struct Glib(pub(crate) MainContext);

impl SpawnLocal for Glib {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        // GLib's tasks keep running without their handles.
        drop(self.0.spawn_local(future));
    }
}

impl Timer for Glib {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let due = now().saturating_add(duration);
        let sleeper = Arc::new(AtomicWaker::new());
        // GLib counts whole milliseconds, 49 days at most: rounded up, and repeated if necessary.
        let interval = duration.as_nanos().div_ceil(1_000_000).min(u32::MAX.into());
        let interval = Duration::from_millis(interval as u64);
        let wake = sleeper.clone();
        let source = glib::timeout_source_new(interval, None, Priority::DEFAULT, move || {
            wake.wake();
            if due <= now() { ControlFlow::Break } else { ControlFlow::Continue }
        });
        source.attach(Some(&self.0));
        let alarm = Alarm(source);
        poll_fn(move |cx| {
            let _while_it_sleeps = &alarm;
            // Registered before the clock is read, so that no wake is missed.
            sleeper.register(cx.waker());
            if due <= now() { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn now(&self) -> Duration {
        now()
    }
}

/// The time of GLib's monotonic clock, on which its timers run.
fn now() -> Duration {
    Duration::from_micros(glib::monotonic_time().unsigned_abs())
}

/// A timer of GLib's, removed when it is dropped.
struct Alarm(Source);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.destroy();
    }
}
