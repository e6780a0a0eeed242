//! The laws on every runtime, on runtimes of one thread, on scoped threads, and on worker pools. `forloop-conformance`
//! itself tests those in the caller's task.

use std::rc::Rc;

use forloop::async_std::AsyncStd;
use forloop::smol::{Local, LocalExecutor, Smol};
use forloop_conformance::{Workers, suite};
use forloop_tests::{Host, Scoped, Tokio, TokioLocal, TokioThread};

suite!(smol: Smol);
suite!(async_std: AsyncStd);
suite!(tokio_current_thread: Tokio::current_thread());
suite!(tokio_multi_thread: Tokio::multi_thread());
suite!(tokio_local: TokioLocal::default());
suite!(host: Host::default());
suite!(local local_executor: Local::from(Rc::new(LocalExecutor::new())));
suite!(local tokio_thread: TokioThread::default());
suite!(scoped: Scoped::default());
suite!(smol_workers: Workers(Smol));
suite!(tokio_workers: Workers(Tokio::multi_thread()));
