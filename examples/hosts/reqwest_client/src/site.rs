//! A site with four pages, on threads of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub(crate) struct Site {
    address: SocketAddr,
}

impl Site {
    /// Starts it on a free port. It serves until the program ends.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let visits = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let visits = visits.clone();
                // A client that has gone away is not an error of the site.
                thread::spawn(move || drop(answer(stream, &visits)));
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, visits: &AtomicUsize) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (status, body) = match request.split(' ').nth(1) {
        Some("/page") => ("200 OK", "a page"),
        // Every other request is refused.
        Some("/busy") if visits.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => {
            ("503 Service Unavailable", "")
        }
        Some("/busy") => ("200 OK", "at last"),
        Some("/hangs") => return lines.next().transpose().map(drop),
        _ => ("404 Not Found", ""),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
