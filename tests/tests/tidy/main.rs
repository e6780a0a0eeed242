//! The rules of the repository, as tests.

mod conformance;
mod guide;
mod packages;
mod sources;
mod unsafety;
mod workspace;
