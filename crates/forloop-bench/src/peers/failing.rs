//! Loops whose bodies may fail, and that stop at the first failure.

use std::hint::black_box;

use futures_concurrency::prelude::*;
use futures_util::stream::{FuturesUnordered, TryStreamExt};

use super::{Peer, Visit};

/// The error of a body: small, and the same for every peer.
#[derive(Debug)]
pub(crate) struct Failure;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body failed")
    }
}

impl std::error::Error for Failure {}

/// Creates the loop that runs these bodies in the caller's task and stops at the first failure.
pub(crate) fn in_task<B: Future<Output = Result<usize, Failure>>>(
    peer: Peer,
    n: usize,
    body: impl Fn(usize) -> B,
    visitor: impl Visit,
) {
    match peer {
        Peer::Forloop => visitor.visit(async {
            let outputs = forloop::each(0..n).unbounded().try_gather(body).await;
            black_box(outputs.is_err());
        }),
        Peer::FuturesUnordered => visitor.visit(async {
            let mut set: FuturesUnordered<B> = (0..n).map(body).collect();
            while let Ok(Some(output)) = set.try_next().await {
                black_box(output);
            }
        }),
        Peer::BufferedJoinAll => visitor.visit(async {
            black_box(futures_buffered::try_join_all((0..n).map(body)).await.is_err());
        }),
        Peer::ConcurrencyJoin => visitor.visit(async {
            let bodies: Vec<B> = (0..n).map(body).collect();
            black_box(bodies.try_join().await.is_err());
        }),
        _ => panic!("{} has no loop that stops at a failure", peer.name()),
    }
}

/// Whether a peer has such a loop.
///
/// futures-util's `try_join_all` does not count: with more than thirty bodies it returns a failure only after
/// all bodies before it have completed.
pub(crate) fn has_one(peer: Peer) -> bool {
    matches!(
        peer,
        Peer::Forloop | Peer::FuturesUnordered | Peer::BufferedJoinAll | Peer::ConcurrencyJoin
    )
}
