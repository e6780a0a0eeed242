//! An `async move` closure owns its captures, and cannot lend them to overlapping bodies.

fn main() {
    let greeting = String::from("hello");
    let _greetings = forloop::each(["ada", "grace"])
        .unbounded()
        .gather(async move |name| format!("{greeting} {name}"));
}
