//! The contract of an engine on each runtime, what it leaves, and how a connection is refused.

use forloop_core::{BlockOn, Runtime, Timer, each};
use forloop_remote::{Bodies, Body, End, EngineError, Job, JobKey, OnRemote, Remote, RemoteError};
use forloop_smol::Smol;

use crate::engine::Contract;
use crate::server::Server;

const SQUARE: Body<u64, u64> = Body::named("a square, with spaces", 1);

fn bodies() -> Bodies {
    Bodies::new().with(SQUARE, |n: u64| async move { Ok(n * n) })
}

async fn check_contract(runtime: impl Runtime, server: &Server) {
    let remote = Remote::connect(&runtime, &server.url(), &Bodies::new()).await.unwrap();
    let engine = remote.engine().unwrap();
    Contract { engine, clock: runtime, lease: std::time::Duration::from_millis(1_500) }
        .check()
        .await;
    let left = server.keys();
    let lasting = ["bodies", "deaths", "served"];
    let is_lasting = |key: &str| key.starts_with("jobs:") || lasting.contains(&key);
    let is_lasting = |key: &String| is_lasting(key.trim_start_matches("{forloop}:"));
    assert!(left.iter().all(is_lasting), "{left:?}");
}

#[test]
fn the_engine_keeps_its_contract_on_smol() {
    let Some(server) = Server::start() else { return };
    Smol.block_on(check_contract(Smol, &server));
}

#[test]
fn the_engine_keeps_its_contract_on_tokio() {
    let Some(server) = Server::start() else { return };
    let tokio = forloop_tokio::OwnedRuntime::current_thread().unwrap();
    tokio.block_on(check_contract(tokio.runtime(), &server));
}

#[test]
fn the_engine_keeps_its_contract_on_async_std() {
    let Some(server) = Server::start() else { return };
    let async_std = forloop_async_std::AsyncStd;
    async_std.block_on(check_contract(async_std, &server));
}

async fn squares(runtime: impl Runtime, url: String) -> Vec<u64> {
    let remote = Remote::connect(&runtime, &url, &bodies()).await.unwrap();
    let work = remote.work().unwrap().limit(50).unwrap();
    let worker = forloop_core::spawn(&runtime, work.run());
    let run = remote.run("squares").await.unwrap();
    let items = each(0..2_000).limit(300).unwrap().on_remote(&run);
    let squares = items.try_gather(|n| SQUARE.call(n)).await.unwrap();
    run.forget().await.unwrap();
    drop(worker);
    squares
}

#[test]
fn a_loop_over_redis_has_the_answer_of_the_local_loop_on_each_runtime() {
    let Some(server) = Server::start() else { return };
    let expected: Vec<_> = (0..2_000).map(|n| n * n).collect();
    assert_eq!(Smol.block_on(squares(Smol, server.url())), expected);
    let async_std = forloop_async_std::AsyncStd;
    assert_eq!(async_std.block_on(squares(async_std, server.url())), expected);
    let tokio = forloop_tokio::OwnedRuntime::multi_thread(None).unwrap();
    assert_eq!(tokio.block_on(squares(tokio.runtime(), server.url())), expected);
    assert_eq!(server.command(&[b"XLEN", b"{forloop}:jobs:a square, with spaces@1"]), ":0\r\n");
}

#[test]
fn a_worker_receives_the_context_of_the_producer_and_its_own_name() {
    let Some(server) = Server::start() else { return };
    let (calls, receiver) = std::sync::mpsc::channel();
    let bodies = bodies().around(move |call, body| {
        let line = format!("{} {} {:?}", call.key, call.context, call.worker);
        calls.send(line).unwrap();
        body
    });
    Smol.block_on(async {
        let remote = Remote::connect(&Smol, &server.url(), &bodies).await.unwrap();
        let worker = forloop_core::spawn(&Smol, remote.work().unwrap().named("north").run());
        let run = remote.run("squares").await.unwrap().context(|key| format!("trace {key}"));
        let items = each([3]).limit(1).unwrap().on_remote(&run);
        assert_eq!(items.try_gather(|n| SQUARE.call(n)).await.unwrap(), [9]);
        drop(worker);
    });
    assert_eq!(receiver.recv().unwrap(), "0.1 trace 0.1 Some(\"north\")");
}

#[test]
fn a_server_that_evicts_keys_is_refused() {
    let options = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = Server::start_with(&options) else { return };
    let error = Smol.block_on(Remote::connect(&Smol, &server.url(), &Bodies::new())).unwrap_err();
    assert!(error.to_string().contains("`maxmemory-policy` is `allkeys-lru`"), "{error}");
}

#[test]
fn a_password_is_used_and_printed_nowhere() {
    let Some(server) = Server::start_with(&["--requirepass", "open-sesame"]) else { return };
    let url = server.url().replace("://", "://:open-sesame@");
    let remote = Smol.block_on(Remote::connect(&Smol, &url, &Bodies::new())).unwrap();
    assert!(!format!("{remote:?}").contains("sesame"));

    let wrong = server.url().replace("://", "://:close-barley@");
    let error = Smol.block_on(Remote::connect(&Smol, &wrong, &Bodies::new())).unwrap_err();
    assert!(matches!(error, RemoteError::Engine(EngineError::Refused(_))), "{error:?}");
    let none = Smol.block_on(Remote::connect(&Smol, &server.url(), &Bodies::new())).unwrap_err();
    let unread = Smol.block_on(Remote::connect(&Smol, "redis://a:barley@b:c", &Bodies::new()));
    for error in [error, none, unread.unwrap_err()] {
        let printed = format!("{error} {error:#} {error:?}");
        assert!(!printed.contains("barley") && !printed.contains("sesame"), "{printed}");
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("redis://127.0.0.1:{port}");
    let error = Smol.block_on(Remote::connect(&Smol, &url, &Bodies::new())).unwrap_err();
    assert!(matches!(error, RemoteError::Engine(EngineError::Unavailable(_))), "{error:?}");
}

#[test]
fn a_worker_that_has_ended_is_no_consumer_any_more_after_a_while() {
    let Some(server) = Server::start() else { return };
    let consumers = || {
        let stream = format!("{{forloop}}:jobs:{}", SQUARE.id());
        let list = server.command(&[b"XINFO", b"CONSUMERS", stream.as_bytes(), b"w"]);
        list.matches("$4\r\nname\r\n").count()
    };
    Smol.block_on(async {
        let remote = Remote::connect(&Smol, &server.url(), &bodies()).await.unwrap();
        let (engine, lease) = (remote.engine().unwrap(), std::time::Duration::from_millis(100));
        let ids = bodies().ids();
        assert!(engine.hold("run", "producer", lease * 100, None).await.unwrap());
        for (index, worker) in (0..).zip(["one", "two", "three"]) {
            let job = Job::new(JobKey { index, attempt: 1 }, ids[0].clone(), false, b"1".to_vec());
            engine.submit("run", "producer", &[job.into()]).await.unwrap();
            let taken = engine.take(worker, &ids, 1, lease, lease).await.unwrap();
            engine.complete(worker, &[(taken[0].id.clone(), End::Lost)]).await.unwrap();
        }
        assert_eq!(consumers(), 3);
        // The last one lives.
        let start = Smol.now();
        while consumers() > 1 {
            engine.take("three", &ids, 1, lease, lease).await.unwrap();
            engine.reclaim("three", &ids, 1, lease).await.unwrap();
            assert!(Smol.now() - start < std::time::Duration::from_secs(60));
        }
    });
}

/// The access list of the README.
fn access_list() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, list) = readme.split_once("```text\nACL SETUSER").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let words = ["ACL", "SETUSER"].into_iter().chain(list.split_whitespace());
    words.map(|word| word.replace(">PASSWORD", ">open-sesame")).collect()
}

#[test]
fn a_user_with_the_access_list_of_the_readme_may_do_all_and_no_more() {
    let Some(server) = Server::start() else { return };
    let words = access_list();
    let words: Vec<_> = words.iter().map(String::as_bytes).collect();
    assert_eq!(server.command(&words), "+OK\r\n");
    let url = server.url().replace("://", "://forloop:open-sesame@");
    let expected: Vec<_> = (0..2_000).map(|n| n * n).collect();
    assert_eq!(Smol.block_on(squares(Smol, url.clone())), expected);
    Smol.block_on(async {
        let remote = Remote::connect(&Smol, &url, &Bodies::new()).await.unwrap();
        let lease = std::time::Duration::from_millis(1_500);
        Contract { engine: remote.engine().unwrap(), clock: Smol, lease }.check().await;
        remote.status().await.unwrap();
    });
    let dry_run =
        |command: &[u8], key: &[u8]| server.command(&[b"ACL", b"DRYRUN", b"forloop", command, key]);
    assert!(dry_run(b"GET", b"another").contains("no permissions"));
    assert!(dry_run(b"FLUSHALL", b"SYNC").contains("no permissions"));
}
