//! Connections on the sockets of the runtime that polls them.

use std::io;

use forloop::AnyRuntime;
use hyper::rt::{Read, Write};
use smol_hyper::rt::FuturesIo;

/// A connection as hyper needs it, on any kind of socket.
pub(crate) type Socket = Box<dyn ReadWrite>;

pub(crate) trait ReadWrite: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> ReadWrite for T {}

/// The kind of the sockets: the threads of a runtime watch its own kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// The sockets of async-io, which smol and async-std use, and which work anywhere.
    AsyncIo,
    /// The sockets of tokio, which work only inside its runtime.
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Sockets {
    /// Returns the kind of sockets of a runtime.
    pub fn of(runtime: &AnyRuntime) -> Self {
        match runtime.name() {
            #[cfg(feature = "tokio")]
            "tokio" => Self::Tokio,
            _ => Self::AsyncIo,
        }
    }

    /// Connects to the first address of the host that accepts the connection.
    pub(crate) async fn connect(self, host: &str, port: u16) -> io::Result<Socket> {
        match self {
            Self::AsyncIo => {
                let stream = async_net::TcpStream::connect((host, port)).await?;
                Ok(Box::new(FuturesIo::new(stream)))
            }
            #[cfg(feature = "tokio")]
            Self::Tokio => {
                let stream = tokio::net::TcpStream::connect((host, port)).await?;
                Ok(Box::new(hyper_util::rt::TokioIo::new(stream)))
            }
        }
    }
}
