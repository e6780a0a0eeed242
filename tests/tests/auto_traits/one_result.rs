//! The strategies that make one result of all outputs.

use std::future::Ready;
use std::rc::Rc;

use forloop::smol::Smol;
use forloop::types::*;
use forloop::*;

use crate::bodies::{rc, send};
use crate::case::*;

fn vector<F: Future<Output = Vec<u32>>>(future: F) -> F {
    future
}

fn tried<F: Future<Output = Result<Vec<u32>, LoopError<String>>>>(future: F) -> F {
    future
}

pub(super) fn rows() -> Vec<Case> {
    values! {
        // In the caller's task, over bodies that are `Send`.
        vector(in_task().collect(send::value)) => "Send Sync Unpin",
        tried(in_task().try_collect(send::result)) => "Send Sync Unpin",
        in_task().extend(some::<&mut Vec<u32>>(), send::value) => "Send Sync Unpin",
        in_task().fold(0, send::value, |sum, (_, n)| sum + n) => "Send Sync Unpin",
        in_task().try_fold(0, send::result, |sum, (_, n)| sum + n) => "Send Sync Unpin",
        in_task().filter_map(send::option) => "Send Sync Unpin",
        in_task().try_filter_map(send::try_option) => "Send Sync Unpin",
        in_task().first_ok(2, send::result) => "Send Sync Unpin",

        // Over bodies that are not `Send`.
        vector(in_task().collect(rc::value)) => "Unpin",
        tried(in_task().try_collect(rc::result)) => "Unpin",
        in_task().extend(some::<&mut Vec<u32>>(), rc::value) => "Unpin",
        in_task().fold(0, rc::value, |sum, (_, n)| sum + n) => "Unpin",
        in_task().try_fold(0, rc::result, |sum, (_, n)| sum + n) => "Unpin",
        in_task().filter_map(rc::option) => "Unpin",
        in_task().try_filter_map(rc::try_option) => "Unpin",
        in_task().first_ok(2, rc::result) => "Unpin",

        // Spawned: the loop holds handles only.
        vector(spawned().collect(send::value)) => "Send Sync Unpin",
        tried(spawned().try_collect(send::result)) => "Send Sync Unpin",
        spawned().extend(some::<&mut Vec<u32>>(), send::value) => "Send Sync Unpin",
        spawned().fold(0, send::value, |sum, (_, n)| sum + n) => "Send Sync Unpin",
        spawned().try_fold(0, send::result, |sum, (_, n)| sum + n) => "Send Sync Unpin",
        spawned().filter_map(send::option) => "Send Sync Unpin",
        spawned().try_filter_map(send::try_option) => "Send Sync Unpin",
        spawned().first_ok(2, send::result) => "Send Sync Unpin",

        // Bodies whose failures carry their items.
        with_item(send::result)(1) => "Send Sync UnwindSafe RefUnwindSafe",
        in_task().settle(with_item(send::result)) => "Send Sync Unpin",
        in_task().try_gather(with_item(rc::result)) => "Unpin",

        // Signals.
        ctrl_c() => "Send Sync Unpin",

        // Children that signal that they are ready.
        some::<&Group<Smol, String>>().start(|_: ReadySignal<u32>| send::result(1)) => "Send Sync Unpin",
        some::<&Scope<'static, String>>().start(|_: ReadySignal<u32>| send::result(1)) => "Send Sync Unpin",
        some::<&LocalScope<'static, String>>().start(|_: ReadySignal<u32>| rc::result(1)) => "Unpin",
    }
}

pub(super) fn types() -> Vec<Case> {
    types! {
        WithItem<Ready<Result<u32, String>>, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithItem<Ready<Result<u32, String>>, Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        ItemError<u32, String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ItemError<Rc<u32>, String> => "Unpin UnwindSafe RefUnwindSafe",
        CtrlC => "Send Sync Unpin UnwindSafe RefUnwindSafe",
    }
}
