//! Jobs: what a producer submits and a worker takes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name and version of a body, as the broker has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BodyId {
    /// The name.
    pub name: String,
    /// The version.
    pub version: u32,
}

impl BodyId {
    /// Reads what [`Display`](fmt::Display) has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, version) = text.rsplit_once('@')?;
        Some(Self { name: name.to_owned(), version: version.parse().ok()? })
    }
}

impl fmt::Display for BodyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Names a job in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The index of the item.
    pub index: u64,
    /// The attempt number, starting at 1.
    pub attempt: u32,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.attempt)
    }
}

/// The largest context, in bytes.
pub(crate) const CONTEXT_LIMIT: usize = 1 << 10;

/// One attempt at one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name in its run.
    pub key: JobKey,
    /// The body.
    pub body: BodyId,
    /// Whether it must not begin twice.
    pub is_once: bool,
    /// A hash of body and item.
    pub fingerprint: u64,
    /// The item as JSON.
    pub payload: Vec<u8>,
    /// What the producer passes on beside the item: see [`Run::context`](crate::Run::context). Two jobs may differ in it.
    pub context: String,
}

impl Job {
    /// Makes a job, with its fingerprint.
    pub fn new(key: JobKey, body: BodyId, is_once: bool, payload: Vec<u8>) -> Self {
        // No text has the byte between the name and the version.
        let parts = [body.name.as_bytes(), &[0xff], &body.version.to_le_bytes(), &payload];
        let fingerprint = parts.into_iter().fold(FNV_BASIS, fnv_1a);
        Self { key, body, is_once, fingerprint, payload, context: String::new() }
    }

    /// The job with a context. One above 1 KiB is not sent.
    #[must_use]
    pub fn with_context(self, context: String) -> Self {
        if context.len() > CONTEXT_LIMIT { self } else { Self { context, ..self } }
    }
}

/// FNV-1a with 64 bits. A hasher of the standard library need not be the same on each machine and in each version.
fn fnv_1a(hash: u64, bytes: &[u8]) -> u64 {
    let prime = 0x0000_0100_0000_01b3;
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(prime))
}

/// The hash of no bytes.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
