//! Sees processes begin and end.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Longer than anything here takes, on the slowest machine.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// Sees processes begin and end: they connect, and the system closes the connection when they end.
///
/// Unlike an identifier, a connection cannot be mistaken for another, and it needs no asking again
/// and again.
pub(crate) struct Watch {
    pub(crate) address: String,
    begun: mpsc::Receiver<TcpStream>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, begun) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                if sender.send(connection.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { address, begun }
    }

    /// Waits until so many more processes have begun.
    pub(crate) fn begin(&self, processes: usize) -> Vec<TcpStream> {
        (0..processes).map(|_| self.begun.recv_timeout(LONG).expect("a process begins")).collect()
    }
}

/// Waits until every one of these processes has ended.
pub(crate) fn have_ended(processes: Vec<TcpStream>) {
    for mut process in processes {
        process.set_read_timeout(Some(LONG)).unwrap();
        match process.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("a process is left: {other:?}"),
        }
    }
}
