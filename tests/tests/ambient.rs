//! Loops find the clock around them, on every runtime.

use std::cell::Cell;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use forloop::async_std::AsyncStd;
use forloop::backon::{ConstantBuilder, ExponentialBuilder};
use forloop::sim::Sim;
use forloop::smol::Smol;
use forloop::timer::SystemTimer;
use forloop::tokio::{OwnedRuntime, Tokio};
use forloop::{
    AmbientTimer, BlockOn, Cause, Event, LocalTimer, LoopError, Outcome, Rate, SharedRate, TaskSet,
    Timer, ZeroLimit,
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A runtime of tokio's whose clock only advances when nothing can run.
fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

async fn never_fails(future: impl Future<Output = ()>) -> Result<(), ()> {
    future.await;
    Ok(())
}

/// Every option that needs a clock, with times that only a virtual clock shows at once.
async fn every_option_waits<F>(sleep: impl Fn(Duration) -> F) -> Result<(), ZeroLimit>
where
    F: Future<Output = ()>,
{
    let slow = forloop::each([MINUTE, 3 * MINUTE]).unbounded().timeout(2 * MINUTE);
    let slow = slow.settle(async |time| never_fails(sleep(time)).await).await;
    assert!(matches!(slow[..], [Outcome::Ok(()), Outcome::TimedOut]));

    let late = forloop::each([MINUTE, HOUR]).limit(2)?.deadline(2 * MINUTE);
    assert_eq!(late.gather(&sleep).await.unwrap_err().pending, [1]);

    let attempts = Cell::new(0);
    let retried = forloop::each([()]).sequential();
    let retried = retried.retry(ConstantBuilder::default().with_delay(MINUTE).with_max_times(2));
    let retried = retried.settle(async |()| {
        attempts.set(attempts.get() + 1);
        Err::<(), _>("again")
    });
    assert_eq!((retried.await.errors().count(), attempts.get()), (1, 3));

    let rated = forloop::each(0..3).unbounded().rate(Rate::new(1, MINUTE).unwrap());
    rated.for_each(async |_| ()).await;

    let staggered = forloop::each([HOUR, Duration::ZERO]).unbounded().stagger(MINUTE);
    assert_eq!(staggered.race(&sleep).await.unwrap().0, 1);

    let mut events = Vec::new();
    let observer = |at, event: &Event| events.push((at, event.clone()));
    forloop::each([MINUTE]).unbounded().observe(observer).for_each(&sleep).await;
    let at = |index: usize| events[index].0;
    assert!(MINUTE <= at(events.len() - 1) - at(0), "{events:?}");

    let mut set = TaskSet::new([sleep(HOUR)]);
    assert!(forloop::wait(&mut set).timeout(MINUTE).await.0.is_empty());

    let scope = forloop::scope(|_scope| never_fails(std::future::pending()));
    assert!(matches!(scope.deadline(MINUTE).await, Err(LoopError::TimedOut { .. })));
    Ok(())
}

#[test]
fn every_option_finds_the_clock_of_the_simulation() {
    let sim = Sim::new();
    let now = || sim.now();
    sim.block_on(every_option_waits(|time| sim.sleep(time))).unwrap();
    // timeout, deadline, two retries, two starts, stagger, observed body, wait, scope
    assert_eq!(now(), (2 + 2 + 2 + 2 + 1 + 1 + 1 + 1) * MINUTE);
}

#[test]
fn every_option_finds_the_clock_of_tokio() {
    let paused = paused();
    paused.block_on(async {
        let start = tokio::time::Instant::now();
        every_option_waits(tokio::time::sleep).await.unwrap();
        assert!(12 * MINUTE <= start.elapsed() && start.elapsed() < 13 * MINUTE);
    });
}

#[test]
fn a_group_of_tasks_finds_the_clock_of_its_runtime() {
    let sim = Sim::new();
    let group = forloop::task_group(&sim, |group| async move {
        group.spawn(never_fails(std::future::pending()));
        Ok::<(), ()>(())
    });
    assert!(matches!(sim.block_on(group.deadline(HOUR)), Err(LoopError::TimedOut { .. })));
    assert_eq!(sim.now(), HOUR);
}

#[test]
fn a_loop_that_is_made_outside_finds_the_clock_where_it_runs() {
    let looping = || forloop::each([()]).unbounded().deadline(HOUR);
    let endless = async |()| std::future::pending::<()>().await;

    let (made, sim) = (looping().gather(endless), Sim::new());
    assert_eq!(sim.block_on(made).unwrap_err().cause, Cause::TimedOut);
    assert_eq!(sim.now(), HOUR);

    let made = looping().gather(endless);
    assert_eq!(paused().block_on(made).unwrap_err().cause, Cause::TimedOut);

    let mut set = TaskSet::new([std::future::pending::<()>()]);
    let (wait, sim) = (forloop::wait(&mut set).timeout(HOUR), Sim::new());
    assert_eq!(sim.block_on(wait).1.len(), 1);
    assert_eq!(sim.now(), HOUR);
}

#[test]
fn the_innermost_simulation_is_the_one_around_the_loop() {
    let (outer, inner) = (Sim::new(), Sim::new());
    let late = async || {
        let looping = forloop::each([()]).unbounded().deadline(HOUR);
        assert!(looping.gather(async |()| std::future::pending::<()>().await).await.is_err());
    };
    outer.block_on(async {
        inner.block_on(late());
        assert_eq!((inner.now(), outer.now()), (HOUR, Duration::ZERO));
        late().await;
        assert_eq!((inner.now(), outer.now()), (HOUR, HOUR));
    });
}

#[test]
fn a_timer_finds_its_clock_once_and_its_clone_finds_another() {
    let sim = Sim::new();
    let timer = AmbientTimer::default();
    sim.block_on(async {
        timer.sleep_local(HOUR).await;
        assert_eq!(timer.now_local(), HOUR);
    });
    // Outside of the simulation.
    assert_eq!(timer.now_local(), HOUR);
    let other = Sim::new();
    other.block_on(async { assert_eq!(timer.clone().now_local(), Duration::ZERO) });
}

#[test]
fn a_timer_that_is_set_comes_before_the_clock_around_the_loop() {
    let (outer, set) = (Sim::new(), Sim::new());
    outer.block_on(async {
        let looping = forloop::each([()]).unbounded().timer(&set).deadline(Duration::MAX);
        looping.gather(async |()| ()).await.unwrap();
        let mut looping =
            pin!(forloop::each([()]).unbounded().timer(&set).deadline(HOUR).gather(async |()| {
                std::future::pending::<()>().await;
            }));
        // The clock of the other simulation advances only there.
        std::future::poll_fn(|cx| {
            assert!(looping.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        set.block_on(set.sleep(HOUR));
        assert_eq!(looping.await.unwrap_err().cause, Cause::TimedOut);
        assert_eq!(outer.now(), Duration::ZERO);
    });
}

#[test]
fn loops_share_a_rate_on_the_clock_around_them() {
    let sim = Sim::new();
    let api = SharedRate::new(Rate::new(1, MINUTE).unwrap());
    let looping = || forloop::each(0..2).unbounded().rate(&api).for_each(async |_| ());
    sim.block_on(async {
        looping().await;
        looping().await;
    });
    assert_eq!(sim.now(), 3 * MINUTE);
}

#[test]
fn on_every_runtime_and_on_none_a_loop_has_a_clock() {
    async fn late() -> Cause {
        let looping = forloop::each([()]).unbounded().deadline(Duration::from_millis(1));
        looping.gather(async |()| std::future::pending::<()>().await).await.unwrap_err().cause
    }

    let [one, many] =
        [OwnedRuntime::current_thread().unwrap(), OwnedRuntime::multi_thread(None).unwrap()];
    for cause in [
        one.block_on(late()),
        many.block_on(late()),
        many.block_on(async { forloop::spawn(&many.runtime(), late()).await.unwrap() }),
        Smol.block_on(late()),
        Smol.block_on(async { forloop::spawn(&Smol, late()).await.unwrap() }),
        AsyncStd.block_on(late()),
        forloop::block_on(late()),
        Sim::new().block_on(late()),
    ] {
        assert_eq!(cause, Cause::TimedOut);
    }
}

#[test]
fn bodies_on_workers_and_tasks_time_out_by_the_clock_around_the_loop() {
    let sim = Sim::new();
    let endless = |_| std::future::pending::<()>();
    sim.block_on(async {
        let workers = forloop::each(0..9).limit(4).unwrap().on_workers(sim.clone()).timeout(MINUTE);
        assert_eq!(workers.gather(endless).await.len(), 9);
        let tasks = forloop::each(0..9).unbounded().on(sim.clone()).timeout(MINUTE);
        assert_eq!(tasks.gather(endless).await.len(), 9);
    });
    assert_eq!(sim.now(), 4 * MINUTE);
}

#[test]
fn without_a_runtime_the_clock_is_the_systems() {
    let timer = AmbientTimer::default();
    let before = SystemTimer.now();
    let now = timer.now_local();
    assert!(before <= now && now <= SystemTimer.now());
    assert!(Tokio::current().is_err());
}

/// The job of the README, as it is there.
async fn crawl<F>(urls: &[&str], fetch: impl Fn(String) -> F) -> Result<Vec<usize>, ZeroLimit>
where
    F: Future<Output = std::io::Result<String>>,
{
    let pages = forloop::each(urls)
        .limit(50)?
        .limit_by(|url| url.split('/').nth(2), 8)?
        .timeout(Duration::from_secs(2))
        .retry(ExponentialBuilder::default().with_max_times(3).with_jitter())
        .settle(async |url| fetch((*url).to_owned()).await)
        .await;
    let timed_out =
        |(index, page): (usize, &Outcome<_, _>)| matches!(page, Outcome::TimedOut).then_some(index);
    Ok(pages.iter().enumerate().filter_map(timed_out).collect())
}

#[test]
fn the_job_of_the_readme_is_simulated_without_a_change() {
    let urls = ["https://a.example/1", "https://a.example/slow", "https://b.example/1"];
    forloop::sim::check(100, |sim| async move {
        let fetch = |url: String| {
            let sim = sim.clone();
            async move {
                sim.sleep(if url.ends_with("slow") { HOUR } else { Duration::ZERO }).await;
                Ok(url)
            }
        };
        assert_eq!(crawl(&urls, fetch).await, Ok(vec![1]));
        // Four attempts of two seconds each, and three delays.
        assert!(Duration::from_secs(8) < sim.now() && sim.now() < MINUTE);
    });
}
