//! A task may be cancelled, so awaiting it gives a `Result`.

async fn value(task: forloop::Task<u32>) -> u32 {
    task.await
}

fn main() {}
