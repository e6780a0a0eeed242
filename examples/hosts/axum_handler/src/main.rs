//! `axum_handler`: a handler that asks several backends at once and answers with what is ready at its deadline.
//!
//! The loop borrows the state, and the handler's future is `Send`, as axum demands. Its clock is that of tokio around it.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use forloop::Outcome;
use tower::ServiceExt;

/// The time that a request has.
const DEADLINE: Duration = Duration::from_millis(500);

/// A backend, and how long it takes to answer.
struct Backend {
    name: String,
    delay: Duration,
    fails: bool,
}

impl Backend {
    async fn price(&self, item: &str) -> Result<usize, String> {
        tokio::time::sleep(self.delay).await;
        if self.fails { Err(format!("no {item}")) } else { Ok(self.name.len()) }
    }
}

/// Answers with the prices that are known in time, and with the status of each backend.
async fn prices(
    State(backends): State<Arc<[Backend]>>,
) -> (StatusCode, Json<BTreeMap<String, String>>) {
    let item = String::from("tea");
    let prices = forloop::each(&*backends)
        .unbounded()
        .deadline(DEADLINE)
        .settle(|backend| backend.price(&item))
        .await;
    let status =
        if prices.interrupted().is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let prices = prices.pad_to(backends.len()).into_iter().map(described);
    (status, Json(backends.iter().map(|backend| backend.name.clone()).zip(prices).collect()))
}

fn described(price: Outcome<usize, String>) -> String {
    match price {
        Outcome::Ok(price) => price.to_string(),
        Outcome::Err(error) => error,
        _ => "late".to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for delays in [[0, 0, 0], [0, 0, 3_600_000]] {
        let backends =
            ["east", "south", "northwest"].iter().zip(delays).map(|(name, delay)| Backend {
                name: (*name).to_owned(),
                delay: Duration::from_millis(delay),
                fails: *name == "south",
            });
        let app = Router::new().route("/prices", get(prices)).with_state(backends.collect());
        let answer = app.oneshot(Request::get("/prices").body(Body::empty())?).await?;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await?;
        println!("{status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
