//! The types of other crates than the core: simulations, timelines, remote bodies.

use std::future::Ready;
use std::rc::Rc;

use forloop::remote::{
    Bodies, Body as NamedBody, BodyId, BodyStatus, Call, CallContext, CallError, Delivery, End,
    EngineError, EngineFuture, Job, JobKey, Lease, Remote, RemoteError, RemoteJob, Run, RunStatus,
    RunningBody, Status, Submission, Work, WorkerStatus,
};
use forloop::sim::{
    Choices, Deadlock, Event, EventKind as SimEventKind, Explore, Explored, Failure as SimFailure,
    FailureCause, Jitter, Label, ParseChoicesError, Pending, RunError, Sim,
};
use forloop::smol::Smol;
use forloop::timeline::{
    AnyOutput, EventKind, Recorder, ResultOutput, Schedule, Timeline, Watched,
};
use forloop::*;

use crate::case::*;

pub(super) fn types() -> Vec<Case> {
    types! {
        // Simulation.
        Sim => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Jitter<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Choices => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ParseChoicesError => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Explore => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Explored => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Event => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Label => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SimEventKind => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        FailureCause => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SimFailure => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Deadlock => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Pending => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RunError => "Send Sync Unpin",

        // Remote bodies.
        Bodies => "Send Sync Unpin",
        NamedBody<Rc<u32>, Rc<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Call<u32, Rc<u32>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Call<Rc<u32>, u32> => "Unpin UnwindSafe RefUnwindSafe",
        CallError => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        BodyId => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Job => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        JobKey => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        End => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Delivery => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Lease => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Submission => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        EngineFuture<'static, u32> => "Send Unpin",
        EngineError => "Send Sync Unpin",
        RemoteError => "Send Sync Unpin",
        Remote => "Send Sync Unpin",
        Run => "Send Sync Unpin",
        RemoteJob<Rc<u32>, Rc<u32>> => "Send Sync Unpin",
        Work => "Send Sync Unpin",
        CallContext<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RunningBody => "Send Unpin",
        Status => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RunStatus => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        BodyStatus => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WorkerStatus => "Send Sync Unpin UnwindSafe RefUnwindSafe",

        // Timelines.
        Recorder => "Send Sync Unpin",
        Timeline => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Schedule => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        timeline::Event<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        EventKind => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Watched<Ready<u32>> => "Send Sync Unpin",
        Watched<std::future::Pending<Rc<u32>>, ResultOutput> => "Send Sync Unpin",
        AnyOutput => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ResultOutput => "Send Sync Unpin UnwindSafe RefUnwindSafe",
    }
}
