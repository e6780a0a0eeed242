//! Tasks that need not be `Send`, on tokio's thread-local executors.

use std::fmt;
use std::rc::Rc;

use forloop_core::SpawnLocal;
use tokio::runtime::LocalRuntime;
use tokio::task::LocalSet;

/// A [`LocalSet`] or a [`LocalRuntime`], whose owner drives it. Tasks need not be `Send`.
///
/// Tasks make progress only while the owner awaits the set with `run_until`, or blocks on the runtime. A task that holds
/// a clone of this value keeps the set or the runtime alive. Timers and blocking calls are those of
/// [`Tokio`](crate::Tokio).
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use forloop_tokio::Local;
/// use tokio::task::LocalSet;
///
/// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let set = Rc::new(LocalSet::new());
/// let label = Rc::new("line");
/// let lines = forloop_core::each(0..3).unbounded().on_local(Local::from(set.clone())).gather(
///     move |n| {
///         let label = label.clone();
///         async move { format!("{label} {n}") }
///     },
/// );
/// assert_eq!(runtime.block_on(set.run_until(lines)), ["line 0", "line 1", "line 2"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Local {
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    Set(Rc<LocalSet>),
    Runtime(Rc<LocalRuntime>),
}

impl From<Rc<LocalSet>> for Local {
    fn from(set: Rc<LocalSet>) -> Self {
        Self { inner: Inner::Set(set) }
    }
}

impl From<Rc<LocalRuntime>> for Local {
    fn from(runtime: Rc<LocalRuntime>) -> Self {
        Self { inner: Inner::Runtime(runtime) }
    }
}

impl SpawnLocal for Local {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        match &self.inner {
            Inner::Set(set) => drop(set.spawn_local(future)),
            Inner::Runtime(runtime) => drop(runtime.spawn_local(future)),
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local(..)")
    }
}
