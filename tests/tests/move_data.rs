//! Growth from stage 1 to 2: `infra/aws/instance/move-data` takes a shop that people buy from to an empty database on another
//! server. Here between two local ones. Both hold the same then, or nothing was moved.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tempfile::TempDir;
use tokio::process::Command;
use trestle::control::Status;
use trestle::{Stack, programs};
use trestle_tests::{Shopper, eventually, within};

/// A shop as `trestle up` runs it, and an empty database beside it. Both end with this value.
struct Shop {
    folder: TempDir,
    target: Stack,
    target_file: PathBuf,
}

impl Shop {
    async fn up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = Stack::builder().database_only().start().await.unwrap();
        let target_file = folder.path().join("target");
        // As a user for rows alone, who may not touch the schema.
        let rows_alone = target.database_url().replacen("trestle@", "mover@", 1);
        std::fs::write(&target_file, rows_alone).unwrap();
        let mut root = MySqlConnection::connect(&target.database_root_url())
            .await
            .unwrap();
        root.execute("CREATE USER mover@localhost").await.unwrap();
        root.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON trestle.* TO mover@localhost")
            .await
            .unwrap();
        let shop = Self {
            folder,
            target,
            target_file,
        };
        let up = [
            "up",
            "--detach",
            "--port",
            "0",
            "--replicas",
            "2",
            "--products",
            "200",
        ];
        shop.succeeds(&up).await;
        shop.succeeds(&["seed", "--products", "0", "--customers", "40", "--orders", "300"])
            .await;
        shop
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command with this stack's data folder, and its programs first in the path.
    fn command(&self, program: &Path) -> Command {
        let own = programs::built("trestle").unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command
            .env("TRESTLE_DATA", self.data())
            .env("PATH", format!("{}:{path}", own.parent().unwrap().display()))
            .env("TRESTLE_LINGER_SECONDS", "0")
            .kill_on_drop(true);
        command
    }

    async fn trestle(&self, arguments: &[&str]) -> Output {
        let program = programs::built("trestle").unwrap();
        self.command(&program).args(arguments).output().await.unwrap()
    }

    async fn succeeds(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.trestle(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output.stdout
    }

    async fn status(&self) -> Status {
        serde_json::from_slice(&self.succeeds(&["status", "--json"]).await).unwrap()
    }

    async fn move_data(&self) -> (Option<i32>, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/aws/instance/move-data");
        let output = self
            .command(&script)
            .arg(&self.target_file)
            .output()
            .await
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// A trestle-api command on the other database.
    async fn there(&self, arguments: &[&str]) -> Output {
        let program = programs::built("trestle-api").unwrap();
        let mut command = self.command(&program);
        command
            .args(arguments)
            .env("TRESTLE_DATABASE_URL", self.target.database_url());
        command.output().await.unwrap()
    }

    async fn migrate_there(&self) {
        let output = self.there(&["migrate"]).await;
        assert!(output.status.success(), "{output:?}");
    }

    async fn audit_there(&self) -> Value {
        let output = self.there(&["audit", "--json"]).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn audit_here(&self) -> Value {
        serde_json::from_slice(&self.succeeds(&["audit", "--json"]).await).unwrap()
    }

    async fn rows_there(&self, table: &str) -> i64 {
        let mut connection = MySqlConnection::connect(&self.target.database_url())
            .await
            .unwrap();
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }

    /// What a replica says of its writes.
    async fn writes(&self) -> Vec<String> {
        let mut all = Vec::new();
        for process in self.status().await.processes {
            let Some(address) = process.ops_address else {
                continue;
            };
            let answer = reqwest::get(format!("http://{address}/writes")).await.unwrap();
            let state: Value = answer.json().await.unwrap();
            all.push(state["writes"].as_str().unwrap().to_owned());
        }
        assert_eq!(all.len(), 2);
        all
    }

    async fn down(self) {
        self.succeeds(&["down"]).await;
        self.target.halt().await.unwrap();
    }
}

impl Drop for Shop {
    /// When a test has failed, the launcher would run on without it.
    fn drop(&mut self) {
        let program = programs::built("trestle").unwrap();
        let down = std::process::Command::new(program)
            .arg("down")
            .env("TRESTLE_DATA", self.data())
            .output();
        assert!(down.is_ok_and(|output| output.status.success()) || std::thread::panicking());
    }
}

/// A variant of the seeded shop that has enough of itself.
async fn variant(shop: &Shop) -> u64 {
    let mut own = MySqlConnection::connect(&database_of(shop)).await.unwrap();
    let plenty = "SELECT variant_id FROM stock WHERE on_hand >= 400 LIMIT 1";
    sqlx::query_scalar(plenty).fetch_one(&mut own).await.unwrap()
}

#[tokio::test]
async fn a_shop_moves_while_people_buy_and_both_sides_hold_the_same() {
    let shop = Shop::up().await;
    shop.migrate_there().await;
    let url = shop.status().await.url;
    let sold = variant(&shop).await;
    let mut customer = Shopper::customer(&url).await;
    let paid = customer.order(sold, 1).await.expect(201).body;
    // Letters, quotes and line breaks that a copy could spoil.
    let review = json!({"rating": 5, "text": "Größe 한국어 ✓ 'quoted' \\ \u{1F600}\nnew line \"end\""});
    let product = &paid["items"][0]["product_id"];
    customer
        .post(&format!("/products/{product}/reviews"), &review)
        .await
        .expect(201);
    // Not paid for yet when the shop moves: the other side ends it.
    let pending = customer
        .send(customer.order_request(sold, 1, "pending", "tok_timeout"))
        .await
        .expect(202)
        .body;

    let buying = tokio::spawn({
        let customer = customer.clone();
        async move {
            let (mut acknowledged, mut refused) = (Vec::new(), 0);
            // Until it has been told for a while that nothing can be changed.
            while refused < 20 {
                let answer = customer.order(sold, 1).await;
                match answer.status {
                    201 => acknowledged.push(answer.body["id"].as_str().unwrap().to_owned()),
                    503 => {
                        assert_eq!(answer.code(), "maintenance", "{}", answer.text);
                        customer.get("/products").await.expect(200);
                        customer.get("/orders").await.expect(200);
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    409 => {}
                    other => unreachable!("{other}: {}", answer.text),
                }
            }
            acknowledged
        }
    });
    let (code, said) = shop.move_data().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("both databases hold the same"), "{said}");
    let acknowledged = buying.await.unwrap();
    assert!(!acknowledged.is_empty());

    let (here, there) = (shop.audit_here().await, shop.audit_there().await);
    assert_eq!(here["tables"], there["tables"]);
    let rows = |table: &str| there["tables"][table]["rows"].as_u64().unwrap();
    assert!(
        rows("orders") >= 300 && rows("products") == 200 && rows("reviews") > 10,
        "{there}"
    );
    // What is written stays stopped here.
    assert_eq!(shop.writes().await, ["off", "off"]);
    // Exactly the other one: its digests see a change of one value in one row.
    let mut other = MySqlConnection::connect(&shop.target.database_url())
        .await
        .unwrap();
    other
        .execute("UPDATE products SET vendor = CONCAT(vendor, '.') WHERE id = 7")
        .await
        .unwrap();
    let changed = shop.audit_there().await;
    assert_ne!(
        changed["tables"]["products"]["digest"],
        there["tables"]["products"]["digest"]
    );
    assert_eq!(changed["tables"]["products"]["rows"], 200);
    other
        .execute("UPDATE products SET vendor = TRIM(TRAILING '.' FROM vendor) WHERE id = 7")
        .await
        .unwrap();
    assert_eq!(shop.audit_there().await["tables"], there["tables"]);

    // The shop on the other database, with the keys of the first: nobody is logged out, nothing acknowledged is gone.
    let keys = shop.data().join("secrets.key");
    let next = Stack::builder()
        .replicas(1)
        .products(0)
        .env("TRESTLE_DATABASE_URL", &shop.target.database_url())
        .env("TRESTLE_SECRETS_KEY_FILE", keys.to_str().unwrap())
        .start()
        .await
        .unwrap();
    customer = customer.at(&next.url());
    for id in acknowledged
        .iter()
        .map(String::as_str)
        .chain([paid["id"].as_str().unwrap()])
    {
        let order = customer.get(&format!("/orders/{id}")).await.expect(200).body;
        assert_eq!(order["state"], "paid", "{order}");
    }
    let pending = pending["id"].as_str().unwrap();
    within(
        Duration::from_secs(40),
        "the pending order is ended",
        async || {
            let order = customer.get(&format!("/orders/{pending}")).await.expect(200).body;
            (order["state"] == "failed").then_some(())
        },
    )
    .await;
    assert_eq!(customer.order(sold, 1).await.expect(201).body["state"], "paid");
    let audit = next.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(audit.status.success(), "{audit:?}");
    next.stop().await.unwrap();
    shop.down().await;
}

#[tokio::test]
async fn what_cannot_be_moved_is_left_as_it_was_and_writes_go_on() {
    let shop = Shop::up().await;
    let url = shop.status().await.url;
    let customer = Shopper::customer(&url).await;
    let goes_on = async |why: &str| {
        let (code, said) = shop.move_data().await;
        assert_eq!(code, Some(1), "{why}: {said}");
        assert!(
            said.contains("nothing was moved") && said.contains("writes are taken again"),
            "{why}: {said}"
        );
        assert_eq!(shop.writes().await, ["on", "on"], "{why}");
        customer.put_in_cart(1, 1).await.expect(200);
        said
    };
    // It has no schema yet, which is another's work.
    let said = goes_on("there is no schema").await;
    assert!(said.contains("run trestle-api migrate first"), "{said}");
    shop.migrate_there().await;

    // It holds somebody's rows already: they stay.
    let mut other = MySqlConnection::connect(&shop.target.database_url())
        .await
        .unwrap();
    let stranger = "INSERT INTO categories (handle, name) VALUES ('theirs', 'Theirs')";
    other.execute(stranger).await.unwrap();
    let said = goes_on("rows are there").await;
    assert!(said.contains("categories has rows there"), "{said}");
    assert_eq!(shop.rows_there("categories").await, 1);
    other.execute("DELETE FROM categories").await.unwrap();

    // The other server breaks off half way, at a table in the middle: what was copied is removed again.
    other
        .execute(
            "CREATE TRIGGER broken BEFORE INSERT ON stock FOR EACH ROW
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the disk is full'",
        )
        .await
        .unwrap();
    let said = goes_on("it breaks off").await;
    assert!(said.contains("the disk is full"), "{said}");
    for table in ["products", "orders", "customers", "variants"] {
        assert_eq!(shop.rows_there(table).await, 0, "{table}");
    }
    other.execute("DROP TRIGGER broken").await.unwrap();

    // It writes something else than it was told.
    other
        .execute("CREATE TRIGGER false_friend BEFORE INSERT ON customers FOR EACH ROW SET NEW.name = LOWER(NEW.name)")
        .await
        .unwrap();
    let said = goes_on("it is unlike").await;
    assert!(
        said.contains("the table customers is not the same on both sides"),
        "{said}"
    );
    assert_eq!(shop.rows_there("customers").await, 0);
    other.execute("DROP TRIGGER false_friend").await.unwrap();

    // Books that do not add up are looked at before they are moved.
    let stray = "UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = 1";
    let mut own = MySqlConnection::connect(&database_of(&shop)).await.unwrap();
    own.execute(stray).await.unwrap();
    let said = goes_on("the books do not add up").await;
    assert!(said.contains("do not add up"), "{said}");
    own.execute("UPDATE stock SET on_hand = on_hand - 1 WHERE variant_id = 1")
        .await
        .unwrap();

    // And then it works.
    eventually("the books add up", async || {
        shop.trestle(&["audit"]).await.status.success()
    })
    .await;
    let (code, said) = shop.move_data().await;
    assert_eq!(code, Some(0), "{said}");
    shop.down().await;
}

fn database_of(shop: &Shop) -> String {
    let run = shop.data().canonicalize().unwrap().join("run");
    let socket = trestle::database::encode(run.join("mysqld.sock").to_str().unwrap());
    format!("mysql://trestle@localhost/trestle?socket={socket}&ssl-mode=DISABLED")
}

#[tokio::test]
async fn wrong_arguments_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/aws/instance/move-data");
    for arguments in [&[][..], &["/nowhere/target"], &["a", "b", "c"]] {
        let mut command = Command::new(&script);
        let output = command
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{output:?}");
    }
}
