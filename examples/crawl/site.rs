//! The local site: five hosts on loopback, on a thread of their own.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use async_channel::{Receiver, Sender};
use async_executor::LocalExecutor;
use async_net::{TcpListener, TcpStream};
use futures_lite::future;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use smol_hyper::rt::FuturesIo;
use socket2::{Domain, Socket, Type};

use crate::answer::Visits;
use crate::plan::{CLOSED, HOSTS};

/// Where hosts are that no name server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    addresses: BTreeMap<String, SocketAddr>,
}

impl Hosts {
    pub(crate) fn find(&self, name: &str) -> Option<SocketAddr> {
        self.addresses.get(name).copied()
    }

    /// Reads what `Display` writes: `NAME=ADDRESS:PORT`, separated by commas.
    ///
    /// # Errors
    ///
    /// The first part that is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = |part: &str| {
            let (name, address) = part.split_once('=')?;
            Some((name.to_owned(), address.parse().ok()?))
        };
        let parts = text
            .split(',')
            .map(|part| address(part).ok_or_else(|| format!("`{part}` is not HOST=ADDRESS:PORT")));
        Ok(Self { addresses: parts.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, address)) in self.addresses.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{name}={address}")?;
        }
        Ok(())
    }
}

/// The hosts, as long as this is there; dropping it ends them.
#[derive(Debug)]
pub struct Site {
    hosts: Hosts,
    /// Bound, so that nobody else gets the port, and not listening.
    _closed: Socket,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    /// Starts the hosts.
    ///
    /// # Errors
    ///
    /// What the operating system refuses: ports, or a thread.
    pub fn start() -> io::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut hosts = Hosts::default();
        let mut listeners = Vec::new();
        for name in HOSTS {
            let listener = std::net::TcpListener::bind(any)?;
            hosts.addresses.insert(name.to_owned(), listener.local_addr()?);
            listeners.push(TcpListener::try_from(listener)?);
        }
        let closed = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        closed.bind(&any.into())?;
        let address = closed.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        hosts.addresses.insert(CLOSED.to_owned(), address);

        let (stop, stopped) = async_channel::bounded(1);
        let serve = move || async_io::block_on(serve(&listeners, &stopped));
        let thread = thread::Builder::new().name("site".to_owned()).spawn(serve)?;
        Ok(Self { hosts, _closed: closed, stop, thread: Some(thread) })
    }

    /// Where the hosts are.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.close();
        // If it has panicked, it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve(listeners: &[TcpListener], stopped: &Receiver<()>) {
    let visits = Visits::default();
    let connections = LocalExecutor::new();
    let accepting = forloop::each(listeners).unbounded().for_each(async |listener| {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => connections.spawn(converse(socket, &visits)).detach(),
                // Too many files are open, for one: some will be closed.
                Err(_) => drop(async_io::Timer::after(Duration::from_millis(10)).await),
            }
        }
    });
    // Nobody sends: it ends when the channel is closed.
    let stopped = async { stopped.recv().await.unwrap_or_default() };
    connections.run(future::or(stopped, accepting)).await;
}

async fn converse(socket: TcpStream, visits: &Visits) {
    let service = service_fn(|request| visits.answer(request.uri().path().to_owned(), &socket));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(FuturesIo::new(socket.clone()), service);
    // A client that goes away is its own affair, and what we break we break on purpose.
    let _: Result<(), Box<dyn Error>> = connection.await.map_err(Into::into);
}
