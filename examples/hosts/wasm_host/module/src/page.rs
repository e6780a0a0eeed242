//! What the page has, and what it calls: `run.mjs` is the other side of it.

#![allow(unsafe_code, reason = "names that another language sees are declared by hand")]

// SAFETY: `run.mjs` has functions of these names and signatures. They read what they are given while they are
// called, and call nothing of ours before they have returned.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Milliseconds since the page began.
    pub(crate) safe fn now() -> f64;
    /// Has `timer_is_over` called with this id, in so many milliseconds.
    pub(crate) safe fn set_timer(id: u32, milliseconds: f64);
    /// Keeps a timer from that.
    pub(crate) safe fn clear_timer(id: u32);
    /// Has `take_turn` called, soon.
    pub(crate) safe fn ask_for_turn();
    /// Prints a line; of a place where no text is, it prints something else.
    safe fn print(text: *const u8, length: usize);
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    print(line.as_ptr(), line.len());
}

// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
extern "C" fn start() {
    crate::start();
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn take_turn() {
    crate::seam::take_turn();
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn timer_is_over(id: u32) {
    crate::seam::timer_is_over(id);
}
