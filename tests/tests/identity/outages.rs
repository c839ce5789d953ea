//! Sessions while Redis or MySQL is away: Redis decides nothing, and without the change feed no token is believed.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use trestle::Stack;
use trestle_tests::{Shopper, eventually, within};

use crate::{is_refused_at, replicas};

async fn empty_redis(stack: &Stack) {
    let socket = stack.redis_socket().expect("a Redis");
    let mut redis = UnixStream::connect(socket).await.unwrap();
    redis.write_all(b"FLUSHALL\r\n").await.unwrap();
    let mut answer = [0; 5];
    redis.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

async fn refreshed(shopper: &mut Shopper) {
    let body = json!({"refresh_token": shopper.refresh_token});
    let answer = shopper.post("/sessions/refresh", &body).await.expect(200);
    shopper.keep_tokens(&answer);
    shopper.get("/customers/me").await.expect(200);
}

/// One test with a stack of its own: what is taken away here, others would miss.
#[tokio::test]
async fn sessions_are_as_good_as_mysql_and_the_feed_say() {
    let stack = Stack::builder().replicas(2).start().await.expect("a stack");
    let [one, other] = replicas(&stack);
    let mut ann = Shopper::customer(&stack.url()).await;

    // Nobody is logged out by the loss of Redis.
    empty_redis(&stack).await;
    refreshed(&mut ann).await;
    stack.kill_and_hold("redis").await.unwrap();
    refreshed(&mut ann).await;
    let gone = ann.clone();
    ann.log_in().await.expect(201);
    // And a logout needs no Redis to be known everywhere.
    gone.at(&one).delete("/sessions/current").await.expect(204);
    let refused = async || (gone.at(&other).get("/customers/me").await.status == 401).then_some(());
    within(Duration::from_secs(2), "the logout is known", refused).await;
    // Nor does a change of the password.
    let (before, mut desk) = (ann.clone(), ann.clone());
    desk.log_in().await.expect(201);
    let body =
        json!({"current_password": "correct horse battery", "new_password": "staple of another colour"});
    desk.at(&one)
        .put("/customers/me/password", &body)
        .await
        .expect(204);
    is_refused_at(&other, &before).await;
    desk.at(&other).get("/customers/me").await.expect(200);
    ann = desk;
    // A Redis that comes back revives nothing.
    stack.restart_process("redis").await.unwrap();
    refreshed(&mut ann).await;
    for ended in [&gone, &before] {
        for replica in [&one, &other] {
            let there = ended.at(replica);
            there.get("/customers/me").await.refused(401, "unauthenticated");
            let body = json!({"refresh_token": ended.refresh_token});
            there
                .post("/sessions/refresh", &body)
                .await
                .refused(401, "unauthenticated");
        }
    }

    // A replica that cannot know which sessions have ended says so; it does not guess.
    stack.pause("database").unwrap();
    let unknown = async || ann.at(&one).get("/customers/me").await.code() == "unavailable";
    eventually("tokens are not believed", unknown).await;
    let answer = ann
        .at(&one)
        .get("/customers/me")
        .await
        .refused(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    let nobody = Shopper::visitor(&one);
    nobody.get("/customers/me").await.refused(401, "unauthenticated");
    // Nor does it guess at passwords, and that is nobody's failure.
    for _ in 0..3 {
        let body = json!({"email": ann.email, "password": "staple of another colour"});
        let answer = nobody.post("/sessions", &body).await.refused(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    stack.resume("database").unwrap();
    let known = async || ann.at(&one).get("/customers/me").await.status == 200;
    eventually("tokens are believed again", known).await;

    // A replica that starts after a logout loads it before it is ready.
    ann.at(&one).delete("/sessions/current").await.expect(204);
    stack.scale(3).await.unwrap();
    let new = stack
        .replicas()
        .into_iter()
        .find(|replica| replica.name == "api-3")
        .expect("api-3");
    let there = ann.at(&format!("http://{}", new.address));
    there.get("/customers/me").await.refused(401, "unauthenticated");
    stack.stop().await.unwrap();
}
