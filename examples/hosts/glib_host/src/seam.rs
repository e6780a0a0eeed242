//! GLib's main loop as the host of loops: tasks on its thread, and timers of its own.

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
        // GLib counts whole milliseconds, 49 days of them at most: up, and once more if need be.
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
            // Register first, so that a timer that fires after the check wakes it.
            sleeper.register(cx.waker());
            if due <= now() { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn now(&self) -> Duration {
        now()
    }
}

/// The time of GLib's own clock, which all its timers go by.
fn now() -> Duration {
    Duration::from_micros(glib::monotonic_time().unsigned_abs())
}

/// A GLib timer that is removed when its sleep is dropped.
struct Alarm(Source);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.destroy();
    }
}
