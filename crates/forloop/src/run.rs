//! [`run`]: a program's `main` on one of the enabled runtimes.

use std::env;
use std::ffi::OsStr;

#[cfg(any(feature = "smol", feature = "async-std", feature = "tokio"))]
use forloop_core::BlockOn;

use crate::flavor::{FLAVORS, Flavor};
use crate::{AnyRuntime, NoRuntime};

/// The environment variable that names the runtime for [`run`].
const VARIABLE: &str = "FORLOOP_RUNTIME";

/// Starts a runtime, passes it to `program`, and blocks until the returned future is ready.
///
/// It is for a `main` that is not async, because it blocks its thread. Inside a future that an enabled runtime polls, it
/// returns an error. Where tokio lets a thread block, it works: in `spawn_blocking` and `block_in_place`, and on a thread
/// that has only entered a handle. It cannot detect other executors, tokio without the feature `tokio`, nor tokio's
/// `unconstrained` tasks: it blocks their thread, or panics with tokio's message.
///
/// The runtime is a multi-thread tokio runtime if the feature `tokio` is enabled, else smol, else async-std. Clients such
/// as reqwest, sqlx and tonic need tokio. The environment variable `FORLOOP_RUNTIME` selects another enabled one:
/// `tokio-multi-thread`, `tokio-current-thread`, `smol`, `async-std` or `sim`. An empty value counts as unset. `sim` is
/// the simulated runtime, whose schedule `FORLOOP_SIM` selects. Only this function reads `FORLOOP_RUNTIME`.
///
/// # When the program ends
///
/// `run` returns when the program's future is ready, on every runtime: it does not wait for what the program left behind.
/// That is a task that was detached, and a body of a dropped loop that is still executing a blocking call. Await or
/// [`cancel`](crate::Task::cancel) what must end first. What is left behind may run on as long as the process does. On
/// tokio, whose runtime shuts down, a detached task is dropped at its next await.
///
/// # Fork
///
/// A process made by `fork` has none of the threads of runtimes and timers. Fork before the first `run`, or `exec` at once.
///
/// # Errors
///
/// Returns [`NoRuntime`] if no runtime feature is enabled, if `FORLOOP_RUNTIME` names a runtime that is not, if it is
/// called in a future that a runtime polls, or if the operating system cannot start the runtime, for instance because too
/// many files are open. The program has not started then.
///
/// # Panics
///
/// Panics with the runtime's message if the operating system refuses a thread that is started later: tokio's worker
/// threads, or those that run the first task of smol and async-std.
///
/// A panic of the program propagates. If a future that needs tokio was polled on another runtime, the message also names
/// the cure: the feature `tokio`, or a `FORLOOP_RUNTIME` that is not set.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// fn main() -> Result<(), forloop::NoRuntime> {
///     forloop::run(|runtime| async move {
///         let squares = forloop::each(0..4).unbounded().on(runtime).gather(|n| async move { n * n });
///         assert_eq!(squares.await, [0, 1, 4, 9]);
///     })
/// }
/// # #[cfg(not(feature = "smol"))]
/// # fn main() {}
/// ```
#[doc(alias = "tokio::main")]
#[doc(alias = "block_on")]
pub fn run<G, F>(program: G) -> Result<F::Output, NoRuntime>
where
    G: FnOnce(AnyRuntime) -> F,
    F: Future,
{
    let named = env::var_os(VARIABLE).filter(|name| !name.is_empty());
    let flavor = pick(named.as_deref().map(OsStr::to_string_lossy).as_deref())?;
    if let Some(runtime) = AnyRuntime::surrounding() {
        return Err(NoRuntime::Inside(runtime.name()));
    }
    start(flavor, program)
}

fn pick(named: Option<&str>) -> Result<Flavor, NoRuntime> {
    let &(_, default) = FLAVORS.first().ok_or(NoRuntime::NoFeature)?;
    match named {
        None => Ok(default),
        Some(name) => {
            let found = FLAVORS.iter().find(|&&(known, _)| known == name);
            found.map(|&(_, flavor)| flavor).ok_or_else(|| NoRuntime::Unknown(name.to_owned()))
        }
    }
}

#[cfg_attr(
    not(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim")),
    allow(unused)
)]
fn start<G, F>(flavor: Flavor, program: G) -> Result<F::Output, NoRuntime>
where
    G: FnOnce(AnyRuntime) -> F,
    F: Future,
{
    match flavor {
        #[cfg(feature = "tokio")]
        Flavor::TokioMultiThread => {
            start_tokio(forloop_tokio::OwnedRuntime::multi_thread(None), program)
        }
        #[cfg(feature = "tokio")]
        Flavor::TokioCurrentThread => {
            start_tokio(forloop_tokio::OwnedRuntime::current_thread(), program)
        }
        #[cfg(feature = "smol")]
        Flavor::Smol => {
            forloop_smol::Smol::start_timers().map_err(NoRuntime::Io)?;
            let runtime = forloop_smol::Smol;
            Ok(explained("smol", || runtime.block_on(async { program(runtime.into()).await })))
        }
        #[cfg(feature = "async-std")]
        Flavor::AsyncStd => {
            forloop_async_std::AsyncStd::start_timers().map_err(NoRuntime::Io)?;
            let runtime = forloop_async_std::AsyncStd;
            Ok(explained("async-std", || runtime.block_on(async { program(runtime.into()).await })))
        }
        #[cfg(feature = "sim")]
        Flavor::Sim => forloop_sim::run(|sim| program(sim.into()))
            .map_err(|error| NoRuntime::Simulation(format!("{error:#}"))),
    }
}

/// Runs the program outside of tokio. If it panics because a future of it needs tokio, the panic also names the cure.
#[cfg(any(feature = "smol", feature = "async-std"))]
fn explained<T>(runtime: &str, program: impl FnOnce() -> T) -> T {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    catch_unwind(AssertUnwindSafe(program)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        // Of tokio itself, as reqwest, hyper and tonic call it; and of sqlx.
        let of_tokio = ["no reactor running", "requires a Tokio context"];
        match text {
            Some(text) if of_tokio.iter().any(|of_tokio| text.contains(of_tokio)) => {
                let cure = if cfg!(feature = "tokio") {
                    "select tokio, which is the default: unset `FORLOOP_RUNTIME`"
                } else {
                    "enable forloop's feature `tokio`, with `cargo add forloop --features tokio`"
                };
                panic!("a future that needs tokio was polled on {runtime}: {cure} ({text})")
            }
            _ => resume_unwind(payload),
        }
    })
}

/// Does not wait for threads that still block, because the other runtimes cannot: their threads are the process's.
#[cfg(feature = "tokio")]
fn start_tokio<G, F>(
    owned: std::io::Result<forloop_tokio::OwnedRuntime>,
    program: G,
) -> Result<F::Output, NoRuntime>
where
    G: FnOnce(AnyRuntime) -> F,
    F: Future,
{
    /// Shuts the runtime down also when the program panics.
    struct Started(Option<forloop_tokio::OwnedRuntime>);

    impl Drop for Started {
        fn drop(&mut self) {
            if let Some(owned) = self.0.take() {
                owned.shutdown_background();
            }
        }
    }

    let started = Started(Some(owned.map_err(NoRuntime::Io)?));
    let owned = started.0.as_ref().expect("it is taken when dropped");
    Ok(owned.block_on(async { program(owned.runtime().into()).await }))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;
    use crate::flavor::names;

    #[test]
    fn a_runtime_that_is_not_enabled_is_refused_with_the_names_of_those_that_are() {
        match pick(Some("glommio")) {
            Err(error @ NoRuntime::Unknown(_)) => {
                let message = error.to_string();
                assert!(message.contains("glommio"));
                assert!(names().iter().all(|name| message.contains(name)), "{message}");
            }
            Err(NoRuntime::NoFeature) => assert!(names().is_empty()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_enabled_runtime_is_the_default_and_each_can_be_named() {
        for name in names() {
            assert!(pick(Some(name)).is_ok());
        }
        assert_eq!(pick(None).ok(), FLAVORS.first().map(|&(_, flavor)| flavor));
    }

    #[test]
    fn inside_a_runtime_run_says_so_on_each() {
        for &(name, flavor) in FLAVORS {
            let inner = start(flavor, |_| async { run(async |_| ()) }).unwrap();
            let message = inner.expect_err(name).to_string();
            let runtime = name.split("-m").next().and_then(|name| name.split("-c").next());
            assert!(message.contains(runtime.unwrap()) && message.contains("await"), "{message}");
        }
    }

    #[test]
    fn inside_a_task_run_says_so_on_each() {
        for &(name, flavor) in FLAVORS {
            let inner = start(flavor, |runtime| async move {
                let task = async { run(async |_| ()).map_err(|error| error.to_string()) };
                forloop_core::spawn(&runtime, task).await.unwrap()
            });
            assert!(inner.unwrap().expect_err(name).contains("await"));
        }
    }

    #[test]
    fn in_a_body_that_may_block_run_works_on_each() {
        // async-std calls what it runs on its blocking threads a task, like any other.
        let may_block = |name| name != "sim" && name != "async-std";
        for &(name, flavor) in FLAVORS.iter().filter(|&&(name, _)| may_block(name)) {
            let inner = start(flavor, |runtime| async move {
                let program = || run(async |_| 1).map_err(|error| error.to_string());
                let spawned = forloop_core::spawn_blocking(&runtime, program).await.unwrap();
                let body = forloop_core::sync_body(move |_: u32| program());
                let bodies = forloop_core::each([0]).sequential().on_blocking(runtime);
                (spawned, bodies.gather(body).await)
            });
            assert_eq!(inner.unwrap(), (Ok(1), vec![Ok(1)]), "{name}");
        }
    }

    #[test]
    fn run_does_not_wait_for_what_still_blocks_when_the_program_has_ended() {
        for &(name, flavor) in FLAVORS.iter().filter(|&&(name, _)| name != "sim") {
            for panics in [false, true] {
                let ended = Arc::new(AtomicUsize::new(0));
                let [(held_by_loop, in_loop), (held_by_task, in_task)] =
                    std::array::from_fn(|_| mpsc::channel::<()>());
                let (started, starts) = async_channel::bounded(2);
                let counts = ended.clone();
                let blocks = move |released: mpsc::Receiver<()>| {
                    started.try_send(()).unwrap();
                    // The test fails instead of waiting forever.
                    let _timed_out = released.recv_timeout(Duration::from_secs(5));
                    counts.fetch_add(1, Ordering::SeqCst);
                };
                let program = async |runtime: AnyRuntime| {
                    let body = forloop_core::sync_body(blocks.clone());
                    let looping = forloop_core::each([in_loop]).unbounded();
                    let mut looping = Box::pin(looping.on_blocking(&runtime).for_each(body));
                    assert!(futures_lite::future::poll_once(&mut looping).await.is_none());
                    starts.recv().await.unwrap();
                    drop(looping);
                    if flavor_has_one_thread(name) {
                        forloop_core::spawn_blocking(&runtime, move || blocks(in_task)).detach();
                    } else {
                        forloop_core::spawn(&runtime, async move { blocks(in_task) }).detach();
                    }
                    starts.recv().await.unwrap();
                    if panics {
                        resume_unwind(Box::new("the program's panic"));
                    }
                };
                let run = catch_unwind(AssertUnwindSafe(|| start(flavor, program)));
                assert_eq!(run.is_err(), panics, "{name}");
                assert_eq!(ended.load(Ordering::SeqCst), 0, "{name} waited");
                drop((held_by_loop, held_by_task));
            }
        }
    }

    #[test]
    #[cfg(any(feature = "smol", feature = "async-std"))]
    fn a_client_that_needs_tokio_and_runs_elsewhere_panics_with_the_cure() {
        let cure = if cfg!(feature = "tokio") { "FORLOOP_RUNTIME" } else { "feature `tokio`" };
        for &(name, flavor) in
            FLAVORS.iter().filter(|(name, _)| ["smol", "async-std"].contains(name))
        {
            let in_main = || start(flavor, |_| async { tokio::time::sleep(Duration::ZERO).await });
            let in_a_task = || {
                start(flavor, |runtime| async move {
                    let looping = forloop_core::each([()]).unbounded().on(runtime);
                    looping.for_each(|()| tokio::time::sleep(Duration::ZERO)).await;
                })
            };
            let programs: [&dyn Fn() -> Result<(), NoRuntime>; 2] = [&in_main, &in_a_task];
            for program in programs {
                let payload = catch_unwind(AssertUnwindSafe(program)).unwrap_err();
                let message = payload.downcast_ref::<String>().unwrap();
                assert!(message.contains(cure) && message.contains(name), "{message}");
                assert!(message.contains("no reactor running"), "{message}");
            }
            // Every other panic keeps its payload.
            let other = || start(flavor, |_| async { resume_unwind(Box::new(42)) });
            let payload = catch_unwind(AssertUnwindSafe(other)).unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&42));
        }
    }

    /// Whether a task that blocks would block the program.
    fn flavor_has_one_thread(name: &str) -> bool {
        name == "tokio-current-thread"
    }

    /// Runs a program on `flavor` from a thread that may block.
    fn runs(flavor: Flavor) {
        assert!(AnyRuntime::surrounding().is_none());
        let program = |runtime| async move { forloop_core::spawn(&runtime, async { 6 * 7 }).await };
        assert_eq!(start(flavor, program).unwrap(), Ok(42));
    }

    #[test]
    fn on_the_threads_of_the_runtimes_for_blocking_calls_run_works_on_each() {
        for &(_, flavor) in FLAVORS {
            smol::block_on(smol::unblock(move || runs(flavor)));
            async_std::task::block_on(async_std::task::spawn_blocking(move || runs(flavor)));
        }
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn where_tokio_lets_a_thread_block_run_works_on_each() {
        let outer = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        for &(_, flavor) in FLAVORS {
            let run = move || runs(flavor);
            outer.block_on(outer.spawn_blocking(run)).unwrap();
            outer.block_on(async { tokio::task::block_in_place(run) });
            outer.block_on(outer.spawn(async move { tokio::task::block_in_place(run) })).unwrap();
            // A thread that only has the runtime's handle.
            let _entered = outer.enter();
            run();
        }
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn in_a_future_that_tokio_polls_run_is_refused_wherever_that_is() {
        let outer = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let handle = outer.handle().clone();
        let refused = || {
            let error = run(async |_| ()).unwrap_err();
            assert!(matches!(error, NoRuntime::Inside("tokio")), "{error}");
        };
        outer.block_on(async { refused() });
        outer.block_on(async {
            tokio::task::block_in_place(|| handle.block_on(async { refused() }));
        });
        let handle = outer.handle().clone();
        let polls = move || handle.block_on(async { refused() });
        outer.block_on(outer.spawn_blocking(polls)).unwrap();
        let local = tokio::task::LocalSet::new();
        outer.block_on(local.run_until(async {
            tokio::task::spawn_local(async move { refused() }).await.unwrap();
        }));
        // A task that has used up its budget is still one, and completes.
        outer.block_on(async {
            refused();
            tokio::spawn(async move { refused() }).await.unwrap();
            refused();
        });
    }

    #[test]
    fn without_a_feature_run_names_them() {
        if names().is_empty() {
            let message = run(async |_| ()).unwrap_err().to_string();
            assert!(["smol", "async-std", "tokio"].iter().all(|name| message.contains(name)));
        }
    }
}
