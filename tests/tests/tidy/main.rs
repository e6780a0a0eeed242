//! The rules of the repository, as tests.

mod aliases;
mod conformance;
mod cycles;
mod documents;
mod guide;
mod imports;
mod layers;
mod packages;
mod sources;
mod unsafety;
mod words;
mod workspace;
mod wrapped;
