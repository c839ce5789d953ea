//! A replica that does what a test wants: it answers with what it was asked, or fails in a chosen way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a replica does with a request that it has read.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// 200, or the status that the query asks for (`?status=503`), with the request as JSON.
    Answer,
    /// Closes the connection without a byte: what a killed process looks like.
    BreakOff,
    /// Keeps the connection and says nothing: a frozen process.
    Hang,
}

#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
}

pub struct Replica {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Replica {
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn({
            let (seen, connections) = (Arc::clone(&seen), Arc::clone(&connections));
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(converse(stream, does, Arc::clone(&seen)));
                }
            }
        });
        Self {
            address,
            seen,
            connections,
            task,
        }
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, does: Does, seen: Arc<Mutex<Vec<Request>>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        seen.lock().unwrap().push(request.clone());
        match does {
            Does::Answer => {
                let answer = answer(&request);
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Does::BreakOff => return,
            Does::Hang => {
                // Until the other side gives up.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |value| value.parse().unwrap_or(0));
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    buffer.drain(..head_end + length);
    Some(Request {
        method,
        target,
        headers,
    })
}

fn answer(request: &Request) -> Vec<u8> {
    let status = request
        .target
        .split_once("status=")
        .map_or("200", |(_, status)| &status[..3]);
    let body: Value = json!({
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        // Large enough to be worth compressing.
        "padding": "trestle ".repeat(200),
    });
    let body = body.to_string();
    let id = request.headers.get("x-request-id").cloned().unwrap_or_default();
    format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Request-Id: {id}\r\n\
         Cache-Control: private, no-store\r\nX-Content-Type-Options: nosniff\r\nETag: \"v1\"\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
