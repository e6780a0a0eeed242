//! Entries in the broker that no producer of ours has written.

use std::thread;

use forloop_core::BlockOn;
use forloop_smol::Smol;

use crate::processes::{Process, check_empty, items, settle};
use crate::server::Server;

const JOBS: &[u8] = b"{forloop}:jobs:work@1";

fn bytes(random: &mut fastrand::Rng) -> Vec<u8> {
    let length = random.usize(0..200);
    (0..length).map(|_| random.u8(..)).collect()
}

/// A field that a job has, or another one, with a value that is right, nearly right, or random.
fn field(random: &mut fastrand::Rng) -> (Vec<u8>, Vec<u8>) {
    let (name, value): (&[u8], &[u8]) = [
        (&b"r"[..], &b"chaos"[..]),
        (b"r", b"../:{}* \xff"),
        (b"k", b"999999.1"),
        (b"k", b"99999999999999999999.1"),
        (b"k", b"-1.0"),
        (b"k", b"7.00001"),
        (b"f", b"0000000000000000"),
        (b"o", b"1"),
        (b"p", b"{\"a\": [[[[["),
        (b"e", b"o[1"),
        (b"\xff\xfe", b""),
    ][random.usize(0..11)];
    let value = if random.u8(0..3) == 0 { bytes(random) } else { value.to_vec() };
    (name.to_vec(), value)
}

#[test]
fn foreign_entries_harm_no_item_and_are_removed() {
    let Some(server) = Server::start() else { return };
    let _workers: Vec<_> = (0..2).map(|number| Process::worker(&server, number)).collect();
    let url = server.url();
    let settling = thread::spawn(move || Smol.block_on(settle(&Smol, &url, items())));
    let mut random = fastrand::Rng::with_seed(7);
    let mut sent = 0;
    while !settling.is_finished() {
        let stream: &[u8] = if random.bool() { JOBS } else { b"{forloop}:reports:chaos" };
        let fields: Vec<_> = (0..random.usize(1..8)).map(|_| field(&mut random)).collect();
        let mut words = vec![&b"XADD"[..], stream, b"*"];
        for (name, value) in &fields {
            words.extend([&name[..], &value[..]]);
        }
        assert!(!server.command(&words).starts_with('-'));
        sent += 1;
    }
    settling.join().unwrap();
    assert!(sent > 100, "{sent}");
    server.command(&[b"DEL", b"{forloop}:reports:chaos"]);
    // What the workers have not read yet.
    let start = std::time::Instant::now();
    while server.command(&[b"XLEN", JOBS]) != ":0\r\n" {
        assert!(start.elapsed() < std::time::Duration::from_secs(20));
        thread::sleep(std::time::Duration::from_millis(20));
    }
    check_empty(&server);
    assert!(server.command(&[b"XLEN", b"{forloop}:dead"]) != ":0\r\n");
}
