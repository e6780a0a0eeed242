//! What the programs `crawl` and `crawl_compared` share: a site on loopback, a client, and a summary.
//!
//! Everything but the loop over the URLs is here, so that the loop can be read, and compared, alone.

#![forbid(unsafe_code)]

mod answer;
mod client;
mod error;
mod meter;
mod options;
mod plan;
mod site;
mod sockets;
mod tally;
mod url;

pub use client::{Client, Page};
pub use error::{BadUrl, FetchError};
pub use meter::{Meter, open_files, peak_memory, resident_memory};
pub use options::{HELP, Job, Options, Source};
pub use plan::{BadMix, Kind, Mix, Plan};
pub use site::{Hosts, Site};
pub use sockets::Sockets;
pub use tally::{End, Tally};
pub use url::Url;
