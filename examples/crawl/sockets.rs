//! Connections, on the sockets of the runtime that polls them.

use std::io;

use forloop::AnyRuntime;
use hyper::rt::{Read, Write};
use smol_hyper::rt::FuturesIo;

/// A connection as hyper wants it, whatever it is made of.
pub(crate) type Socket = Box<dyn ReadWrite>;

pub(crate) trait ReadWrite: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> ReadWrite for T {}

/// Whose sockets: a runtime's own are those that its threads listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// Those of async-io, which smol and async-std are made of, and which work anywhere.
    AsyncIo,
    /// Those of tokio, which work inside its runtime only.
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Sockets {
    /// The sockets that belong to a runtime.
    pub fn of(runtime: &AnyRuntime) -> Self {
        match runtime.name() {
            #[cfg(feature = "tokio")]
            "tokio" => Self::Tokio,
            _ => Self::AsyncIo,
        }
    }

    /// Connects to the first address of the host at which somebody listens.
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
