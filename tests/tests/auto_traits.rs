//! The auto traits that the compiler derives: which public types, futures and streams are `Send`, `Sync`,
//! `Unpin`, `UnwindSafe` and `RefUnwindSafe`. A change of this table is a change of the public interface.

#[path = "auto_traits/bodies.rs"]
mod bodies;
// Before the modules that use its macros.
#[macro_use]
#[path = "auto_traits/case.rs"]
mod case;
#[path = "auto_traits/one_result.rs"]
mod one_result;
#[path = "auto_traits/options.rs"]
mod options;
#[path = "auto_traits/tools.rs"]
mod tools;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::Ready;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::{fs, io};

use forloop::async_std::AsyncStd;
use forloop::places::*;
use forloop::sim::{Jitter, Sim};
use forloop::smol::{Executor, Local, LocalExecutor, Smol};
use forloop::timeline::Recorder;
use forloop::timer::SystemTimer;
use forloop::tokio::{NoTokio, OwnedRuntime, Tokio};
use forloop::types::*;
use forloop::*;
use forloop_budget::WorkStart;
use futures_lite::stream;

use self::bodies::{rc, send};
// `forloop` has another `Body`.
use self::case::Body;
use self::case::*;

fn types() -> Vec<Case> {
    types! {
        // Loops, and their options.
        Loop<Source> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Loop<Source, Spawned<Smol>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Ambiently<Inline> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Ambient => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AmbientTimer => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        TimerUnset => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithTimer<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithTimer<Local> => "Unpin UnwindSafe RefUnwindSafe",
        Loop<Source, SpawnedLocal<Local>> => "Unpin UnwindSafe RefUnwindSafe",
        Loop<Iter<std::vec::IntoIter<Rc<u32>>>> => "Unpin UnwindSafe RefUnwindSafe",
        Iter<Range<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Iter<std::vec::IntoIter<Rc<u32>>> => "Unpin UnwindSafe RefUnwindSafe",
        LimitUnset => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Const<1> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Bounded => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Inline => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ParentWaker => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Loop<Source, ParentWaker> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Spawned<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SpawnedLocal<Local> => "Unpin UnwindSafe RefUnwindSafe",
        SpawnedScoped<Cores<'static>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ScopedWorkers<'static, Cores<'static>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SpawnedBlocking<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SyncBody<fn(u32) -> u32, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SyncBody<fn(Rc<u32>) -> u32, Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        SyncBody<Cell<u32>, u32> => "Unpin",
        PushPool<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Push => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Pull<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkerPool<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Loop<Source, WorkerPool<Smol>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        BoxedSource<'static, Ready<u32>> => "Send Unpin",
        PoolSet<'static, Ready<u32>, u32> => "Send Sync Unpin",
        PoolSet<'static, Ready<Rc<u32>>, Rc<u32>> => "Send Sync Unpin",
        FutureSet<InlineJob<Ready<u32>>> => "Send Sync Unpin",
        FutureSet<InlineJob<Ready<Rc<u32>>>> => "Unpin",
        FutureSet<Task<u32>> => "Send Sync Unpin",
        SpawnedSet<u32> => "Send Sync Unpin",
        SpawnedSet<Rc<u32>> => "Unpin",
        Completer<u32> => "Send Sync Unpin",
        Completer<Rc<u32>> => "Unpin",
        BodySpawner<Body, Inline> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        InlineJob<Ready<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        InlineJob<Ready<Rc<u32>>> => "Unpin UnwindSafe RefUnwindSafe",
        ParentWakerJob<Ready<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ParentWakerJob<Ready<Rc<u32>>> => "Unpin UnwindSafe RefUnwindSafe",
        NoOptions => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Key => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithInterrupt<NoOptions, CancelOn<Cancellation>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithOutcomes<NoOptions, CatchPanics> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        CancelOn<Cancellation> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        CancelOn<std::future::Pending<Rc<()>>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        CancelOn<std::marker::PhantomPinned> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        CatchPanics => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Deadline<WithTimer<Smol>> => "Send Unpin",
        Deadline<WithTimer<Local>> => "Unpin",
        Timeout<WithTimer<Smol>> => "Send Unpin",
        Timeout<WithTimer<Local>> => "Unpin",
        Fallible<io::Error> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Fallible<Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",

        // Results.
        Outcome<u32, String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Outcome<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        Panic => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Settled<u32, String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Settled<u32, String, io::Error> => "Send Sync Unpin",
        Settled<Rc<u32>, String> => "Unpin UnwindSafe RefUnwindSafe",
        Interrupted => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Interrupted<Vec<Outcome<u32>>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Interrupted<Vec<(usize, u32)>, io::Error> => "Send Sync Unpin",
        Interrupted<(), Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        Cause => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Cause<io::Error> => "Send Sync Unpin",
        LoopError<String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        LoopError<io::Error, io::Error> => "Send Sync Unpin",
        LoopError<Box<dyn std::error::Error + Send + Sync>> => "Send Sync Unpin",
        LoopError<BoxError> => "Send Sync Unpin",
        LoopError<Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        Failure<String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Failure<Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        BodyError<String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        BodyError<Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        BoxError => "Send Sync Unpin",
        Summary => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Cancelled => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        TimedOut => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Closed => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ZeroLimit => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Sources.
        Chunks<Source, PlainItems> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ChunksWithin<Source, PlainItems, Smol> => "Send Unpin",
        PlainItems => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        FallibleItems => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkQueue<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkQueue<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        WorkItem<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkItem<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        WorkHandle<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Streams.
        Results<Source, BodySpawner<Body, Inline>, InTaskJobs, AsCompleted<u32>> => "Send Sync Unpin",
        Results<Source, BodySpawner<Body, Inline>, InTaskJobs, InOrder<u32>> => "Send Sync Unpin",
        Results<Source, BodySpawner<Body, Inline>, InTaskJobs, Unordered<u32>> => "Send Sync Unpin",
        Results<Source, BodySpawner<Body, Spawned<Smol>>, SpawnedSet<u32>, InOrder<u32>> => "Send Sync Unpin",
        AsCompleted<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AsCompleted<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        InOrder<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        InOrder<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        Unordered<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Unordered<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        ResultReceiver<u32> => "Send Sync Unpin",
        ResultReceiver<Cell<u32>> => "Send Sync Unpin",
        ResultReceiver<Rc<u32>> => "Unpin",

        // Tasks and groups.
        Task<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Task<Cell<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Task<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        CancelHandle => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        TaskSet<InlineJob<Ready<u32>>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        TaskSet<InlineJob<Ready<Rc<u32>>>> => "Unpin UnwindSafe RefUnwindSafe",
        TaskSet<Task<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Wait<'static, InlineJob<Ready<u32>>> => "Send Sync Unpin RefUnwindSafe",
        Wait<'static, Task<u32>> => "Send Sync Unpin RefUnwindSafe",
        Wait<'static, Task<u32>, FutureSet<Task<u32>>, Ambient, std::marker::PhantomPinned> => "Send Sync RefUnwindSafe",
        Completed<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Completed<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        Group<Smol, String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Group<Smol, Cell<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Group<Smol, Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        Scope<'static, String> => "Send Sync Unpin",
        Scope<'static, Rc<()>> => "Send Sync Unpin",
        LocalScope<'static, String> => "Unpin",
        Child<u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Child<Cell<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Child<Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        ReadySignal<u32> => "Send Sync Unpin",
        ReadySignal<Rc<u32>> => "Unpin",
        StartError<String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        GroupFuture<(), NoOptions, FailFast> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        GroupFuture<std::marker::PhantomPinned> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        FailFast => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Supervise => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Supervised<u32, String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        CancelToken => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Cancellation => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        DropGuard => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Runtimes.
        AnyRuntime => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoRuntime => "Send Sync Unpin",
        Smol => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Executor => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Local => "Unpin UnwindSafe RefUnwindSafe",
        LocalExecutor<'static> => "Unpin UnwindSafe RefUnwindSafe",
        AsyncStd => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Tokio => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        forloop::tokio::Local => "Unpin",
        OwnedRuntime => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkStart => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SystemTimer => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Threads<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Cores<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoTokio => "Send Sync Unpin UnwindSafe RefUnwindSafe",
    }
}

fn strategies() -> Vec<Case> {
    values! {
        // Loops in the caller's task, over bodies that are `Send`.
        in_task().gather(send::value) => "Send Sync Unpin",
        in_task().try_gather(send::result) => "Send Sync Unpin",
        in_task().settle(send::result) => "Send Sync Unpin",
        in_task().for_each(send::unit) => "Send Sync Unpin",
        in_task().try_for_each(send::checked) => "Send Sync Unpin",
        in_task().race(send::value) => "Send Sync Unpin",
        in_task().race_ok(send::result) => "Send Sync Unpin",
        in_task().as_completed(send::value) => "Send Sync Unpin",
        in_task().stream(send::value) => "Send Sync Unpin",
        in_task().stream_unordered(send::value) => "Send Sync Unpin",

        // Over bodies that are not `Send`.
        in_task().gather(rc::value) => "Unpin",
        in_task().try_gather(rc::result) => "Unpin",
        in_task().settle(rc::result) => "Unpin",
        in_task().for_each(rc::unit) => "Unpin",
        in_task().try_for_each(rc::checked) => "Unpin",
        in_task().race(rc::value) => "Unpin",
        in_task().race_ok(rc::result) => "Unpin",
        in_task().as_completed(rc::value) => "Unpin",
        in_task().stream(rc::value) => "Unpin",
        in_task().stream_unordered(rc::value) => "Unpin",

        // Polled with the parent waker.
        in_task().with_parent_waker().gather(send::value) => "Send Sync Unpin",
        in_task().with_parent_waker().settle(send::result) => "Send Sync Unpin",
        in_task().with_parent_waker().stream(send::value) => "Send Sync Unpin",
        in_task().with_parent_waker().gather(rc::value) => "Unpin",
        in_task().with_parent_waker().timer(&Smol).timeout(TIME).settle(send::result) => "Send Unpin",

        // Spawned: the loop holds handles only.
        spawned().gather(send::value) => "Send Sync Unpin",
        spawned().try_gather(send::result) => "Send Sync Unpin",
        spawned().settle(send::result) => "Send Sync Unpin",
        spawned().for_each(send::unit) => "Send Sync Unpin",
        spawned().try_for_each(send::checked) => "Send Sync Unpin",
        spawned().race(send::value) => "Send Sync Unpin",
        spawned().race_ok(send::result) => "Send Sync Unpin",
        spawned().as_completed(send::value) => "Send Sync Unpin",
        spawned().stream(send::value) => "Send Sync Unpin",
        spawned().stream_unordered(send::value) => "Send Sync Unpin",
        in_task().on_workers(Smol).gather(send::value) => "Send Sync Unpin",
        in_task().on_workers(Smol).try_for_each(send::checked) => "Send Sync Unpin",
        in_task().on_workers(Smol).stream(send::value) => "Send Sync Unpin",
        in_task().on_scoped(some::<Cores<'static>>()).gather(send::value) => "Send Sync Unpin",
        in_task().on_scoped_tasks(some::<Cores<'static>>()).gather(send::value) => "Send Sync Unpin",
        in_task().on_blocking(Smol).gather(send::value) => "Send Sync Unpin",
        in_task().on_blocking(Smol).gather(sync_body(u64::from)) => "Send Sync Unpin",
        in_task().on_local(some::<Local>()).gather(rc::value) => "Unpin",

        // Ready-made futures.
        gather([send::value(1)]) => "Send Sync Unpin",
        timeout(TIME, send::value(1)) => "Send",
        timeout(TIME, rc::value(1)) => "",
        hedge(TIME, || send::result(1)) => "Send",
        hedge(TIME, || rc::result(1)) => "",
        until(CancelToken::new(), send::value(1)) => "Send Sync UnwindSafe RefUnwindSafe",
        until(CancelToken::new(), rc::value(1)) => "UnwindSafe RefUnwindSafe",
        sequential([send::value(1)]) => "Send Sync Unpin",
        try_gather([send::result(1)]) => "Send Sync Unpin",
        settle([send::result(1)]) => "Send Sync Unpin",
        race([send::value(1)]) => "Send Sync Unpin",
        race_ok([send::result(1)]) => "Send Sync Unpin",
        as_completed([send::value(1)]) => "Send Sync Unpin",
        gather([rc::value(1)]) => "Unpin",
        as_completed([rc::value(1)]) => "Unpin",

        // Other sources.
        each_stream(stream::iter(0..3)).unbounded().gather(send::value) => "Send Sync Unpin",
        each_stream(stream::once_future(send::value(1))).unbounded().gather(send::value) => "Send Sync",
        each_stream(stream::once_future(send::value(1))).unbounded().stream(send::value) => "Send Sync",
        try_each([Ok::<_, io::Error>(1)]).unbounded().gather(send::value) => "Send Sync Unpin",
        try_each([Ok::<_, io::Error>(1)]).unbounded().try_gather(send::result) => "Send Sync Unpin",
        try_each([Ok::<_, Rc<()>>(1)]).unbounded().gather(send::value) => "Unpin",
        try_each_stream(stream::iter([Ok::<_, io::Error>(1)])).unbounded().settle(send::result) => "Send Sync Unpin",

        // Options.
        in_task().timeout(TIME).gather(send::value) => "Send Unpin",
        in_task().timer(&Smol).timeout(TIME).gather(send::value) => "Send Unpin",
        in_task().timer(&Smol).timeout(TIME).settle(send::result) => "Send Unpin",
        in_task().timer(&Smol).timeout(TIME).stream(send::value) => "Send Unpin",
        in_task().timer(&some::<Local>()).timeout(TIME).gather(send::value) => "Unpin",
        in_task().timer(&Smol).deadline(TIME).gather(send::value) => "Send Unpin",
        in_task().timer(&Smol).deadline(TIME).as_completed(send::value) => "Send Unpin",
        in_task().timer(&some::<Local>()).deadline(TIME).gather(send::value) => "Unpin",
        in_task().cancel_on(CancelToken::new()).for_each(send::unit) => "Send Sync Unpin",
        in_task().cancel_on(CancelToken::new()).stream_unordered(send::value) => "Send Sync Unpin",
        in_task().cancel_on(rc::value(1)).gather(send::value) => "Unpin",
        in_task().cancel_on(send::value(1)).stream(send::value) => "Send Sync Unpin",
        in_task().catch_panics().settle(send::result) => "Send Sync Unpin",
        in_task().catch_panics().stream(send::value) => "Send Sync Unpin",
        spawned().timer(&Smol).timeout(TIME).deadline(TIME).gather(send::value) => "Send Unpin",
        spawned().cancel_on(CancelToken::new()).catch_panics().settle(send::result) => "Send Sync Unpin",
        spawned().timer(&Smol).timeout(TIME).cancel_on(CancelToken::new()).stream(send::value) => "Send Unpin",
    }
}

fn the_rest() -> Vec<Case> {
    values! {
        // The consumers of a stream of results.
        in_task().stream(send::value).for_each(send::unit) => "Send Sync Unpin",
        in_task().stream(send::value).try_for_each(send::checked) => "Send Sync Unpin",
        in_task().stream(send::value).consume(consumer) => "Send Sync Unpin",
        in_task().stream(rc::value).for_each(send::unit) => "Unpin",
        in_task().with_parent_waker().stream(send::value).for_each(send::unit) => "Send Sync Unpin",
        in_task().stream(send::value).for_each(rc::unit) => "Unpin",
        in_task().stream(send::value).try_for_each(rc::checked) => "Unpin",
        in_task().stream(send::value).consume(rc_consumer) => "Unpin",
        spawned().stream(send::value).for_each(send::unit) => "Send Sync Unpin",
        spawned().stream(send::value).for_each(rc::unit) => "Unpin",
        spawned().stream(send::value).consume(consumer) => "Send Sync Unpin",
        some::<&mut ResultReceiver<u32>>().next() => "Send Sync Unpin",
        some::<&mut ResultReceiver<Cell<u32>>>().next() => "Send Sync Unpin",
        some::<&mut ResultReceiver<Rc<u32>>>().next() => "Unpin",

        // Tasks.
        spawn(&Smol, send::value(1)) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        spawn_scoped(&some::<Cores<'static>>(), send::value(1)) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        spawn_blocking(&Smol, || 1) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        sync_body(u64::from)(1_u32) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        spawn_local(&some::<Local>(), rc::value(1)) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        task_list(&Smol, [send::value(1)]) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        spawn(&Smol, send::value(1)).cancel() => "Send Sync UnwindSafe RefUnwindSafe",
        some::<Task<Rc<u32>>>().cancel() => "UnwindSafe RefUnwindSafe",
        spawn(&Smol, send::value(1)).outcome() => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        some::<Task<Rc<u32>>>().outcome() => "Unpin UnwindSafe RefUnwindSafe",
        wait(some::<&mut TaskSet<Task<u32>>>()) => "Send Sync Unpin RefUnwindSafe",
        wait(some::<&mut TaskSet<Task<u32>>>()).timer(&Smol).timeout(TIME) => "Send Sync RefUnwindSafe",
        wait(some::<&mut TaskSet<Task<u32>>>()).timer(&some::<Local>()).timeout(TIME) => "RefUnwindSafe",
        wait(some::<&mut TaskSet<Task<u32>>>()).timeout(TIME) => "Send",
        wait(some::<&mut TaskSet<Task<u32>>>()).with_timer(TimerUnset) => "Send Sync Unpin RefUnwindSafe",
        wait(some::<&mut TaskSet<Task<Rc<u32>>>>()) => "Unpin RefUnwindSafe",
        some::<forloop::remote::Body<u32, u32>>().call(1) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        some::<CancelToken>().cancelled() => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Groups.
        task_group(Smol, grouped) => "Send Sync Unpin",
        task_group(Smol, rc_grouped) => "Unpin",
        scope(scoped) => "Send Unpin",
        scope(rc_scoped) => "Unpin",
        local_scope(locally_scoped) => "Unpin",
        task_group(Smol, grouped).supervised().timer(&Smol).deadline(TIME) => "Send Unpin",
        scope(scoped).cancel_on(CancelToken::new()) => "Send Unpin",
        scope(scoped).supervised().timer(&some::<Local>()).deadline(TIME) => "Unpin",
        some::<Group<Smol, String>>().spawn(send::result(1)) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        some::<Group<Smol, String>>().try_spawn(send::result(1)) => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Timers.
        Smol.sleep(TIME) => "Send Sync UnwindSafe RefUnwindSafe",
        some::<Executor>().sleep(TIME) => "Send Sync UnwindSafe RefUnwindSafe",
        some::<Local>().sleep(TIME) => "Send Sync UnwindSafe RefUnwindSafe",
        AsyncStd.sleep(TIME) => "Send Sync",
        some::<Tokio>().sleep(TIME) => "Send Sync",
        some::<AnyRuntime>().sleep(TIME) => "Send Sync",
        some::<Sim>().sleep(TIME) => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        some::<Jitter<Smol>>().sleep(TIME) => "Send Sync UnwindSafe RefUnwindSafe",

        // Watched bodies.
        some::<Recorder>().watch("a", send::value) => "Send Sync Unpin",
        some::<Recorder>().watch("a", rc::value) => "Send Sync Unpin",
        some::<Recorder>().try_watch("a", send::result) => "Send Sync Unpin",
        some::<Recorder>().watch_future("a", send::value(1)) => "Send Sync",
        some::<Recorder>().try_watch_future("a", send::result(1)) => "Send Sync",
        in_task().gather(some::<Recorder>().watch("a", send::value)) => "Send Sync Unpin",
        spawned().settle(some::<Recorder>().try_watch("a", send::result)) => "Send Sync Unpin",
    }
}

fn table() -> Vec<Case> {
    let tables = [
        types(),
        one_result::types(),
        strategies(),
        one_result::rows(),
        options::types(),
        options::rows(),
        tools::types(),
        the_rest(),
    ];
    tables.into_iter().flatten().collect()
}

#[test]
fn derived_auto_traits_match_the_table() {
    let mut wrong = String::new();
    for Case { about, says, written } in table() {
        let says = says.trim_end();
        if says != written {
            wrong += &format!("{about}\n   is written: \"{written}\"\n      but is: \"{says}\"\n");
        }
    }
    assert!(wrong.is_empty(), "the interface has changed, or the table is wrong:\n{wrong}");
}

#[test]
fn every_public_type_has_a_line() {
    let table = table();
    let known: BTreeSet<_> = table.iter().map(|row| head(row.about)).collect();
    let traits = traits();
    for path in crates() {
        let exported = exported(&path.join("src/lib.rs"));
        assert!(!exported.is_empty(), "{} exports nothing?", path.display());
        for name in exported.difference(&traits) {
            assert!(known.contains(name.as_str()), "{}: no line for `{name}`", path.display());
        }
    }
}

#[test]
fn every_function_that_returns_a_future_or_a_stream_has_a_line() {
    let table = table();
    let sources: String = sources().iter().map(|path| read(path)).collect();
    let futures: BTreeSet<_> = [" Future for ", " Stream for "]
        .iter()
        .flat_map(|before| sources.split(before).skip(1).map(head))
        .chain(["Future"])
        .collect();
    let mut seen = 0;
    for (at, _) in sources.match_indices("pub fn ") {
        let function = &sources[at + "pub fn ".len()..];
        let signature = function.split(" {\n").next().unwrap();
        let signature = signature.split("where\n").next().unwrap();
        let Some((_, returned)) = signature.rsplit_once(") -> ") else { continue };
        let mut words = returned.split(|c: char| !c.is_alphanumeric());
        // A loop may be built from a stream, but is a stream itself only with a strategy.
        // The iterator over a slice has the name of one.
        if ["Loop", "slice"].contains(&head(returned)) || !words.any(|word| futures.contains(word))
        {
            continue;
        }
        // A method is indented, a free function is not.
        let is_method = sources[..at].ends_with(' ');
        let call = format!("{}{}(", if is_method { "." } else { "" }, head(function));
        let has_line = table.iter().any(|row| match is_method {
            true => row.about.contains(&call),
            false => row.about.starts_with(&call),
        });
        assert!(has_line, "no line for `{call}..)`, which returns `{}`", returned.trim());
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} functions were found: is their form still as expected?");
}

/// The identifier that a text begins with.
fn head(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

fn crates() -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(tests.with_file_name("crates")).unwrap();
    // What a test suite exports is for tests.
    let is_for_programs = |path: &PathBuf| !path.ends_with("forloop-conformance");
    let crates: Vec<_> =
        crates.map(|entry| entry.unwrap().path()).filter(is_for_programs).collect();
    assert!(crates.len() >= 5);
    crates
}

fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let mut folders: Vec<_> = crates().iter().map(|path| path.join("src")).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(path);
            }
        }
    }
    sources
}

/// Returns the lines of a file without comments.
fn read(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns the types and traits that a crate's `lib.rs` exports. Functions and modules begin with a lower-case
/// letter, and `*` stands for the exports of another crate.
fn exported(lib: &Path) -> BTreeSet<String> {
    let text = read(lib);
    let used = text.match_indices("pub use ").filter(|&(at, _)| {
        // What is hidden is no part of the interface.
        !text[..at].trim_end().ends_with("#[doc(hidden)]")
    });
    let used = used.map(|(at, word)| text[at + word.len()..].split(';').next().unwrap());
    let names = used.flat_map(|used| used.split(['{', '}', ',']));
    let names = names.map(|name| name.trim().rsplit([':', ' ']).next().unwrap());
    let defined = ["pub struct ", "pub enum ", "pub trait "];
    let defined = defined.iter().flat_map(|kind| text.split(kind).skip(1).map(head));
    let names = names.chain(defined).filter(|name| name.starts_with(char::is_uppercase));
    names.map(str::to_owned).collect()
}

/// Returns the traits that the crates define, and those of other crates that they re-export.
fn traits() -> BTreeSet<String> {
    let mut traits: BTreeSet<_> = ["Stream", "StreamExt"].map(str::to_owned).into();
    for path in sources() {
        traits.extend(read(&path).split("pub trait ").skip(1).map(|text| head(text).to_owned()));
    }
    traits
}
