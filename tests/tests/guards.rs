//! The guards of the database and Redis links, each against a loss that was reproduced without it: lost writes,
//! leaked pool permits, cancelled transactions, a Redis link that never comes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Executor as _, MySqlConnection};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{OnceCell, watch};
use trestle::Stack;
use trestle_api::cache::Cache;
use trestle_api::cache::redis::{Redis, Reply, client};
use trestle_api::db::{Db, Deadline};
use trestle_api::error::Error;
use trestle_tests::{eventually, sql};

static STACK: OnceCell<Stack> = OnceCell::const_new();

/// The tiers without replicas: these tests are the API's own code against real servers.
async fn stack() -> &'static Stack {
    STACK
        .get_or_init(async || Stack::builder().replicas(0).products(0).start().await.unwrap())
        .await
}

async fn table(stack: &Stack, name: &str) -> MySqlConnection {
    let mut connection = sql(stack).await;
    let create = format!("CREATE TABLE {name} (id INT PRIMARY KEY) ENGINE = InnoDB");
    connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    connection
}

async fn count(connection: &mut MySqlConnection, table: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap()
}

fn seconds(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds))
}

/// Without the guard the connection comes back inside the open transaction, and the write is lost.
#[tokio::test]
async fn a_write_after_a_cancelled_transaction_is_kept() {
    let stack = stack().await;
    let mut observer = table(stack, "guard_cancelled").await;
    let db = Db::new(stack.database_url().parse().unwrap(), 1);
    let cancelled = db.read(seconds(5), |connection| {
        Box::pin(async move {
            connection.execute("START TRANSACTION").await?;
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    tokio::time::timeout(Duration::from_millis(300), cancelled)
        .await
        .unwrap_err();

    db.read(seconds(5), |connection| {
        Box::pin(async move {
            connection
                .execute("INSERT INTO guard_cancelled VALUES (1)")
                .await?;
            Ok(())
        })
    })
    .await
    .unwrap();
    db.close().await;
    assert_eq!(
        count(&mut observer, "guard_cancelled").await,
        1,
        "an acknowledged write was lost"
    );
}

/// A client that hangs up drops the handler's future; what it began comes to its end all the same.
#[tokio::test]
async fn a_transaction_outlives_who_asked_for_it() {
    let stack = stack().await;
    let mut observer = table(stack, "guard_hangup").await;
    let db = Db::new(stack.database_url().parse().unwrap(), 1);
    let asked = db.transact(seconds(5), |tx| {
        Box::pin(async move {
            tx.execute("INSERT INTO guard_hangup VALUES (1)").await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            tx.execute("INSERT INTO guard_hangup VALUES (2)").await?;
            Ok(())
        })
    });
    tokio::time::timeout(Duration::from_millis(100), asked)
        .await
        .unwrap_err();
    eventually("both rows are committed", async || {
        count(&mut observer, "guard_hangup").await == 2
    })
    .await;
}

#[tokio::test]
async fn a_refusal_rolls_everything_back() {
    let stack = stack().await;
    let mut observer = table(stack, "guard_refused").await;
    let db = Db::new(stack.database_url().parse().unwrap(), 1);
    let outcome: Result<(), Error> = db
        .transact(seconds(5), |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO guard_refused VALUES (1)").await?;
                Err(Error::NotFound("thing"))
            })
        })
        .await;
    assert!(matches!(outcome, Err(Error::NotFound("thing"))));
    assert_eq!(count(&mut observer, "guard_refused").await, 0);
}

/// Two transactions that lock two rows in opposite order: one is rolled back by the server and tried again.
#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let stack = stack().await;
    let mut observer = table(stack, "guard_deadlock").await;
    observer
        .execute("INSERT INTO guard_deadlock VALUES (1), (2)")
        .await
        .unwrap();
    let db = Db::new(stack.database_url().parse().unwrap(), 2);
    let both_hold_one = Arc::new(tokio::sync::Barrier::new(2));
    let locks = |first: i32, second: i32| {
        let barrier = Arc::clone(&both_hold_one);
        let met = Arc::new(std::sync::atomic::AtomicBool::new(false));
        db.transact(seconds(5), move |tx| {
            let (barrier, met) = (Arc::clone(&barrier), Arc::clone(&met));
            Box::pin(async move {
                let lock = "SELECT id FROM guard_deadlock WHERE id = ? FOR UPDATE";
                sqlx::query(lock).bind(first).execute(&mut *tx).await?;
                if !met.swap(true, std::sync::atomic::Ordering::Relaxed) {
                    barrier.wait().await;
                }
                sqlx::query(lock).bind(second).execute(&mut *tx).await?;
                Ok(())
            })
        })
    };
    let (one, other) = tokio::join!(locks(1, 2), locks(2, 1));
    one.unwrap();
    other.unwrap();
}

/// Five queries on dead links; without the guard their places in the pool never come back.
#[tokio::test]
async fn dead_links_do_not_use_the_pool_up() {
    let stack = stack().await;
    let path = socket_of(&stack.database_url());
    let bridge = Bridge::open(&path).await;
    let url = format!(
        "mysql://trestle@127.0.0.1:{}/trestle?ssl-mode=DISABLED",
        bridge.port
    );
    let db = Db::new(url.parse().unwrap(), 3);
    let ask = || {
        db.read(Deadline::after(Duration::from_millis(500)), |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar("SELECT CAST(SLEEP(0.05) AS SIGNED)");
                let answer: i64 = query.fetch_one(connection).await?;
                Ok(answer)
            })
        })
    };
    assert_eq!(tokio::join!(ask(), ask(), ask()).0.unwrap(), 0);
    bridge.freeze_all();
    for _ in 0..5 {
        ask().await.unwrap_err();
    }
    bridge.thaw_for_new_ones();
    eventually("the pool works again", async || ask().await.is_ok()).await;
    for _ in 0..20 {
        ask().await.unwrap();
    }
}

/// redis-rs's manager stays on a link whose answers stopped; ours makes another.
#[tokio::test]
async fn a_redis_link_that_hangs_is_replaced() {
    let stack = stack().await;
    let bridge = Bridge::open(stack.redis_socket().unwrap()).await;
    let client = client(&format!("redis://127.0.0.1:{}/0", bridge.port)).unwrap();
    let redis = Redis::new(client, Arc::new(Cache::new(0, false, true)));
    redis.warm().await;
    let value = [b"00000000000000010000000000000001+".as_slice(), b"body"].concat();
    assert!(redis.set_if_newer("guard", &value, Duration::from_secs(60)).await);
    assert_eq!(redis.get("guard").await, Reply::Got(Some(value.into())));

    bridge.freeze_all();
    let began = std::time::Instant::now();
    assert_eq!(redis.get("guard").await, Reply::Failed, "a dead link is a miss");
    assert!(began.elapsed() < Duration::from_secs(1), "each call is bounded");
    for _ in 0..5 {
        redis.get("guard").await;
    }
    bridge.thaw_for_new_ones();
    eventually("another link is made", async || {
        matches!(redis.get("guard").await, Reply::Got(Some(_)))
    })
    .await;
}

#[tokio::test]
async fn redis_keeps_the_newer_of_two_values() {
    let stack = stack().await;
    let redis = Redis::new(
        client(&stack.redis_url().unwrap()).unwrap(),
        Arc::new(Cache::new(0, false, true)),
    );
    redis.warm().await;
    let value = |version: u64| format!("{version:016x}{:016x}+v{version}", 1).into_bytes();
    for version in [9, 10, 2, 10] {
        assert!(
            redis
                .set_if_newer("newer", &value(version), Duration::from_secs(60))
                .await
        );
    }
    assert_eq!(redis.get("newer").await, Reply::Got(Some(value(10).into())));
}

fn socket_of(url: &str) -> PathBuf {
    let (_, query) = url.split_once('?').unwrap();
    let socket = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("socket="))
        .unwrap();
    PathBuf::from(socket.replace("%2F", "/"))
}

/// A TCP door to a server's socket whose open connections can be frozen: they stay open and nothing passes.
struct Bridge {
    port: u16,
    /// Connections whose number is lower pass nothing.
    frozen_below: watch::Sender<u64>,
}

impl Bridge {
    async fn open(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (frozen_below, frozen) = watch::channel(0_u64);
        let socket = socket.to_owned();
        tokio::spawn(async move {
            for number in 0_u64.. {
                let Ok((client, _)) = listener.accept().await else {
                    return;
                };
                let mut frozen = frozen.clone();
                let socket = socket.clone();
                tokio::spawn(async move {
                    let Ok(server) = UnixStream::connect(socket).await else {
                        return;
                    };
                    let (mut client, mut server) = (client, server);
                    let passed = tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => true,
                        _ = frozen.wait_for(|below| number < *below) => false,
                    };
                    if !passed {
                        // Held open until the test ends.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { port, frozen_below }
    }

    /// Freezes the connections there are, and those to come.
    fn freeze_all(&self) {
        self.frozen_below.send_replace(u64::MAX);
    }

    /// New connections work; what was frozen stays so.
    fn thaw_for_new_ones(&self) {
        self.frozen_below.send_replace(0);
    }
}
