//! The types of the testing tools: simulations and timelines.

use std::future::Ready;
use std::rc::Rc;

use forloop::sim::{
    Cause as SimCause, Choices, Deadlock, Event, EventKind as SimEventKind, Explore, Explored,
    Failure as SimFailure, Jitter, Label, NoChoices, NoRun, Pending, Sim,
};
use forloop::smol::Smol;
use forloop::timeline::{AnyOutput, EventKind, Recorder, ResultOutput, Timeline, Watched};
use forloop::*;

use crate::case::*;

pub(super) fn types() -> Vec<Case> {
    types! {
        // Simulation.
        Sim => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Jitter<Smol> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Choices => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoChoices => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Explore => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Explored => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Event => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Label => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SimEventKind => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SimCause => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SimFailure => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Deadlock => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Pending => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoRun => "Send Sync Unpin",

        // Timelines.
        Recorder => "Send Sync Unpin",
        Timeline => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        timeline::Event<'static> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        EventKind => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Watched<Ready<u32>> => "Send Sync Unpin",
        Watched<std::future::Pending<Rc<u32>>, ResultOutput> => "Send Sync Unpin",
        AnyOutput => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ResultOutput => "Send Sync Unpin UnwindSafe RefUnwindSafe",
    }
}
