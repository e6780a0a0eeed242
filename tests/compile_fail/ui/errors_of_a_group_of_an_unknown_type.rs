//! The type of a group's errors follows from what its children return.

fn main() {
    let _ = forloop::run(async |runtime| {
        let sum = forloop::task_group(runtime, |group| async move {
            let one = group.spawn(async { Ok(1) });
            Ok(one.await? + 1)
        });
        sum.await.is_ok()
    });
}
