//! The functions of the page; `run.mjs` implements them.

#![allow(unsafe_code, reason = "imports from JavaScript are declared by hand")]

// SAFETY: `run.mjs` defines functions with these names and signatures. They read their arguments before they
// return, and call no function of this module before they have returned.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Returns the milliseconds since the page started.
    pub(crate) safe fn now() -> f64;
    /// Calls `timer_is_over` with this id after this many milliseconds.
    pub(crate) safe fn set_timer(id: u32, milliseconds: f64);
    /// Cancels a timer.
    pub(crate) safe fn clear_timer(id: u32);
    /// Calls `run_ready_tasks` soon.
    pub(crate) safe fn schedule_run();
    /// Prints a line. Memory that is not UTF-8 is printed with replacement characters.
    safe fn print(text: *const u8, length: usize);
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    print(line.as_ptr(), line.len());
}
