//! Serves the operations port within bounds: whoever holds connections open must not keep a probe out for long.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 64;
/// For a request's head; a connection that is idle for as long is closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// For a request's body and its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Serves for as long as the process lives.
pub async fn serve(listener: TcpListener, router: Router) {
    let service = TowerToHyperService::new(router.layer(from_fn(bounded)));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the operations port could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(async move {
            connection.await.ok();
            drop(place);
        });
    }
}

async fn bounded(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not within 10 s\n").into_response(),
    }
}
