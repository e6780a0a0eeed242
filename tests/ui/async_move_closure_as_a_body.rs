//! An `async move` closure keeps what it captures, and bodies overlap: it cannot lend that to all of them.

fn main() {
    let greeting = String::from("hello");
    let _greetings = forloop::each(["ada", "grace"])
        .unbounded()
        .gather(async move |name| format!("{greeting} {name}"));
}
