//! Waiting for conditions: a bounded poll, and the questions that tell whether a tier answers.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

const PERIOD: Duration = Duration::from_millis(20);
const ANSWER: Duration = Duration::from_secs(1);

/// Asks again and again until the answer is yes; fails after `limit`.
pub async fn until<F: Future<Output = bool>>(limit: Duration, condition: impl Fn() -> F) -> Result<()> {
    let start = Instant::now();
    while !condition().await {
        if start.elapsed() > limit {
            bail!("not within {} s", limit.as_secs_f32());
        }
        sleep(PERIOD).await;
    }
    Ok(())
}

/// The status code of a plain GET, on a connection of its own.
pub async fn http_status(address: SocketAddr, path: &str) -> Result<u16> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head).await?;
        anyhow::Ok(String::from_utf8_lossy(&head).into_owned())
    };
    let head = timeout(ANSWER, ask).await.context("no answer in time")??;
    head.split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .context("not an HTTP answer")
}

/// Whether Redis answers PING on its socket.
pub async fn redis_answers(socket: &Path) -> bool {
    let ask = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0_u8; 5];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    matches!(timeout(ANSWER, ask).await, Ok(Ok(answer)) if &answer == b"+PONG")
}
