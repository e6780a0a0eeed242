//! `hyper_smol`: a server and a client by hyper on smol, each of them a loop.
//!
//! hyper needs no runtime: smol-hyper adapts the sockets of smol, and forloop's default is smol. The server serves eight
//! connections at a time, until a token asks it to finish those and take no other. The client asks for several pages
//! with a time-out and retries.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forloop::backon::ConstantBuilder;
use forloop::{CancelToken, Cause, Const, Outcome};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use smol::future;
use smol::net::{TcpListener, TcpStream};
use smol_hyper::rt::FuturesIo;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    forloop::run(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, is_finished) = (listener.local_addr()?, CancelToken::new());
        let server = forloop::spawn(&runtime, serve(listener, is_finished.clone()));

        let paths = ["/page", "/busy", "/page", "/missing", "/hangs"];
        let pages = forloop::each(paths)
            .limit(Const::<4>)
            .timeout(Duration::from_millis(500))
            .retry(ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(1))
            .settle(async |path| fetch(address, path).await)
            .await;
        for (index, page) in pages.iter().enumerate() {
            let attempts = pages.attempts(index);
            match page {
                Outcome::Ok(page) => println!("{}: {page:?}, attempts: {attempts}", paths[index]),
                other => println!("{}: {other}, attempts: {attempts}", paths[index]),
            }
        }

        is_finished.cancel();
        println!("the server: {:?}", server.await?);
        Ok(())
    })?
}

/// Serves connections until `is_finished` is cancelled, and then completes those that are open.
async fn serve(listener: TcpListener, is_finished: CancelToken) -> Option<Cause> {
    let busy = AtomicUsize::new(1);
    let served = forloop::each_stream(listener.incoming())
        .limit(Const::<8>)
        .drain_on(&is_finished)
        .for_each(async |connection| {
            let Ok(socket) = connection else { return };
            let answer = service_fn(async |request| answer(request, &busy).await);
            // An error is that of a client which has gone, as one does that times out.
            let _ = server::conn::http1::Builder::new()
                .serve_connection(FuturesIo::new(socket), answer)
                .await;
        })
        .await;
    served.err().map(|interrupted| interrupted.cause)
}

async fn answer(
    request: Request<Incoming>,
    busy: &AtomicUsize,
) -> Result<Response<String>, Infallible> {
    let (status, page) = match request.uri().path() {
        "/page" => (StatusCode::OK, "a page"),
        "/busy" if busy.swap(0, Ordering::Relaxed) == 0 => (StatusCode::OK, "at last"),
        "/busy" => (StatusCode::SERVICE_UNAVAILABLE, ""),
        "/hangs" => future::pending().await,
        _ => (StatusCode::NOT_FOUND, ""),
    };
    let mut response = Response::new(String::from(page));
    *response.status_mut() = status;
    Ok(response)
}

/// Fetches a page, on a connection of its own. Dropping the future closes the connection.
async fn fetch(address: SocketAddr, path: &str) -> Result<String, AnyError> {
    let socket = FuturesIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = client::conn::http1::handshake(socket).await?;
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(CONNECTION, "close")
        .body(String::new())?;
    let page = async {
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()).into());
        }
        let page = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8_lossy(&page).into_owned())
    };
    // Both are polled here, so no task is left behind. An error of the connection is one of the request, too.
    let driven = async {
        let _ = connection.await;
        future::pending().await
    };
    future::or(page, driven).await
}
