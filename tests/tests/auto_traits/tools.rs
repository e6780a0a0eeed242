//! The types of the testing tools: simulations and timelines.

use std::future::Ready;
use std::rc::Rc;

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
