//! `trestle-api serve`: one listener; accepted connections are handed in turn to one single-threaded runtime a core.
//!
//! One runtime a core and not one for all: connections, Redis answers and database answers stay on their core, and
//! many small requests share one pipeline (measured 1.4 times the throughput on the Redis path).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::admission::Admission;
use crate::cache::Cache;
use crate::cache::feed::{self, Revocations};
use crate::catalog::sitemap;
use crate::client::Peer;
use crate::config::Config;
use crate::db::{Db, migrate};
use crate::front::{self, Exchange, Front, Guarded};
use crate::health::Dependency;
use crate::identity::Throttle;
use crate::instance::host::Place;
use crate::lifecycle::{HARD_LIMIT, Lifecycle, Phase};
use crate::ops;
use crate::router::Routes;
use crate::state::{AppState, Shared};
use crate::telemetry::Log;
use crate::writes::Writes;

/// The change feed has a connection of its own: whatever else waits for locks must not make it late, because tokens are
/// refused when it is.
pub const FEED_CONNECTIONS: u32 = 1;
/// Recovery of orders and purges.
pub const BACKGROUND_CONNECTIONS: u32 = 2;
/// Between two looks at a database that is not there yet, or not ready: from the first to the last, doubling, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often the log says what is still waited for.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// Connections that the kernel lets in before they are taken.
const BACKLOG: u32 = 1024;
/// A client that sends its headers more slowly is let go.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Until a connection is idle: its client has made it for a request, which is on its way while we are closing.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// Serves until it is told to end.
///
/// # Errors
/// When an address cannot be bound or the shop's currency is another.
pub fn run(config: Config, log: Log) -> anyhow::Result<()> {
    // Nobody's password is hashed here: it waits for the workers' threads and resolves names.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()?;
    runtime.block_on(main_runtime(config, log))
}

async fn main_runtime(config: Config, log: Log) -> anyhow::Result<()> {
    let socket = bind(config.listen, "TRESTLE_LISTEN")?;
    let ops_listener = listen(
        bind(config.ops_listen, "TRESTLE_OPS_LISTEN")?,
        "TRESTLE_OPS_LISTEN",
    )?;
    let shared = Arc::new(Shared {
        cache: Arc::new(Cache::new(
            config.cache_bytes,
            config.cache_memory,
            config.cache_redis,
        )),
        revocations: Arc::new(Revocations::default()),
        lifecycle: Arc::new(Lifecycle::default()),
        log,
        hashes: Arc::new(Semaphore::new(config.hashes)),
        admission: Arc::new(Admission::new(config.max_requests)),
        throttle: Throttle::default(),
        writes: Writes::new(config.writes),
        started: Instant::now(),
        place: Place::default(),
        schema: Dependency::default(),
        redis_seen: Dependency::default(),
        ready: AtomicBool::new(false),
        config,
    });
    tracing::info!(
        replica = shared.config.replica,
        zone = shared.zone(),
        version = env!("CARGO_PKG_VERSION"),
        listen = %socket.local_addr()?,
        ops = %ops_listener.local_addr()?,
        workers = shared.config.workers,
        hashes = shared.config.hashes,
        "starting"
    );
    let terminate = watch_signals(Arc::clone(&shared))?;
    tokio::spawn(ops::serve(ops_listener, ops::router(Arc::clone(&shared))));

    tokio::spawn(watch_redis(Arc::clone(&shared)));
    tokio::spawn(find_place(Arc::clone(&shared)));

    let db = pool(&shared, BACKGROUND_CONNECTIONS);
    let background = tokio::spawn(background(Arc::clone(&shared), db.clone()));
    let workers = start_workers(&shared)?;
    // Until it is ready it refuses connections, so that whoever finds it by its name alone asks another one.
    tokio::select! {
        () = shared.lifecycle.reached(Phase::Closing) => {}
        () = ready(&shared) => accept(listen(socket, "TRESTLE_LISTEN")?, &workers, &shared).await,
    }
    // Dropping the senders tells each worker that no connection comes any more.
    let threads: Vec<_> = workers.into_iter().map(|worker| worker.thread).collect();
    for thread in threads {
        tokio::task::spawn_blocking(move || thread.join().is_ok()).await?;
    }
    background.abort();
    db.close().await;
    terminate.abort();
    tracing::info!("ended");
    Ok(())
}

/// A pool of this process, seen in its metrics.
fn pool(shared: &Shared, connections: u32) -> Db {
    Db::new(shared.config.database.clone(), connections)
        .slow_after(shared.config.slow_query)
        .watched()
}

/// Takes the address, so that one that cannot be had is told at once; connections are refused until somebody listens.
fn bind(address: SocketAddr, variable: &str) -> anyhow::Result<TcpSocket> {
    let bound = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|error| cannot_listen(variable, address, &error))
}

/// Two may take an address while neither listens: then it is told here.
fn listen(socket: TcpSocket, variable: &str) -> anyhow::Result<TcpListener> {
    let address = socket.local_addr()?;
    socket
        .listen(BACKLOG)
        .map_err(|error| cannot_listen(variable, address, &error))
}

fn cannot_listen(variable: &str, address: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("{variable}: cannot listen on {address}: {error}")
}

async fn ready(shared: &Shared) {
    while !shared.ready.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// SIGTERM and Ctrl-C drain; the hard limit counts from there.
fn watch_signals(shared: Arc<Shared>) -> std::io::Result<tokio::task::JoinHandle<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(linger_seconds = shared.config.linger.as_secs(), "draining");
        shared.lifecycle.drain(shared.config.linger, HARD_LIMIT).await;
        tracing::error!("still busy after {} s: ending", HARD_LIMIT.as_secs());
        std::process::exit(1);
    }))
}

/// Waits for the schema and the currency, then follows the change feed, recovers orders and tidies up.
async fn background(shared: Arc<Shared>, db: Db) {
    wait_for_shop(&shared, &db).await;
    let feed = tokio::spawn(feed::follow(
        pool(&shared, FEED_CONNECTIONS),
        Arc::clone(&shared.cache),
        Arc::clone(&shared.revocations),
    ));
    while !shared.revocations.are_known() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shared.ready.store(true, Ordering::Relaxed);
    tracing::info!(after_ms = shared.started.elapsed().as_millis(), "ready");
    let state = AppState::new(Arc::clone(&shared), db);
    if let Some(redis) = &state.redis {
        redis.warm().await;
    }
    let recovery = tokio::spawn(crate::checkout::recovery::run(state.clone()));
    let housekeeping = tokio::spawn(crate::housekeeping::run(state));
    let outcome = tokio::try_join!(feed, recovery, housekeeping);
    tracing::error!(?outcome, "a background task ended");
    std::process::exit(1);
}

/// A database that is late must not be met by every replica at once, many times a second.
async fn wait_for_shop(shared: &Shared, db: &Db) {
    let (mut pause, mut waiting_for, mut said) = (FIRST_PAUSE, String::new(), Instant::now());
    while let Err(reason) = check_shop(shared, db).await {
        shared.schema.failed(&reason);
        if reason != waiting_for || said.elapsed() >= SAY_EVERY {
            let waited_seconds = shared.started.elapsed().as_secs();
            tracing::warn!(reason, waited_seconds, "waiting");
            (waiting_for, said) = (reason, Instant::now());
        }
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    shared.schema.answered();
}

/// Asks Redis now and then, on a link of its own, so that its state is known without traffic.
async fn watch_redis(shared: Arc<Shared>) {
    let Some(client) = &shared.config.redis else {
        return;
    };
    let wait = Duration::from_millis(250);
    let mut link = None;
    loop {
        if link.is_none() {
            let looking = crate::cache::redis::resolve(client);
            tokio::pin!(looking);
            let found = if let Ok(found) = tokio::time::timeout(wait, &mut looking).await {
                found
            } else {
                shared.redis_seen.failed(&"no address in 250 ms");
                looking.await
            };
            if let Err(error) = found {
                shared.redis_seen.failed(&error);
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        }
        let ask = async {
            let mut connection = match link.take() {
                Some(connection) => connection,
                None => client.get_multiplexed_async_connection().await?,
            };
            let () = redis::cmd("PING").query_async(&mut connection).await?;
            Ok::<_, redis::RedisError>(connection)
        };
        match tokio::time::timeout(wait, ask).await {
            Ok(Ok(connection)) => {
                shared.redis_seen.answered();
                link = Some(connection);
            }
            Ok(Err(error)) => shared.redis_seen.failed(&error),
            Err(_) => shared.redis_seen.failed(&"no answer in 250 ms"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Asks EC2 which machine this is. Nothing waits for it: until it answers, and elsewhere, it is a container or a process.
async fn find_place(shared: Arc<Shared>) {
    let Some(host) = shared.config.metadata.ask().await else {
        return;
    };
    tracing::info!(?host, "the machine is known");
    shared.place.is(host);
}

/// Connects once: a pool would go on trying, and only say in the end that it took too long.
async fn reach(database: &MySqlConnectOptions) -> Result<(), String> {
    let because = |error: String| format!("the database cannot be reached: {error}");
    match tokio::time::timeout(Duration::from_secs(5), database.connect()).await {
        Ok(Ok(connection)) => connection
            .close()
            .await
            .map_err(|error| because(error.to_string())),
        Ok(Err(error)) => Err(because(error.to_string())),
        Err(_) => Err(because("no answer in 5 s".into())),
    }
}

/// Whether the schema is current and the shop sells in our currency.
async fn check_shop(shared: &Shared, db: &Db) -> Result<(), String> {
    reach(&shared.config.database).await?;
    let ours = shared.config.currency;
    let deadline = crate::db::Deadline::after(Duration::from_secs(5));
    let currency = db
        .read(deadline, |connection| {
            Box::pin(async move {
                if !migrate::is_current(connection).await? {
                    return Ok(None);
                }
                let row = sqlx::query_scalar!("SELECT currency FROM shop WHERE id = 1")
                    .fetch_optional(connection)
                    .await?;
                Ok(Some(row))
            })
        })
        .await
        .map_err(|error| error.to_string())?;
    match currency {
        None => Err("the schema is older than this program: run trestle-api migrate".into()),
        Some(Some(theirs)) if theirs != ours.as_str() => Err(format!(
            "TRESTLE_CURRENCY is {ours}, but the shop's prices are in {theirs}"
        )),
        Some(_) => Ok(()),
    }
}

/// A connection and where it comes from.
type Accepted = (std::net::TcpStream, SocketAddr);

struct Worker {
    connections: mpsc::Sender<Accepted>,
    thread: std::thread::JoinHandle<()>,
}

fn start_workers(shared: &Arc<Shared>) -> anyhow::Result<Vec<Worker>> {
    let count = shared.config.workers;
    // The configuration was checked: there is at least one for each worker.
    let own = FEED_CONNECTIONS + BACKGROUND_CONNECTIONS;
    let connections = shared.config.database_connections.saturating_sub(own) as usize;
    let routes = Routes::collect();
    (0..count)
        .map(|number| {
            let routes = routes.clone();
            let (sender, receiver) = mpsc::channel(1024);
            let shared = Arc::clone(shared);
            let share = connections / count + usize::from(number < connections % count);
            let share = u32::try_from(share)?;
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || worker(shared, routes, share, receiver))?;
            Ok(Worker {
                connections: sender,
                thread,
            })
        })
        .collect()
}

/// Accepts until the listener is to be closed, and hands connections out in turn.
async fn accept(listener: TcpListener, workers: &[Worker], shared: &Shared) {
    let closing = shared.lifecycle.reached(Phase::Closing);
    tokio::pin!(closing);
    let mut turns = workers.iter().cycle();
    // A full queue means that the worker is far behind: dropping the connection tells the client at once.
    let mut hand_out = |accepted: Accepted| turns.next().map(|worker| worker.connections.try_send(accepted));
    loop {
        let accepted = tokio::select! {
            () = &mut closing => break,
            accepted = listener.accept() => accepted,
        };
        let connection = match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok(connection) => connection,
            Err(error) => {
                // Out of file descriptors, mostly: what is open must end first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        hand_out(connection);
    }
    // Those whom the kernel has let in already: with its listener it would cut them off.
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, peer)) = listener.accept() {
        if stream.set_nonblocking(true).is_ok() {
            hand_out((stream, peer));
        }
    }
}

fn worker(
    shared: Arc<Shared>,
    routes: Routes,
    database_connections: u32,
    receiver: mpsc::Receiver<Accepted>,
) {
    // Blocking threads hash passwords, as many as have a turn; a few more resolve names. None is made before it is needed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(shared.config.hashes + 4)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve_connections(shared, routes, database_connections, receiver)),
        Err(error) => {
            tracing::error!(%error, "a worker could not start");
            std::process::exit(1);
        }
    }
}

async fn serve_connections(
    shared: Arc<Shared>,
    routes: Routes,
    database_connections: u32,
    mut receiver: mpsc::Receiver<Accepted>,
) {
    let db = pool(&shared, database_connections).heeding(Arc::clone(&shared.revocations.database));
    let state = AppState::new(Arc::clone(&shared), db.clone());
    if let Some(redis) = &state.redis {
        redis.warm().await;
    }
    let service = TowerToHyperService::new(routes.serving(state));
    let mut http = http1::Builder::new();
    let front = Front::of(&shared.config).map(Arc::new);
    // hyper counts the time before a head too: behind nginx, which lets go of an idle connection after 2 s, it is the same.
    let head_within = front.as_ref().map_or(HEADER_TIMEOUT, |_| front::IDLE);
    http.timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_buf_size(32 * 1024);
    let mut open = JoinSet::new();
    while let Some((stream, peer)) = receiver.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else {
            continue;
        };
        stream.set_nodelay(true).ok();
        let service = service.clone();
        if let Some(front) = &front {
            let front = Arc::clone(front);
            let exchange = Arc::new(Exchange::default());
            let guarded = Guarded::new(stream, Arc::clone(&exchange), Arc::clone(&front.refusals));
            let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                exchange.begin();
                let asked = front.receive(&mut request, peer.ip());
                request.extensions_mut().insert(Peer(peer.ip()));
                let answer = service.call(request);
                let (front, exchange) = (Arc::clone(&front), Arc::clone(&exchange));
                async move {
                    let answer = front.send(asked, answer.await?).await;
                    exchange.end();
                    Ok::<_, std::convert::Infallible>(answer)
                }
            });
            let connection = http.serve_connection(TokioIo::new(guarded), service);
            open.spawn(until_closing(connection, Arc::clone(&shared)));
            while open.try_join_next().is_some() {}
            continue;
        }
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            // Asked for by writes and by what names the shop's own address; a cached read does not pay for it.
            if !request.method().is_safe() || request.uri().path() == sitemap::PATH {
                request.extensions_mut().insert(Peer(peer.ip()));
            }
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        open.spawn(until_closing(connection, Arc::clone(&shared)));
        while open.try_join_next().is_some() {}
    }
    // The listener is closed: finish what is under way, transactions in tasks of their own included.
    while open.join_next().await.is_some() {}
    // An order whose client hung up may still be waiting for its payment.
    shared.lifecycle.all_finished().await;
    db.close().await;
}

/// Serves a connection until its client has enough, or the replica closes.
async fn until_closing<I, S, B>(connection: http1::Connection<I, S>, shared: Arc<Shared>)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = std::pin::pin!(connection);
    let first_request = tokio::time::Instant::now() + FIRST_REQUEST;
    let closing = async {
        shared.lifecycle.reached(Phase::Closing).await;
        tokio::time::sleep_until(first_request).await;
    };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = closing => {
            connection.as_mut().graceful_shutdown();
            connection.await.ok();
        }
    }
}
