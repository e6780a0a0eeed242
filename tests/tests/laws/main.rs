//! The laws on every backend: one generic function per row of the conformance table, named as the
//! promise it checks.

mod as_completed;
mod bounded;
mod cancel;
mod cooperative;
mod gather;
mod group;
mod large;
mod nested_tasks;
mod nesting;
mod odd;
mod panics;
mod random;
mod sequential;
mod task_list;
mod wait;
