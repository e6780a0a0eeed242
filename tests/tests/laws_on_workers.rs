//! The laws on workers: in a program of its own, because what a suite is compiled to is large.

use forloop::smol::Smol;
use forloop_conformance::suite;
use forloop_tests::{Tokio, Workers};

suite!(smol_workers: Workers(Smol));
suite!(tokio_workers: Workers(Tokio::multi_thread()));
