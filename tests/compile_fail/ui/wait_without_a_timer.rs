//! A wait of the runtime-neutral core has no clock before `timer`.

use std::time::Duration;

use forloop::TaskSet;

async fn wait(mut tasks: TaskSet<forloop::Task<u32>>) {
    let (_done, _pending) = forloop_core::wait(&mut tasks).timeout(Duration::from_secs(1)).await;
}

fn main() {}
