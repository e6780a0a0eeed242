//! The library of `crawl` and `crawl_compared`: a site on loopback, a client, and a summary.
//!
//! It contains everything but the loop over the URLs, so that the loops can be read and compared by
//! themselves.

#![forbid(unsafe_code)]

mod answer;
mod client;
mod error;
mod hosts;
mod meter;
mod options;
mod plan;
mod site;
mod sockets;
mod tally;
mod url;

pub use client::{Client, Page};
pub use error::{BadUrl, FetchError};
pub use hosts::Hosts;
pub use meter::{Meter, open_files, peak_memory, resident_memory};
pub use options::{HELP, Job, Options, Source};
pub use plan::{BadMix, Kind, Mix, Plan};
pub use site::Site;
pub use sockets::Sockets;
pub use tally::{End, Tally};
pub use url::Url;
