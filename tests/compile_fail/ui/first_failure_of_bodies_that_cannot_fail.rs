//! Waiting for the first failure needs bodies that can fail.

fn main() {
    let mut running = forloop::TaskSet::new([std::future::ready(1)]);
    let _wait = forloop::wait(&mut running).first_failure();
}
