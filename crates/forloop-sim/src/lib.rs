//! A deterministic runtime for forloop: nothing is left to luck, and nobody waits.
#![forbid(unsafe_code)]

mod event;
mod explore;
mod failure;
mod jitter;
mod quiet;
mod run;
mod runtime;
mod schedule;
mod search;
mod stuck;
mod way;
mod world;

pub use crate::event::{Event, Label, What};
pub use crate::explore::{Explore, Explored, Verdict, agree, check, replay};
pub use crate::failure::{Cause, Failure};
pub use crate::jitter::Jitter;
pub use crate::run::{NoRun, run};
pub use crate::runtime::Sim;
pub use crate::schedule::{Choices, NoChoices};
pub use crate::stuck::{Deadlock, Pending};
