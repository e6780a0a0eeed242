//! The laws on every runtime. Those in the caller's own task are a test of `forloop-conformance` itself.

use forloop::async_std::AsyncStd;
use forloop::smol::Smol;
use forloop_conformance::suite;
use forloop_tests::{Host, Tokio};

suite!(smol: Smol);
suite!(async_std: AsyncStd);
suite!(tokio_current_thread: Tokio::current_thread());
suite!(tokio_multi_thread: Tokio::multi_thread());
suite!(host: Host::default());
