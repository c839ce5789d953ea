//! Reads that a cache answers, against bare axum: CPU of the replica for each read. And what each layer around a read costs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use http::{Method, StatusCode, header};
use trestle_api::metrics::METRICS;

use super::client::{Target, drive, gets, request};
use super::compare::{Comparison, Measure, Round, Sample, Subject, median};
use super::limit::axum::{Bare, Payload};
use super::measure::Meter;
use super::result::Layer;
use super::shop::Shop;
use super::{Setting, say};

/// Keep-alive connections of the client.
pub const CONNECTIONS: usize = 16;
/// The headers that hyper writes by itself, for bare axum too.
const HYPERS_OWN: [header::HeaderName; 2] = [header::DATE, header::CONTENT_LENGTH];
const MEMORY: &str = "memory; hit";
const REDIS: &str = "redis; hit";

/// The products that are asked for.
#[derive(Debug, Clone)]
pub struct Products {
    pub all: Vec<u64>,
    /// The one whose answer is as long as the mean of all, so that one body stands for all of them.
    pub hot: u64,
    pub payload: Payload,
}

impl Products {
    /// Reads each of them once.
    ///
    /// # Errors
    /// When the shop does not answer.
    pub async fn read(shop: &Shop, all: Vec<u64>) -> Result<Self> {
        let mut lengths = Vec::with_capacity(all.len());
        for id in &all {
            lengths.push(shop.get(&path(*id)).await?.body.len());
        }
        let mean = lengths.iter().sum::<usize>() / lengths.len().max(1);
        let nearest = lengths
            .iter()
            .zip(&all)
            .min_by_key(|(length, _)| length.abs_diff(mean));
        let (_, hot) = nearest.context("the shop has no products")?;
        // Twice: the second answer has the headers of a memory hit.
        shop.get(&path(*hot)).await?;
        let answer = shop.get(&path(*hot)).await?;
        let headers = answer
            .headers
            .iter()
            .filter(|(name, _)| !HYPERS_OWN.contains(name));
        let payload = Payload {
            body: String::from_utf8(answer.body.to_vec())?,
            etag: answer
                .headers
                .get(header::ETAG)
                .and_then(|etag| etag.to_str().ok())
                .context("a product without an entity tag")?
                .to_owned(),
            headers: headers
                .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
                .collect::<Result<_>>()?,
        };
        Ok(Self {
            hot: *hot,
            all,
            payload,
        })
    }

    fn paths(&self, which: Which) -> Vec<String> {
        match which {
            Which::Hot => vec![path(self.hot)],
            Which::All => self.all.iter().map(|id| path(*id)).collect(),
        }
    }
}

/// The address of a product.
pub fn path(id: u64) -> String {
    format!("/api/v1/products/{id}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Hot,
    All,
}

/// One kind of cached read.
#[derive(Debug, Clone, Copy)]
struct Case {
    id: &'static str,
    title: &'static str,
    which: Which,
    cache: &'static str,
    unchanged: bool,
    access_log: &'static str,
    target: Option<f64>,
    note: &'static str,
}

const METRICS_ON: &str = "access log off; metrics cannot be switched off, what they cost is listed";
const HOT: Case = Case {
    id: "memory_hit",
    title: "Product in memory, one",
    which: Which::Hot,
    cache: MEMORY,
    unchanged: false,
    access_log: "off",
    target: Some(0.85),
    note: METRICS_ON,
};
const CASES: [Case; 6] = [
    HOT,
    Case {
        id: "memory_hit_1000",
        title: "Product in memory, over 1,000",
        which: Which::All,
        ..HOT
    },
    Case {
        id: "not_modified",
        title: "Product unchanged (304)",
        unchanged: true,
        target: None,
        ..HOT
    },
    Case {
        id: "as_shipped",
        title: "Product in memory, as shipped",
        access_log: "on",
        target: Some(0.60),
        note: "access log and metrics on; lines go to a file",
        ..HOT
    },
    Case {
        id: "redis_hit",
        title: "Product in Redis, over 1,000",
        which: Which::All,
        cache: REDIS,
        target: Some(0.55),
        ..HOT
    },
    Case {
        id: "redis_hit_one",
        title: "Product in Redis, one",
        cache: REDIS,
        target: None,
        note: "requests for one key at a time share one answer of Redis",
        ..HOT
    },
];

/// All cached reads, and what the layers cost.
///
/// # Errors
/// When one side does not answer as it should.
pub async fn compare(
    setting: &Setting,
    shop: &Shop,
    products: &Products,
    bare: &Bare,
) -> Result<(Vec<Comparison>, Vec<Layer>)> {
    let cases: Vec<&Case> = CASES.iter().filter(|case| setting.wants(case.id)).collect();
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); cases.len()];
    let mut dressed = Vec::new();
    for number in 1..=setting.rounds {
        for (case, rounds) in cases.iter().zip(&mut rounds) {
            say(&format!("round {number}: {}", case.title));
            rounds.push(round(setting, shop, products, bare, case).await?);
        }
        let target = bare_target(bare, StatusCode::OK);
        dressed.push(drive(target, setting.window, gets(vec!["/dressed/1".into()])).await?);
    }
    shop.access_log("off").await?;
    shop.caches("on", "on").await?;
    let comparisons: Vec<Comparison> = cases
        .iter()
        .zip(rounds)
        .map(|(case, rounds)| Comparison::of(case.subject(), rounds))
        .collect();
    let layers = layers(&comparisons, &dressed);
    Ok((comparisons, layers))
}

impl Case {
    fn subject(&self) -> Subject {
        Subject {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            limit: "bare axum".to_owned(),
            unit: "read".to_owned(),
            measure: Measure::Cpu,
            target: self.target,
            note: self.note.to_owned(),
        }
    }
}

async fn round(
    setting: &Setting,
    shop: &Shop,
    products: &Products,
    bare: &Bare,
    case: &Case,
) -> Result<Round> {
    prepare(shop, products, case).await?;
    shop.access_log(case.access_log).await?;
    let status = if case.unchanged {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let target = Target {
        address: shop.api,
        connections: CONNECTIONS,
        meter: Meter::Process(shop.api_pid),
        status,
        cache: Some(case.cache),
    };
    let bare_target = bare_target(bare, status);
    if case.unchanged {
        let etag = products.payload.etag.clone();
        let asked = move |path: String, etag: String| {
            move |_, _| request(Method::GET, &path, &[("if-none-match", &etag)], "")
        };
        return Ok(Round {
            shop: drive(target, setting.window, asked(path(products.hot), etag.clone())).await?,
            limit: drive(bare_target, setting.window, asked("/unchanged/1".into(), etag)).await?,
        });
    }
    let paths = products.paths(case.which);
    Ok(Round {
        shop: drive(target, setting.window, gets(paths.clone())).await?,
        limit: drive(bare_target, setting.window, gets(paths)).await?,
    })
}

/// Fresh entries in the layer that is measured: old ones would be renewed in the middle of the window.
async fn prepare(shop: &Shop, products: &Products, case: &Case) -> Result<()> {
    let memory = if case.cache == REDIS { "off" } else { "on" };
    shop.caches(memory, "on").await?;
    shop.flush().await?;
    for path in products.paths(case.which) {
        shop.get(&path).await?;
    }
    Ok(())
}

fn bare_target(bare: &Bare, status: StatusCode) -> Target {
    Target {
        address: bare.address,
        connections: CONNECTIONS,
        meter: Meter::Process(bare.pid),
        status,
        cache: None,
    }
}

/// CPU microseconds of each layer around a read from memory; they add up to the read as shipped.
fn layers(comparisons: &[Comparison], dressed: &[Sample]) -> Vec<Layer> {
    let of = |id: &str| comparisons.iter().find(|comparison| comparison.subject.id == id);
    let (Some(hot), Some(shipped)) = (of("memory_hit"), of("as_shipped")) else {
        return Vec::new();
    };
    let dressed = median(dressed.iter().map(Sample::cpu_us).collect());
    let metrics = metrics_us();
    let layer = |name: &str, cpu_us: f64, how: &str| Layer {
        name: name.to_owned(),
        cpu_us,
        how: how.to_owned(),
    };
    vec![
        layer("HTTP and one route", hot.limit_cpu_us, "bare axum"),
        layer(
            "headers",
            dressed - hot.limit_cpu_us,
            "bare axum with the shop's headers, against without",
        ),
        layer("metrics", metrics, "counted in a loop, in this process"),
        layer(
            "the shop: ids, conventions, admission, cache",
            hot.shop_cpu_us - dressed - metrics,
            "what is left of a read without its log line",
        ),
        layer(
            "log line",
            shipped.shop_cpu_us - hot.shop_cpu_us,
            "access log on against off",
        ),
    ]
}

/// What counting an answer takes, microseconds.
fn metrics_us() -> f64 {
    const TIMES: u32 = 200_000;
    let shard = METRICS.requests.shard();
    let began = Instant::now();
    for nth in 0..TIMES {
        let took = Duration::from_nanos(u64::from(nth));
        shard.answered("/api/v1/products/{id}", &Method::GET, StatusCode::OK, took);
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}
