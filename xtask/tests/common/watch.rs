//! Observes processes start and exit.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

/// A time limit that no test reaches, even on a slow machine.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// Observes processes start and exit: each one connects, and the system closes the connection when it exits.
///
/// Unlike a process id, a connection is never reused, and it needs no polling.
pub(crate) struct Watch {
    pub(crate) address: String,
    started: mpsc::Receiver<TcpStream>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, started) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                if sender.send(connection.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { address, started }
    }

    /// Waits until `processes` more of them have started.
    pub(crate) fn wait_for_starts(&self, processes: usize) -> Vec<TcpStream> {
        (0..processes).map(|_| self.started.recv_timeout(LONG).expect("a process starts")).collect()
    }
}

/// Waits until all these processes have exited.
pub(crate) fn wait_for_exits(processes: Vec<TcpStream>) {
    for mut process in processes {
        process.set_read_timeout(Some(LONG)).unwrap();
        match process.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("a process still runs: {other:?}"),
        }
    }
}
