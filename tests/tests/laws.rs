//! The laws on every runtime, on scoped threads, and on worker pools. `forloop-conformance` itself tests those in the
//! caller's task.

use forloop::async_std::AsyncStd;
use forloop::smol::Smol;
use forloop_conformance::{Workers, suite};
use forloop_tests::{Host, Scoped, Tokio, TokioLocal};

suite!(smol: Smol);
suite!(async_std: AsyncStd);
suite!(tokio_current_thread: Tokio::current_thread());
suite!(tokio_multi_thread: Tokio::multi_thread());
suite!(tokio_local: TokioLocal::default());
suite!(host: Host::default());
suite!(scoped: Scoped::default());
suite!(smol_workers: Workers(Smol));
suite!(tokio_workers: Workers(Tokio::multi_thread()));
