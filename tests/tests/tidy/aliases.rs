//! The words of other libraries: a search in the documentation for each of them finds the items that answer it.

use std::collections::BTreeSet;

use crate::workspace::sources;

/// Each item, and the words of others for it: its `doc(alias)`es. A method and a function of one name are one item.
///
/// The words are those of asyncio, trio, tokio, futures, futures-concurrency, rayon, JavaScript, p-map, Kotlin and Go.
const ALIASES: &[(&str, &[&str])] = &[
    ("adjust", &["retry_after"]),
    ("as_completed", &["buffer_unordered", "FuturesUnordered"]),
    ("cancel", &["abort_all", "shutdown"]),
    ("cancel_handle", &["abort_handle"]),
    ("cancel_on", &["abort", "AbortSignal", "CancellationToken", "select", "take_until"]),
    ("CancelHandle", &["AbortHandle"]),
    ("CancelToken", &["AbortController", "CancellationToken"]),
    ("catch_panics", &["catch_unwind"]),
    ("chunks", &["batch", "batched", "chunks_timeout", "ready_chunks"]),
    ("collect", &["buffered"]),
    ("ctrl_c", &["graceful shutdown", "SIGINT"]),
    ("deadline", &["move_on_after", "timeout_at"]),
    ("drain_on", &["ctrl_c", "graceful shutdown", "shutdown"]),
    ("each", &["map_concurrent", "p-map", "parallel map"]),
    ("each_stream", &["buffer_unordered", "map_concurrent"]),
    ("filter_map", &["filter", "pMapSkip"]),
    ("first_completed", &["FIRST_COMPLETED"]),
    ("first_failure", &["FIRST_EXCEPTION"]),
    ("first_ok", &["quorum", "select_ok"]),
    ("fold", &["reduce"]),
    ("for_each", &["for_each_concurrent"]),
    ("gather", &["buffered", "join", "join_all", "map_concurrent", "p-map", "Promise.all"]),
    ("hedge", &["backup_request", "hedged", "hedged_requests", "speculative_execution"]),
    ("limit", &["buffer_unordered", "concurrency", "p-limit", "Semaphore"]),
    ("limit_by", &["bulkhead"]),
    ("limit_by_ref", &["bulkhead"]),
    ("local_scope", &["LocalSet", "moro", "nursery"]),
    ("observe", &["metrics", "progress bar"]),
    ("on", &["spawn", "spawn_on"]),
    ("on_blocking", &["run_in_executor", "spawn_blocking", "to_thread"]),
    ("on_failure", &["inspect_err", "notify", "on_error", "tap_error"]),
    ("on_local", &["spawn_local"]),
    ("on_scoped", &["par_iter", "rayon"]),
    ("on_workers", &["ThreadPoolExecutor", "worker pool"]),
    ("outcome", &["catch_unwind", "JoinError"]),
    ("parallel", &["rayon", "std::thread::scope"]),
    ("race", &["Promise.race", "select", "select_all"]),
    ("race_ok", &["any", "hedge", "Promise.any", "select_ok"]),
    ("rate", &["governor", "interval", "rate limiter", "throttle"]),
    ("ReadySignal", &["task_status"]),
    ("request_cancel", &["abort"]),
    ("retry", &["backoff", "exponential backoff"]),
    ("run", &["block_on", "tokio::main"]),
    ("scope", &["coroutineScope", "moro", "nursery", "TaskGroup"]),
    ("settle", &["allSettled", "Promise.allSettled", "return_exceptions"]),
    ("shared_limit", &["bulkhead", "semaphore"]),
    ("SharedRate", &["governor", "rate limiter", "token bucket"]),
    ("spawn", &["create_task", "ensure_future"]),
    ("split", &["except*"]),
    ("stagger", &["happy_eyeballs"]),
    ("stop_on_counts", &["circuit breaker"]),
    ("stream", &["buffered", "FuturesOrdered"]),
    (
        "stream_unordered",
        &["buffer_unordered", "FuturesUnordered", "merge", "try_buffer_unordered"],
    ),
    ("supervised", &["SupervisorJob", "supervisorScope"]),
    ("Task", &["JoinHandle"]),
    ("task_group", &["errgroup", "JoinSet", "nursery", "TaskGroup", "TaskTracker", "WaitGroup"]),
    ("task_list", &["create_task", "spawn_all"]),
    ("TaskSet", &["FutureGroup", "FuturesUnordered", "JoinMap", "JoinSet"]),
    ("timeout", &["AbortSignal.timeout", "wait_for"]),
    ("try_collect", &["try_buffered"]),
    ("try_fold", &["try_reduce"]),
    ("try_for_each", &["try_for_each_concurrent"]),
    (
        "try_gather",
        &["Promise.all", "try_buffered", "try_join", "try_join_all", "try_map_concurrent"],
    ),
    ("until", &["abortable", "run_until_cancelled", "select", "take_until"]),
    ("wait", &["asyncio.wait", "join_next"]),
    ("weight_by", &["semaphore"]),
    ("within", &["chunks_timeout", "interval"]),
    ("WorkQueue", &["crawler", "recursive", "task_done", "tree walk"]),
];

/// The items of a file that have an alias, with the alias.
fn aliases(source: &str) -> Vec<(String, String)> {
    let (mut found, mut words) = (Vec::new(), Vec::new());
    for line in source.lines().map(str::trim) {
        let word = line.strip_prefix("#[doc(alias = \"").and_then(|rest| rest.strip_suffix("\")]"));
        let item = ["pub fn ", "pub struct ", "pub enum ", "pub trait "]
            .iter()
            .find_map(|kind| line.strip_prefix(kind));
        if let Some(word) = word {
            words.push(word.to_owned());
        } else if let Some(item) = item {
            let end = item.find(|next: char| !next.is_alphanumeric() && next != '_');
            let name = &item[..end.unwrap_or(item.len())];
            found.extend(words.drain(..).map(|word| (name.to_owned(), word)));
        }
    }
    assert!(words.is_empty(), "aliases without an item: {words:?}");
    found
}

#[test]
fn every_word_of_others_is_an_alias_of_the_items_that_answer_it() {
    let sources = sources();
    let in_sources: BTreeSet<_> = sources
        .iter()
        .filter(|(path, _)| path.starts_with("crates/"))
        .flat_map(|(_, source)| aliases(source))
        .collect();
    let listed: BTreeSet<_> = ALIASES
        .iter()
        .flat_map(|(item, words)| words.iter().map(|word| ((*item).to_owned(), (*word).to_owned())))
        .collect();
    let missing: Vec<_> = listed.difference(&in_sources).collect();
    assert!(missing.is_empty(), "listed, and not in the sources: {missing:?}");
    let unlisted: Vec<_> = in_sources.difference(&listed).collect();
    assert!(unlisted.is_empty(), "in the sources, and not listed: {unlisted:?}");
}
