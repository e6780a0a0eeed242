//! The local site: five hosts on loopback, on a thread of their own.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_executor::LocalExecutor;
use async_net::{TcpListener, TcpStream};
use futures_lite::future;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use smol_hyper::rt::FuturesIo;
use socket2::{Domain, Socket, Type};

use crate::answer::Visits;
use crate::hosts::Hosts;
use crate::plan::{CLOSED, HOSTS};

/// The running hosts; dropping this value stops them.
#[derive(Debug)]
pub struct Site {
    hosts: Hosts,
    /// Bound to reserve its port, but not listening.
    _closed: Socket,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    /// Starts the hosts.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if it refuses a port or a thread.
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

    /// Returns the addresses of the hosts.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.close();
        // A panic of the thread has been printed already.
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
                // For instance, too many files are open; some will be closed.
                Err(_) => drop(async_io::Timer::after(Duration::from_millis(10)).await),
            }
        }
    });
    // Nothing is ever sent: the receiver is ready when the channel is closed.
    let stopped = async { stopped.recv().await.unwrap_or_default() };
    connections.run(future::or(stopped, accepting)).await;
}

async fn converse(socket: TcpStream, visits: &Visits) {
    let service = service_fn(|request| visits.answer(request.uri().path().to_owned(), &socket));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(FuturesIo::new(socket.clone()), service);
    // A client may disconnect at any time, and other errors are intended.
    let _: Result<(), Box<dyn Error>> = connection.await.map_err(Into::into);
}
