//! A runtime without its type: what producer and workers ask of the one that they were given.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use forloop_core::{Runtime, Sleep, Spawn, Timer};

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

trait AnyRuntime: Send + Sync {
    fn spawn(&self, future: Boxed);
    fn threads(&self) -> NonZeroUsize;
    fn sleep(&self, duration: Duration) -> Boxed;
    fn now(&self) -> Duration;
}

impl<R: Runtime> AnyRuntime for R {
    fn spawn(&self, future: Boxed) {
        Spawn::spawn(self, future);
    }

    fn threads(&self) -> NonZeroUsize {
        Spawn::threads(self)
    }

    fn sleep(&self, duration: Duration) -> Boxed {
        // The boxed sleep owns its runtime.
        let runtime = self.clone();
        let sleep = Timer::sleep(&runtime, duration);
        Box::pin(sleep)
    }

    fn now(&self) -> Duration {
        Timer::now(self)
    }
}

/// Any runtime.
#[derive(Clone)]
pub(crate) struct SharedRuntime(Arc<dyn AnyRuntime>);

impl SharedRuntime {
    pub(crate) fn new(runtime: impl Runtime) -> Self {
        Self(Arc::new(runtime))
    }
}

impl Spawn for SharedRuntime {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Box::pin(future));
    }

    fn threads(&self) -> NonZeroUsize {
        self.0.threads()
    }
}

impl Timer for SharedRuntime {
    fn sleep(&self, duration: Duration) -> impl Sleep + use<> {
        self.0.sleep(duration)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}
