//! How much stack a loop needs.
//!
//! A program that needs more stack than its thread has ends its process. So each runs in a process of its own: the
//! test starts its own binary again, as itself, and the environment says which program it is to run.

#![cfg(feature = "std")]

use std::cell::RefCell;
use std::env;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;

use forloop_core::places::{Attempt, Body, Layer, PushPool, WorkerPool};
use forloop_core::{
    Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, TaskSet, each, local_scope, scope, spawn,
    task_group, wait,
};
use futures_lite::StreamExt;
use futures_lite::future::{poll_once, yield_now};

/// The size of a body. What a loop needs of the stack for other things is less than half of it.
const BODY: usize = 256 << 10;

/// How often a body may be on the stack.
///
/// Where the compiler does not optimise, each function that a body is passed to has a copy of it. So bodies are made
/// where they stay. What is left are the copies of those who must pass it on: a place, a channel, a box.
const MOST_COPIES: usize = if cfg!(debug_assertions) { 6 } else { 2 };

#[test]
#[cfg_attr(miri, ignore = "starts processes")]
fn a_body_is_made_where_it_stays() {
    if run_program() {
        return;
    }
    let alone = copies("a body alone").unwrap();
    assert_eq!(alone, 1, "copies of a body that is boxed and polled");
    for (name, _) in PROGRAMS {
        match copies(name) {
            Some(copies) if copies <= MOST_COPIES => {}
            copies => panic!("{name}: {copies:?} copies of a body, expected {MOST_COPIES}"),
        }
    }
}

/// The number of bodies that there must be room for on the stack of a program.
fn copies(name: &str) -> Option<usize> {
    (1..=2 * MOST_COPIES).find(|copies| fits(name, copies * BODY + BODY / 2))
}

/// The stack of a thread, where nothing else is asked for.
const DEFAULT_STACK: usize = 2 << 20;

/// How many levels nest on such a stack, with a margin of a tenth or so, each in the body of the one around it.
///
/// Where the compiler does not optimise, a third to a half of a level is the future of the loop or scope itself: the
/// function that awaits it has it on the stack twice.
const LEVELS: usize = if cfg!(debug_assertions) { 220 } else { 1100 };
const LOOPS: usize = if cfg!(debug_assertions) { 300 } else { 2700 };
const SCOPES: usize = if cfg!(debug_assertions) { 300 } else { 2000 };

#[test]
#[cfg_attr(miri, ignore = "starts processes")]
fn hundreds_of_loops_and_scopes_nest() {
    for (name, _) in NESTED {
        assert!(fits(name, DEFAULT_STACK), "{name} overflow the stack");
    }
}

/// Whether a program needs at most `stack` bytes of the stack.
fn fits(name: &str, stack: usize) -> bool {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(["--exact", TEST]).env(PROGRAM, format!("{stack} {name}"));
    process.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// The environment variable that names the program, after the size of its stack.
const PROGRAM: &str = "FORLOOP_STACK";

/// The test that a process runs instead: it calls [`run_program`] first.
const TEST: &str = "a_body_is_made_where_it_stays";

/// Runs the program that the environment names. `false` if it names none.
fn run_program() -> bool {
    let Ok(program) = env::var(PROGRAM) else { return false };
    let (stack, name) = program.split_once(' ').unwrap();
    let &(_, run) = PROGRAMS.iter().chain(NESTED).find(|program| program.0 == name).unwrap();
    let thread = thread::Builder::new().stack_size(stack.parse().unwrap());
    thread.spawn(move || run(&OneThread::default())).unwrap().join().unwrap();
    true
}

/// A program, which runs on one thread.
type Program = fn(&OneThread);

/// Programs with a body or two of this size, one for each way in which a body starts.
const PROGRAMS: &[(&str, Program)] = &[
    ("a body alone", |rt| rt.block_on(async { Box::pin(body(1)).await })),
    ("in the task", |rt| rt.block_on(each(0..2).unbounded().gather(body))),
    ("one by one", |rt| rt.block_on(each(0..2).limit(1).unwrap().gather(body))),
    ("as a stream", |rt| rt.block_on(each(0..2).unbounded().stream(body).count())),
    ("parent waker", |rt| {
        rt.block_on(each(0..2).unbounded().with_parent_waker().gather(body));
    }),
    ("with a rule", |rt| {
        let looping = each(0..2).unbounded().limit_by(|n: &u8| *n, 1).unwrap();
        rt.block_on(looping.gather(body));
    }),
    ("layered", |rt| rt.block_on(each(0..2).unbounded().layer(Same).gather(body))),
    ("workers pull", |rt| rt.block_on(each(0..2).unbounded().on_workers(rt.clone()).gather(body))),
    ("workers, push", |rt| rt.block_on(each(0..2).unbounded().at(pushing(rt)).gather(body))),
    ("workers, never run", |rt| {
        let looping = each(0..2).unbounded().at(pushing(rt)).gather(body);
        rt.block_on(poll_once(looping));
        let looping = each(0..2).unbounded().on_workers(rt.clone()).gather(body);
        rt.block_on(poll_once(looping));
    }),
    ("tasks", |rt| rt.block_on(each(0..2).unbounded().on(rt.clone()).gather(body))),
    ("local tasks", |rt| rt.block_on(each(0..2).unbounded().on_local(rt.clone()).gather(body))),
    ("blocking tasks", |rt| {
        rt.block_on(each(0..2).unbounded().on_blocking(rt.clone()).gather(body));
    }),
    ("scoped workers", |rt| {
        rt.block_on(each(0..2).unbounded().on_scoped(rt.clone()).gather(body));
    }),
    ("scoped tasks", |rt| {
        rt.block_on(each(0..2).unbounded().on_scoped_tasks(rt.clone()).gather(body));
    }),
    ("a set", |rt| {
        let mut set = TaskSet::new((0..1).map(body));
        set.push(body(1));
        rt.block_on(wait(&mut set));
    }),
    ("a set on workers", |rt| {
        let mut set = TaskSet::at(&WorkerPool::new(rt.clone()), (0..2).map(body));
        rt.block_on(wait(&mut set));
    }),
    ("a consumer", |rt| {
        let results = each(0..1).unbounded().stream(async |_| {});
        rt.block_on(results.consume(async |_results| body(1).await));
    }),
    ("a scope", |rt| {
        let scope = scope(|scope| async move {
            scope.spawn(async { Ok(body(1).await) });
            Ok::<_, ()>(body(1).await)
        });
        rt.block_on(scope);
    }),
    ("a local scope", |rt| {
        let scope = local_scope(|scope| async move {
            scope.spawn(async { Ok(body(1).await) });
            Ok::<_, ()>(body(1).await)
        });
        rt.block_on(scope);
    }),
    ("a group", |rt| {
        let group = task_group(rt.clone(), async |group| {
            drop(group.spawn(async { Ok(body(1).await) }));
            Ok::<_, ()>(body(1).await)
        });
        rt.block_on(group);
    }),
    ("a task", |rt| rt.block_on(async { spawn(rt, body(1)).await })),
];

/// Programs with one level inside another.
const NESTED: &[(&str, Program)] = &[
    ("loops", |rt| rt.block_on(for_each(LOOPS))),
    ("loops that collect", |rt| rt.block_on(gather(LEVELS))),
    ("loops that may fail", |rt| rt.block_on(try_for_each(LEVELS))),
    ("loops with parent waker", |rt| rt.block_on(with_parent_waker(LEVELS))),
    ("streams", |rt| rt.block_on(stream(LEVELS))),
    ("scopes", |rt| rt.block_on(in_scope(SCOPES))),
    ("scopes of children", |rt| rt.block_on(in_child(LEVELS))),
];

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A function that runs this many levels, one inside another. The innermost waits, so that all are polled twice.
macro_rules! nested {
    ($name:ident, $rest:ident => $level:expr) => {
        fn $name(levels: usize) -> Boxed {
            Box::pin(async move {
                match levels.checked_sub(1) {
                    Some($rest) => drop($level),
                    None => yield_now().await,
                }
            })
        }
    };
}

nested!(for_each, rest => each([rest]).unbounded().for_each(for_each).await);
nested!(gather, rest => each([rest]).unbounded().gather(gather).await);
nested!(try_for_each, rest => {
    let body = async |rest| {
        try_for_each(rest).await;
        Ok::<(), ()>(())
    };
    each([rest]).unbounded().try_for_each(body).await
});
nested!(with_parent_waker, rest => {
    each([rest]).unbounded().with_parent_waker().gather(with_parent_waker).await
});
nested!(stream, rest => each([rest]).unbounded().stream(stream).count().await);
nested!(in_scope, rest => {
    scope(|_scope| async move {
        in_scope(rest).await;
        Ok::<(), ()>(())
    }).await
});
nested!(in_child, rest => {
    scope(|scope| async move {
        scope.spawn(async move {
            in_child(rest).await;
            Ok::<(), ()>(())
        });
        Ok(())
    })
    .await
});

/// A body that holds a large buffer while it waits.
async fn body(n: u8) -> u8 {
    let buffer = [n; BODY];
    yield_now().await;
    black_box(&buffer)[0]
}

/// Workers to which the loop pushes its bodies.
fn pushing(rt: &OneThread) -> PushPool<OneThread> {
    WorkerPool::new(rt.clone()).push_dispatch()
}

/// Wraps a body in nothing.
#[derive(Clone)]
struct Same;

impl<B: Body> Layer<B> for Same {
    type Layered = B;

    fn layer(&self, _attempt: Attempt, body: B) -> B {
        body
    }
}

type LocalTask = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static LOCAL_TASKS: RefCell<Vec<LocalTask>> = const { RefCell::new(Vec::new()) };
}

/// Runs tasks on the thread that blocks.
#[derive(Clone, Default)]
struct OneThread {
    tasks: Arc<Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>>>,
}

impl OneThread {
    fn block_on<T>(&self, future: impl Future<Output = T>) {
        let (mut future, mut tasks) = (pin!(future), LOCAL_TASKS.take());
        let cx = &mut Context::from_waker(Waker::noop());
        while future.as_mut().poll(cx).is_pending() {
            tasks.extend(LOCAL_TASKS.take());
            tasks.extend(self.tasks.lock().unwrap().drain(..).map(|task| task as LocalTask));
            tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        }
    }
}

impl Spawn for OneThread {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap().push(Box::pin(future));
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

impl SpawnBlocking for OneThread {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn(future);
    }
}

impl SpawnScoped<'static> for OneThread {
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn(future);
    }
}

impl SpawnLocal for OneThread {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        LOCAL_TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(future)));
    }
}
