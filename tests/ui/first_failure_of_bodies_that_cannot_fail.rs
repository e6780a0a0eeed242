//! To wait for a failure, bodies must be able to fail.

fn main() {
    let mut running = forloop::TaskSet::new([std::future::ready(1)]);
    let _wait = forloop::wait(&mut running).first_failure();
}
