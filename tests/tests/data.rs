//! `seed` and `import`: the same shop for the same seed, nothing new from the same file, and every bad file refused in
//! words that help.

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use trestle::Stack;

static STACK: OnceCell<Stack> = OnceCell::const_new();

const HEADER: &str = "Handle,Title,Body (HTML),Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,\
    Variant Inventory Policy,Variant Price,Image Src\n";

/// An empty shop with a database of its own, and a folder for files.
struct Shop {
    url: String,
    database: MySqlConnection,
    folder: TempDir,
}

#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shop {
    async fn create(name: &str) -> Self {
        let stack = STACK
            .get_or_init(async || Stack::builder().replicas(0).products(0).start().await.unwrap())
            .await;
        let root = stack.database_root_url();
        let mut connection = MySqlConnection::connect(&root).await.unwrap();
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
        connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        let (head, query) = root.split_once('?').unwrap();
        let (server, _) = head.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}?{query}");
        let database = MySqlConnection::connect(&url).await.unwrap();
        let shop = Self {
            url,
            database,
            folder: TempDir::new().unwrap(),
        };
        assert_eq!(shop.run(&["migrate"]).await.code, Some(0));
        shop
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        let mut command = STACK.get().unwrap().api_command(arguments).unwrap();
        command.env("TRESTLE_DATABASE_URL", &self.url);
        let output = command.output().await.unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Imports rows below the usual header.
    async fn import(&self, rows: &str, flags: &[&str]) -> Said {
        self.import_bytes(format!("{HEADER}{rows}").as_bytes(), flags)
            .await
    }

    async fn import_bytes(&self, bytes: &[u8], flags: &[&str]) -> Said {
        let path = self.folder.path().join("products.csv");
        std::fs::write(&path, bytes).unwrap();
        self.import_file(&path, flags).await
    }

    async fn import_file(&self, path: &Path, flags: &[&str]) -> Said {
        self.run(&[&["import", path.to_str().unwrap()], flags].concat())
            .await
    }

    async fn count(&mut self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&mut self.database)
            .await
            .unwrap()
    }

    async fn execute(&mut self, sql: &'static str) {
        self.database.execute(sql).await.unwrap();
    }

    async fn rows(&mut self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql)
            .fetch_all(&mut self.database)
            .await
            .unwrap()
    }

    async fn audit(&self) {
        let said = self.run(&["audit"]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

impl Said {
    fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }
}

const WHOLE_SHOP: &str = "SELECT CONCAT_WS('|', p.id, p.handle, p.title, p.search_text, p.vendor, p.tags, p.category_id, p.price_min,
        v.id, v.sku, v.option1, v.option2, v.price, s.on_hand)
    FROM products p JOIN variants v ON v.product_id = p.id JOIN stock s ON s.variant_id = v.id ORDER BY v.id";

#[tokio::test]
async fn the_same_seed_makes_the_same_shop_and_its_books_are_in_order() {
    let mut one = Shop::create("seed_one").await;
    let mut two = Shop::create("seed_two").await;
    let seed = [
        "seed",
        "--products",
        "700",
        "--customers",
        "30",
        "--orders",
        "600",
        "--seed",
        "7",
    ];
    let said = one.run(&seed).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.last_line().starts_with("seeded 700 products"), "{said:?}");
    assert!(said.last_line().contains("rows/s"), "{said:?}");
    assert!(said.last_line().contains("cannot log in"), "{said:?}");
    // In two steps: what one seeding makes does not depend on how many there are.
    for step in [["seed", "--products", "300"], ["seed", "--products", "400"]] {
        let step = [&step[..], &["--customers", "0", "--seed", "7"]].concat();
        assert_eq!(two.run(&step).await.code, Some(0));
    }
    let shop = one.rows(WHOLE_SHOP).await;
    assert!(shop.len() > 700);
    assert_eq!(shop, two.rows(WHOLE_SHOP).await);
    assert_eq!(
        one.count("SELECT COUNT(*) FROM orders WHERE state = 'paid'")
            .await,
        600
    );
    assert_eq!(
        one.count("SELECT COUNT(*) FROM customers WHERE password_hash IS NOT NULL")
            .await,
        0
    );
    // Who reviewed a product ordered it before; the audit knows that the ratings add up.
    assert!(one.count("SELECT COUNT(*) FROM reviews").await > 100);
    let strangers = "SELECT COUNT(*) FROM reviews r WHERE NOT EXISTS (
        SELECT 1 FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.customer_id = r.customer_id AND l.product_id = r.product_id AND o.created_at < r.created_at)";
    assert_eq!(one.count(strangers).await, 0);
    let rated = "SELECT COUNT(*) FROM product_ratings p JOIN changes c ON c.kind = 'product' AND c.id_key = p.product_id
        JOIN product_state s ON s.product_id = p.product_id AND s.version = c.version";
    assert_eq!(
        one.count(rated).await,
        one.count("SELECT COUNT(*) FROM product_ratings").await
    );
    one.audit().await;

    let again = one.run(&["seed", "--products", "5", "--if-empty"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.last_line().contains("nothing was seeded"), "{again:?}");
    assert_eq!(one.count("SELECT COUNT(*) FROM products").await, 700);
}

#[tokio::test]
async fn seeding_adds_to_a_shop_and_gives_its_customers_the_password() {
    let mut shop = Shop::create("seed_more").await;
    for _ in 0..2 {
        let seed = [
            "seed",
            "--products",
            "20",
            "--customers",
            "10",
            "--orders",
            "10",
            "--password",
            "open sesame",
        ];
        let said = shop.run(&seed).await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    assert_eq!(
        shop.count("SELECT COUNT(DISTINCT email) FROM customers").await,
        20
    );
    assert_eq!(shop.count("SELECT COUNT(*) FROM products").await, 40);
    // One hash for each seeding.
    let hashes = "SELECT COUNT(DISTINCT password_hash) FROM customers WHERE password_hash LIKE '$argon2id$%'";
    assert_eq!(shop.count(hashes).await, 2);
    shop.audit().await;
}

#[tokio::test]
async fn seeded_products_have_pictures_where_an_address_is_given_and_are_the_same_otherwise() {
    let mut plain = Shop::create("seed_plain").await;
    let mut pictured = Shop::create("seed_pictured").await;
    let seed = ["seed", "--products", "60", "--customers", "0"];
    assert_eq!(plain.run(&seed).await.code, Some(0));
    let address = ["--pictures", "https://pictures.example/seed/"];
    assert_eq!(pictured.run(&[&seed[..], &address].concat()).await.code, Some(0));
    assert_eq!(plain.count("SELECT COUNT(*) FROM product_pictures").await, 0);
    assert_eq!(plain.rows(WHOLE_SHOP).await, pictured.rows(WHOLE_SHOP).await);
    let pictures = "SELECT CONCAT_WS('|', p.id, x.position, x.url, x.alt = p.title, x.variant_id IS NULL)
        FROM products p JOIN product_pictures x ON x.product_id = p.id ORDER BY p.id";
    let expected = |ids: std::ops::RangeInclusive<u64>, folder: &str| -> Vec<String> {
        ids.map(|id| format!("{id}|1|{folder}/{:02}.svg|1|1", id % 24))
            .collect()
    };
    let first = pictured.rows(pictures).await;
    assert_eq!(first, expected(1..=60, "https://pictures.example/seed"));
    assert!(first[22].contains("/23.svg") && first[23].contains("/00.svg"));

    // Seeding again adds to it, and leaves what was there.
    let elsewhere = ["--pictures", "http://other.example"];
    assert_eq!(
        pictured.run(&[&seed[..], &elsewhere].concat()).await.code,
        Some(0)
    );
    let all = pictured.rows(pictures).await;
    assert_eq!(all[..60], first);
    assert_eq!(all[60..], expected(61..=120, "http://other.example"));
    let once = ["--pictures", "https://third.example", "--if-empty"];
    assert_eq!(pictured.run(&[&seed[..], &once].concat()).await.code, Some(0));
    assert_eq!(pictured.rows(pictures).await, all);
    for wrong in [
        "pictures",
        "ftp://a.example",
        "https://",
        "https://a.example/?x=1",
    ] {
        let said = pictured.run(&["seed", "--pictures", wrong]).await;
        assert_eq!(said.code, Some(64), "{said:?}");
        assert!(said.err.contains("--pictures"), "{said:?}");
    }
}

#[tokio::test]
async fn pictures_are_given_and_moved_and_those_of_ones_own_stay() {
    let mut shop = Shop::create("pictures").await;
    let seed = ["seed", "--products", "26", "--customers", "0"];
    assert_eq!(shop.run(&seed).await.code, Some(0));
    shop.execute("INSERT INTO product_pictures (product_id, position, url) VALUES (2, 1, 'https://own.example/02.png')")
        .await;
    shop.execute("INSERT INTO product_pictures (product_id, position, url) VALUES (3, 1, 'https://own.example/03.svg'), (3, 2, 'https://own.example/x.svg')")
        .await;
    let pictures = "SELECT CONCAT_WS('|', p.id, x.url, x.alt = p.title) FROM products p
        JOIN product_pictures x ON x.product_id = p.id WHERE p.id NOT IN (2, 3) ORDER BY p.id";
    let own = "SELECT CONCAT(product_id, url) FROM product_pictures WHERE url LIKE 'https://own%' ORDER BY product_id, position";
    let stayed = shop.rows(own).await;
    assert_eq!(stayed.len(), 3);
    let versions = "SELECT CONCAT_WS('|', s.product_id, s.version,
        (SELECT MAX(c.version) FROM changes c WHERE c.kind = 'product' AND c.id_key = s.product_id)) FROM product_state s ORDER BY s.product_id";
    let before = shop.rows(versions).await;
    for (folder, changed) in [
        ("https://one.example/pictures", "24 products changed"),
        ("https://two.example", "24 products changed"),
        ("https://two.example/", "0 products changed"),
    ] {
        let said = shop.run(&["pictures", folder]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(format!("{said:?}").contains(changed), "{said:?}");
        let folder = folder.trim_end_matches('/');
        let expected: Vec<String> = (1..=26)
            .filter(|id| ![2, 3].contains(id))
            .map(|id| format!("{id}|{folder}/{:02}.svg|1", id % 24))
            .collect();
        assert_eq!(shop.rows(pictures).await, expected);
    }
    assert_eq!(shop.rows(own).await, stayed);
    // Replicas hear of what changed, and of nothing else.
    let after = shop.rows(versions).await;
    for (id, (before, after)) in (1..).zip(before.iter().zip(&after)) {
        if [2, 3].contains(&id) {
            assert_eq!(before, after);
        } else {
            let [version, told] = [1, 2].map(|at| after.split('|').nth(at).unwrap().to_owned());
            assert_eq!(version, told, "{after}");
            assert_ne!(before, after);
        }
    }
    let said = shop.run(&["pictures", "ftp://a.example"]).await;
    assert_eq!(said.code, Some(64), "{said:?}");
    assert!(said.err.contains("URL"), "{said:?}");
    shop.audit().await;
}

#[tokio::test]
async fn a_seed_that_cannot_be_is_refused_in_one_line() {
    let shop = Shop::create("seed_refused").await;
    assert_eq!(
        shop.run(&["seed", "--products", "3", "--customers", "0"])
            .await
            .code,
        Some(0)
    );
    for (arguments, code, word) in [
        (&["seed", "--currency", "EUR"][..], 64, "TRESTLE_CURRENCY"),
        (&["seed", "--currency", "euro"], 64, "TRESTLE_CURRENCY"),
        (&["seed", "--password", "short"], 64, "--password"),
        (
            &["seed", "--products", "0", "--customers", "0", "--orders", "1"],
            64,
            "--orders",
        ),
        (&["seed", "--products", "many"], 64, "--products"),
    ] {
        let said = shop.run(arguments).await;
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(
            said.err.contains(word) && said.err.trim().lines().count() == 1,
            "{said:?}"
        );
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/shopify-apparel.csv")
}

#[tokio::test]
async fn a_real_export_is_imported_once_and_changes_nothing_the_second_time() {
    let mut shop = Shop::create("import_twice").await;
    let first = shop.import_file(&fixture(), &[]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(
        first
            .last_line()
            .starts_with("20 products created, 0 updated, 0 unchanged; 22 variants created"),
        "{first:?}"
    );
    let state = "SELECT CONCAT_WS('|', p.handle, p.title, p.price_min, p.updated_at, c.handle, s.version, s.in_stock)
        FROM products p JOIN product_state s ON s.product_id = p.id JOIN categories c ON c.id = p.category_id ORDER BY p.id";
    let before = shop.rows(state).await;
    assert!(
        before[0].starts_with("ocean-blue-shirt|Ocean Blue Shirt|5000|"),
        "{before:?}"
    );
    assert!(before[0].ends_with("|men|1|1"), "{before:?}");
    assert_eq!(shop.count("SELECT COUNT(*) FROM product_pictures").await, 20);
    for flags in [&[][..], &["--all-or-nothing"]] {
        let second = shop.import_file(&fixture(), flags).await;
        assert_eq!(second.code, Some(0), "{second:?}");
        assert_eq!(
            second.last_line(),
            "0 products created, 0 updated, 20 unchanged; 0 variants created, 0 updated; 0 rows refused; 0 warnings"
        );
    }
    assert_eq!(shop.rows(state).await, before);
    assert_eq!(shop.count("SELECT COUNT(*) FROM changes").await, 0);
    shop.audit().await;
}

#[tokio::test]
async fn what_differs_is_written_and_announced_and_stock_is_left_alone() {
    let mut shop = Shop::create("import_update").await;
    let said = shop
        .import(
            "cup,Cup,<p>Hot<script>x()</script></p>,Kitchen,true,Size,S,A,5,deny,9.50,https://a.example/1.jpg\n\
             cup,,,,,,M,B,6,deny,12,https://a.example/2.jpg\n\
             pan,Pan,,Kitchen,true,Title,Default Title,,1,continue,30,\n",
            &[],
        )
        .await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out
            .contains("warning: line 4: Variant Inventory Policy: continue is taken as deny"),
        "{said:?}"
    );
    assert_eq!(
        shop.rows("SELECT description FROM products WHERE handle = 'cup'")
            .await,
        ["<p>Hot</p>"]
    );

    // A line break inside quotes, another price, the two SKUs exchanged, one variant more, another quantity.
    let update = "cup,Cup,\"<p>Hot\r\ncup</p>\",Kitchen,true,Size,S,B,50,deny,9.00,https://a.example/1.jpg\r\n\
         cup,,,,,,M,A,60,deny,12,https://a.example/2.jpg\r\n\
         cup,,,,,,L,C,7,deny,14,\r\n\
         pan,Pan,,Kitchen,true,Title,Default Title,,1,deny,30,\r\n";
    let said = shop.import(update, &[]).await;
    assert_eq!(
        said.last_line(),
        "0 products created, 1 updated, 1 unchanged; 1 variant created, 2 updated; 0 rows refused; 0 warnings",
        "{said:?}"
    );
    let variants = "SELECT CONCAT_WS(' ', v.position, v.option1, v.sku, v.price, s.on_hand) FROM variants v
        JOIN stock s ON s.variant_id = v.id JOIN products p ON p.id = v.product_id WHERE p.handle = 'cup' ORDER BY v.position";
    assert_eq!(
        shop.rows(variants).await,
        ["1 S B 900 5", "2 M A 1200 6", "3 L C 1400 7"]
    );
    let changes = "SELECT CONCAT_WS(' ', c.kind, p.handle, c.version, s.version, p.price_min) FROM changes c
        JOIN products p ON p.id = c.id_key JOIN product_state s ON s.product_id = p.id";
    assert_eq!(shop.rows(changes).await, ["product cup 2 2 900"]);
    let said = shop.import(update, &[]).await;
    assert!(
        said.last_line()
            .starts_with("0 products created, 0 updated, 2 unchanged"),
        "{said:?}"
    );
    assert_eq!(shop.count("SELECT COUNT(*) FROM changes").await, 1);
    shop.audit().await;
}

/// An editor withdraws a product while a file that says nothing of it is imported: the import waits and leaves it so.
#[tokio::test]
async fn an_import_waits_for_an_editor_and_leaves_what_was_edited() {
    let mut shop = Shop::create("import_editor").await;
    shop.import("cup,Cup,,,true,,,,1,,9,\n", &[]).await;
    let mut editor = MySqlConnection::connect(&shop.url).await.unwrap();
    editor.execute("START TRANSACTION").await.unwrap();
    let withdraw = "UPDATE products SET published = 0 WHERE handle = 'cup'";
    editor.execute(withdraw).await.unwrap();
    let file = shop.folder.path().join("titles.csv");
    std::fs::write(&file, "Handle,Title,Variant Price\ncup,Mug,9\n").unwrap();
    let mut import = STACK
        .get()
        .unwrap()
        .api_command(&["import", file.to_str().unwrap()])
        .unwrap();
    let import = import.env("TRESTLE_DATABASE_URL", &shop.url).output();
    let commit = async {
        let waits = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'
            AND trx_query LIKE '%products%'";
        let mut waited = false;
        for _ in 0..40 {
            // The server renews this table only when nobody has read it for 100 ms.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            waited = shop.count(waits).await > 0;
            if waited {
                break;
            }
        }
        editor.execute("COMMIT").await.unwrap();
        assert!(waited);
    };
    let (imported, ()) = tokio::join!(import, commit);
    assert!(imported.as_ref().unwrap().status.success(), "{imported:?}");
    let now = "SELECT CONCAT_WS(' ', title, published) FROM products";
    assert_eq!(shop.rows(now).await, ["Mug 0"]);
}

#[tokio::test]
async fn bad_rows_are_named_and_the_good_ones_imported_or_none() {
    let mut shop = Shop::create("import_bad_rows").await;
    shop.import("taken,Taken,,,,,,SKU-1,1,,5,\n", &[]).await;
    let rows = "abc,Abc,,,,,,,1,,abc,\n\
        minus,Minus,,,,,,,1,,-1,\n\
        cents,Cents,,,,,,,1,,9.999,\n\
        ok,Good,,,,Size,S,,3,,9,\n\
        ok,,,,,,M,SKU-1,3,,9,\n\
        ok,,,,,,L,SKU-2,3,,9,\n\
        ftp,Ftp,,,,,,,1,,9,ftp://a.example/x\n\
        twice,Twice,,,,,,SKU-2,1,,9,\n\
        ok,Good,,,,Size,XL,,3,,9,\n\
        many,Many,,,,,,,lots,,9,\n";
    let before = shop.rows(WHOLE_SHOP).await;
    let none = shop.import(rows, &["--all-or-nothing"]).await;
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(
        none.last_line()
            .starts_with("nothing was imported (--all-or-nothing): 8 rows refused"),
        "{none:?}"
    );
    assert_eq!(shop.rows(WHOLE_SHOP).await, before);
    let some = shop.import(rows, &[]).await;
    assert_eq!(some.code, Some(1), "{some:?}");
    assert_eq!(
        some.last_line(),
        "1 product created, 0 updated, 0 unchanged; 2 variants created, 0 updated; 8 rows refused; 0 warnings"
    );
    for said in [&none, &some] {
        for line in [
            "refused: line 2: Variant Price: \"abc\" is not a price",
            "refused: line 3: Variant Price: \"-1\" is negative",
            "refused: line 4: Variant Price: \"9.999\" has more decimals than USD (2)",
            "refused: line 6: Variant SKU: \"SKU-1\" belongs to a variant of taken",
            "refused: line 8: Image Src: \"ftp://a.example/x\" is not an http or https address",
            "refused: line 9: Variant SKU: \"SKU-2\" is in line 7, too",
            "refused: line 10: Handle: rows of one handle must follow one another: ok began in line 5",
            "refused: line 11: Variant Inventory Qty: \"lots\" is not a whole number",
        ] {
            assert!(said.out.lines().any(|told| told == line), "{line}: {said:?}");
        }
    }
    shop.audit().await;
}

#[tokio::test]
async fn files_that_are_none_are_refused_in_words_that_help() {
    let mut shop = Shop::create("import_bad_files").await;
    let missing = shop.folder.path().join("missing.csv");
    assert!(
        shop.import_file(&missing, &[])
            .await
            .err
            .contains("missing.csv: No such file")
    );
    let folder = shop.folder.path().to_owned();
    assert!(
        shop.import_file(&folder, &[])
            .await
            .err
            .contains("is a directory")
    );
    let latin = [
        HEADER.as_bytes(),
        b"caf\xE9,Caf\xE9,,,,,,,1,,9,\nok,Ok,,,,,,,1,,9,\n",
    ]
    .concat();
    for (bytes, word) in [
        (&b""[..], "the file is empty"),
        (b"\xEF\xBB\xBF\r\n", "the file is empty"),
        (
            b"Title,Price\nCup,1\n",
            "line 1: the header lacks Handle, Variant Price",
        ),
        (b"\xFF\xFEH\0a\0n\0d\0", "line 1: the header is not UTF-8"),
        (&latin, "refused: line 2: Handle: is not UTF-8"),
    ] {
        for flags in [&["--all-or-nothing"][..], &[]] {
            let said = shop.import_bytes(bytes, flags).await;
            assert_eq!(said.code, Some(1), "{said:?}");
            assert!(
                format!("{}{}", said.out, said.err).contains(word),
                "{word}: {said:?}"
            );
        }
    }
    assert_eq!(shop.rows("SELECT handle FROM products").await, ["ok"]);
    assert_eq!(shop.run(&["import"]).await.code, Some(64));
    assert_eq!(shop.import("", &["--currency", "EUR"]).await.code, Some(64));

    // With a mark at its beginning and the other line ending it is a good file.
    let marked = format!("\u{FEFF}{HEADER}ok,Ok,,,,,,,1,,9,\n").replace('\n', "\r\n");
    let said = shop.import_bytes(marked.as_bytes(), &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.last_line().contains("1 unchanged"), "{said:?}");
}

/// Two gigabytes (sparse: nothing is written to the disk) that begin with a quotation mark nobody closes.
#[tokio::test]
async fn a_record_without_an_end_ends_the_import_at_once() {
    let mut shop = Shop::create("import_endless").await;
    let path = shop.folder.path().join("endless.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    write!(
        file,
        "{HEADER}first,First,,,,,,,1,,9,\nsecond,Second,,,,,,,1,,9,\nthird,\""
    )
    .unwrap();
    file.set_len(2 << 30).unwrap();
    file.rewind().unwrap();
    let none = shop.import_file(&path, &["--all-or-nothing"]).await;
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(
        none.err
            .contains("line 4: the record that begins here is larger than 1 MiB"),
        "{none:?}"
    );
    assert_eq!(shop.count("SELECT COUNT(*) FROM products").await, 0);
    let some = shop.import_file(&path, &[]).await;
    assert_eq!(some.code, Some(1), "{some:?}");
    assert!(some.err.contains("line 4"), "{some:?}");
    assert_eq!(
        shop.rows("SELECT handle FROM products ORDER BY id").await,
        ["first", "second"]
    );
}
