//! A line of the table: how the compiler is asked, and the loops and bodies that it is asked about.

use std::future::Ready;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::time::Duration;

use forloop::places::*;
use forloop::smol::Smol;
use forloop::types::*;
use forloop::*;

use crate::bodies::{rc, send};

/// Asks the compiler about a type. If the type has the trait, the call finds its inherent method; if not, it
/// finds that of [`Otherwise`].
pub(crate) struct Probe<T>(pub(crate) PhantomData<fn(&T)>);

impl<T> Probe<T> {
    /// Probes the type that a closure would return, which may be unnameable. The closure is not called.
    pub(crate) fn returned(_make: impl FnOnce() -> T) -> Self {
        Self(PhantomData)
    }
}

macro_rules! facts {
    ($($fact:ident)*) => {
        $(impl<T: $fact> Probe<T> {
            #[allow(non_snake_case)] // The trait's own name, so that a single list serves both.
            pub(crate) fn $fact(&self) -> &'static str {
                concat!(stringify!($fact), " ")
            }
        })*

        /// The negative answer.
        #[allow(non_snake_case)]
        pub(crate) trait Otherwise {
            $(fn $fact(&self) -> &'static str {
                ""
            })*
        }

        impl<T> Otherwise for Probe<T> {}

        macro_rules! ask {
            ($probe:expr) => {{
                let probe = $probe;
                [$(probe.$fact()),*].concat()
            }};
        }
    };
}

facts! { Send Sync Unpin UnwindSafe RefUnwindSafe }

/// An expression, what the compiler derives for it, and what the table expects.
pub(crate) struct Case {
    pub(crate) about: &'static str,
    pub(crate) says: String,
    pub(crate) written: &'static str,
}

macro_rules! types {
    ($($type:ty => $written:literal,)*) => {
        vec![$(Case {
            about: stringify!($type),
            says: ask!(Probe::<$type>(std::marker::PhantomData)),
            written: $written,
        }),*]
    };
}

macro_rules! values {
    ($($value:expr => $written:literal,)*) => {
        vec![$(Case {
            about: stringify!($value),
            says: ask!(Probe::returned(|| $value)),
            written: $written,
        }),*]
    };
}

pub(crate) const TIME: Duration = Duration::from_secs(1);

pub(crate) type Source = Iter<Range<u32>>;
pub(crate) type Body = fn(u32) -> Ready<u32>;
pub(crate) type InTaskJobs = FutureSet<InlineJob<Ready<u32>>>;

pub(crate) type Ambiently<P> = Loop<Source, P, Bounded, NoOptions, Ambient>;

pub(crate) fn in_task() -> Ambiently<Inline> {
    each(0..3).unbounded()
}

pub(crate) fn spawned() -> Ambiently<Spawned<Smol>> {
    in_task().on(Smol)
}

/// A value of this type, in closures that are not called.
pub(crate) fn some<T>() -> T {
    unreachable!("these closures are never called")
}

pub(crate) async fn consumer(mut receiver: ResultReceiver<u32>) -> u32 {
    receiver.next().await.unwrap_or_default()
}

pub(crate) async fn rc_consumer(mut receiver: ResultReceiver<u32>) -> u32 {
    let shared = Rc::new(1);
    receiver.next().await.unwrap_or_default() + *shared
}

pub(crate) async fn grouped(_: Group<Smol, String>) -> Result<u32, String> {
    send::result(1).await
}

pub(crate) async fn rc_grouped(_: Group<Smol, String>) -> Result<u32, String> {
    rc::result(1).await
}

pub(crate) async fn scoped(_: Scope<'static, String>) -> Result<u32, String> {
    send::result(1).await
}

pub(crate) async fn rc_scoped(_: Scope<'static, String>) -> Result<u32, String> {
    rc::result(1).await
}

pub(crate) async fn locally_scoped(_: LocalScope<'static, String>) -> Result<u32, String> {
    send::result(1).await
}
