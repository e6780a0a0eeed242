//! `local:`: the bodies run in this process, and their values pass through serde, too.

use std::time::Duration;

use forloop_core::{BlockOn, LoopError, Outcome, Runtime, Timer, each};
use forloop_remote::{Bodies, Body, CallError, OnRemote, Remote, RemoteError, Run};
use forloop_sim::Sim;
use serde::{Deserialize, Serialize};

const HALF: Body<u64, u64, String> = Body::named("half", 1);
const SLEEP: Body<u64, u64> = Body::named("sleep", 1);
const TEXT: Body<String, String> = Body::named("text", 1);
const ODD: Body<Odd, u64> = Body::named("odd", 1);
const HALF_OF_TEXT: Body<String, u64, String> = Body::named("half", 1);
const HALF_AS_TEXT: Body<u64, String, String> = Body::named("half", 1);
const UNKNOWN: Body<u64, u64> = Body::named("unknown", 3);

/// JSON has no maps with such keys.
#[derive(Serialize, Deserialize)]
struct Odd(std::collections::BTreeMap<Vec<u64>, u64>);

fn bodies(runtime: impl Runtime) -> Bodies {
    Bodies::new()
        .payload_limit(100)
        .with(HALF, |n: u64| async move {
            assert_ne!(n, 7, "seven");
            if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
        })
        .with(SLEEP, move |ms| {
            let runtime = runtime.clone();
            async move {
                runtime.sleep(Duration::from_millis(ms)).await;
                Ok(ms)
            }
        })
        .with(TEXT, |text: String| async move { Ok(text.repeat(10)) })
        .with(ODD, |_| async { Ok(0) })
}

/// Runs a program that has a run.
fn with_run<F: Future>(program: impl FnOnce(Sim, Run) -> F) -> F::Output {
    let sim = Sim::new();
    sim.block_on(async {
        let remote = Remote::connect(&sim, "local:", &bodies(sim.clone())).await.unwrap();
        let run = remote.run("test").await.unwrap();
        program(sim.clone(), run).await
    })
}

#[test]
fn the_outcomes_are_those_of_the_loop_with_closures() {
    let settled = with_run(|_, run| async move {
        let items = each([2, 3, 7, 8]).limit(2).unwrap().catch_panics();
        items.on_remote(&run).settle(|n| HALF.call(n)).await.into_vec()
    });
    assert_eq!(settled[0], Outcome::Ok(1));
    assert_eq!(settled[1], Outcome::Err("3 is odd".to_owned()));
    let Outcome::Panicked(panic) = &settled[2] else { panic!("{:?}", settled[2]) };
    assert!(panic.message().unwrap().contains("seven"), "{panic}");
    assert_eq!(settled[3], Outcome::Ok(4));
}

#[test]
fn a_wrapper_receives_each_call_with_its_context_and_its_panics_are_those_of_the_body() {
    use std::sync::{Arc, Mutex};
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = calls.clone();
    let sim = Sim::new();
    let bodies = bodies(sim.clone()).around(move |call, body| {
        assert_ne!(call.context, "context of 2.1", "refused");
        let line = format!("{} {} {} {:?}", call.body, call.key, call.context, call.worker);
        log.lock().unwrap().push(line);
        body
    });
    let settled = sim.block_on(async {
        let remote = Remote::connect(&sim, "local:", &bodies).await.unwrap();
        let run = remote.run("test").await.unwrap();
        let run = run.context(|key| match key.index {
            // Above its limit.
            1 => "long ".repeat(1_000),
            _ => format!("context of {key}"),
        });
        let items = each([2, 4, 6]).limit(1).unwrap().catch_panics();
        items.on_remote(&run).settle(|n| HALF.call(n)).await.into_vec()
    });
    assert_eq!(settled[..2], [Outcome::Ok(1), Outcome::Ok(2)]);
    let Outcome::Panicked(panic) = &settled[2] else { panic!("{:?}", settled[2]) };
    assert!(panic.message().unwrap().contains("refused"), "{panic}");
    assert_eq!(*calls.lock().unwrap(), ["half@1 0.1 context of 0.1 None", "half@1 1.1  None"]);
}

#[test]
fn a_limit_and_a_time_out_are_those_of_the_loop() {
    let (outcomes, elapsed) = with_run(|sim, run| async move {
        let start = sim.now();
        let items =
            each([30, 10, 20]).limit(2).unwrap().timer(&sim).timeout(Duration::from_millis(25));
        let outcomes = items.on_remote(&run).settle(|ms| SLEEP.call(ms)).await.into_vec();
        (outcomes, sim.now() - start)
    });
    assert_eq!(outcomes, [Outcome::TimedOut, Outcome::Ok(10), Outcome::Ok(20)]);
    // The first runs from 0 to 25, the others from 0 to 10 and from 10 to 30.
    assert_eq!(elapsed, Duration::from_millis(30));
}

#[test]
fn a_failure_stops_the_bodies_that_run() {
    let (error, elapsed) = with_run(|sim, run| async move {
        let start = sim.now();
        let call = |n: u64| if n == 0 { HALF.call(1) } else { HALF.call(n) };
        let error = each([2, 0]).unbounded().on_remote(&run).try_gather(call).await.unwrap_err();
        (error, sim.now() - start)
    });
    assert_eq!(error.first().unwrap().error, "1 is odd");
    assert_eq!(elapsed, Duration::ZERO);
}

#[test]
fn a_deadline_stops_the_bodies_that_run() {
    let interrupted = with_run(|sim, run| async move {
        let items = each([5, 3_600_000]).unbounded().timer(&sim).deadline(Duration::from_secs(1));
        items.on_remote(&run).gather(|ms| SLEEP.call(ms)).await.unwrap_err()
    });
    assert_eq!(interrupted.ready, [Outcome::Ok(Ok(5)), Outcome::TimedOut]);
}

#[test]
fn a_payload_beyond_the_limit_is_an_error_of_its_item() {
    let items = ["short".to_owned(), "x".repeat(99), "twenty characters..".to_owned()];
    let outcomes = with_run(|_, run| async move {
        each(items).unbounded().on_remote(&run).settle(|text| TEXT.call(text)).await.into_vec()
    });
    assert!(outcomes[0].is_ok());
    let too_large = |outcome: &Outcome<String, CallError>| match outcome {
        Outcome::Err(CallError::TooLarge { bytes, limit, .. }) => (*bytes, *limit),
        other => panic!("{other:?}"),
    };
    assert_eq!(too_large(&outcomes[1]), (101, 100), "the item");
    assert_eq!(too_large(&outcomes[2]), (192, 100), "what the body returned");
}

#[test]
fn a_value_that_does_not_encode_or_decode_is_an_error_of_its_item() {
    with_run(|_, run| async move {
        let odd = Odd([(vec![1], 2)].into());
        let one = each([odd]).unbounded().on_remote(&run).settle(|odd| ODD.call(odd)).await;
        assert!(matches!(&one[0], Outcome::Err(CallError::Encode(_))), "{one:?}");

        let text = || each(["2".to_owned()]).unbounded().on_remote(&run);
        let item = text().settle(|text| HALF_OF_TEXT.call(text)).await;
        let Outcome::Err(error) = &item[0] else { panic!("{item:?}") };
        assert!(error.starts_with("a value cannot be decoded: invalid type: string"), "{error}");

        let value = each([2]).unbounded().on_remote(&run).settle(|n| HALF_AS_TEXT.call(n)).await;
        let Outcome::Err(error) = &value[0] else { panic!("{value:?}") };
        assert!(error.starts_with("a value cannot be decoded: invalid type: integer"), "{error}");
    });
}

#[test]
fn a_body_that_no_worker_has_is_an_error_with_those_that_there_are() {
    let outcomes = with_run(|_, run| async move {
        each([1]).unbounded().on_remote(&run).settle(|n| UNKNOWN.call(n)).await.into_vec()
    });
    let Outcome::Err(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(
        error.to_string(),
        "no worker serves unknown@3; served: half@1, odd@1, sleep@1, text@1"
    );
}

#[test]
fn a_panic_propagates_to_the_caller_where_panics_are_not_caught() {
    let caught = std::panic::catch_unwind(|| {
        with_run(|_, run| async move {
            each([7]).unbounded().on_remote(&run).gather(|n| HALF.call(n)).await
        })
    });
    let message = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("seven"), "{message}");
}

#[test]
fn an_unknown_scheme_and_a_bad_name_are_errors_and_a_url_is_not_printed() {
    let sim = Sim::new();
    sim.block_on(async {
        let error =
            Remote::connect(&sim, "nats://me:secret@host", &Bodies::new()).await.unwrap_err();
        assert!(matches!(&error, RemoteError::UnknownScheme { scheme, .. } if scheme == "nats"));
        assert!(!format!("{error} {error:?}").contains("secret"));
        let remote = Remote::connect(&sim, "local:", &Bodies::new()).await.unwrap();
        for name in ["", "a b", "a:b", "{a}", &"x".repeat(201)] {
            assert!(matches!(remote.run(name).await, Err(RemoteError::RunName(_))), "{name}");
        }
        assert!(matches!(remote.work(), Err(RemoteError::LocalWorker)));
        remote.run("crawl-2026.11_x").await.unwrap().forget().await.unwrap();
    });
}

#[test]
fn a_call_outside_of_a_remote_loop_says_where_it_runs() {
    let caught = std::panic::catch_unwind(|| {
        Sim::new().block_on(async { each([2]).unbounded().gather(|n| HALF.call(n)).await })
    });
    let message = caught.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(*message, "a call of the body half@1 runs in a loop `.on_remote(&run)` only");
}

#[test]
fn the_loop_runs_on_each_runtime() {
    async fn squares(runtime: impl Runtime) -> Result<Vec<u64>, LoopError<CallError>> {
        let sleeping = bodies(runtime.clone());
        let remote = Remote::connect(&runtime, "local:", &sleeping).await.unwrap();
        let run = remote.run("all").await.unwrap();
        each([3, 1, 2]).unbounded().on_remote(&run).try_gather(|ms| SLEEP.call(ms)).await
    }
    let smol = forloop_smol::Smol;
    assert_eq!(smol.block_on(squares(smol)).unwrap(), [3, 1, 2]);
    let async_std = forloop_async_std::AsyncStd;
    assert_eq!(async_std.block_on(squares(async_std)).unwrap(), [3, 1, 2]);
    let tokio = forloop_tokio::OwnedRuntime::multi_thread(None).unwrap();
    assert_eq!(tokio.block_on(squares(tokio.runtime())).unwrap(), [3, 1, 2]);
}
