//! Requests by route, method and status. Each runtime counts in a shard of its own, so that cores do not pass a cache
//! line to and fro with every request; a scrape adds the shards up.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};

use super::kinds::{Counter, Histogram, Reading};

/// Labels are these or `other`: a client must not be able to invent series.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The statuses that this program answers, the frequent ones first.
const STATUSES: [u16; 30] = [
    200, 304, 201, 404, 503, 401, 409, 204, 202, 400, 402, 403, 405, 406, 408, 410, 411, 412, 413, 414, 415,
    422, 428, 429, 431, 500, 501, 502, 504, 206,
];
const OTHER: &str = "other";

/// One method of one route.
struct Slot {
    statuses: [Counter; STATUSES.len() + 1],
    duration: Histogram,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            statuses: [const { Counter::new() }; STATUSES.len() + 1],
            duration: Histogram::new(),
        }
    }
}

/// One route; a method's slot is made when it is first asked for.
#[derive(Default)]
struct Route {
    methods: [OnceLock<Box<Slot>>; METHODS.len() + 1],
}

/// One runtime's counts.
#[derive(Default)]
pub struct Shard {
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

impl Shard {
    /// Counts an answer. `route` is the matched one, or a constant, never a path.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(route) {
            route.answered(method, status, took);
            return;
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes
            .entry(route.into())
            .or_default()
            .answered(method, status, took);
    }
}

impl Route {
    fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = position(&METHODS, &method.as_str());
        let slot = self.methods[method].get_or_init(Box::default);
        slot.statuses[position(&STATUSES, &status.as_u16())].inc();
        slot.duration.observe(took);
    }
}

fn position<T: PartialEq>(known: &[T], wanted: &T) -> usize {
    known.iter().position(|one| one == wanted).unwrap_or(known.len())
}

/// All runtimes' counts.
pub struct Requests {
    shards: Mutex<Vec<Arc<Shard>>>,
}

/// Of one route and method: how many answers by status, and how long they took.
#[derive(Debug, Default)]
pub struct Answers {
    pub statuses: BTreeMap<String, u64>,
    pub duration: Reading,
}

impl Requests {
    pub(super) const fn new() -> Self {
        Self {
            shards: Mutex::new(Vec::new()),
        }
    }

    /// A new runtime's shard.
    pub fn shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::default());
        self.lock().push(Arc::clone(&shard));
        shard
    }

    /// Everything so far, by route and method.
    pub fn read(&self) -> BTreeMap<(String, &'static str), Answers> {
        let mut all = BTreeMap::new();
        for shard in self.lock().iter() {
            shard.read(&mut all);
        }
        all
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Shard>>> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn read(&self, all: &mut BTreeMap<(String, &'static str), Answers>) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        for (route, methods) in routes.iter() {
            for (index, slot) in methods.methods.iter().enumerate() {
                let Some(slot) = slot.get() else { continue };
                let method = METHODS.get(index).copied().unwrap_or(OTHER);
                let answers: &mut Answers = all.entry((route.to_string(), method)).or_default();
                answers.duration.add(&slot.duration);
                for (index, count) in slot.statuses.iter().enumerate() {
                    let status = STATUSES
                        .get(index)
                        .map_or_else(|| OTHER.to_owned(), u16::to_string);
                    let count = count.get();
                    if count > 0 {
                        *answers.statuses.entry(status).or_default() += count;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_added_up_and_labels_cannot_be_invented() {
        let requests = Requests::new();
        let took = Duration::from_millis(2);
        let invented = Method::from_bytes(b"BREW").unwrap_or_default();
        for shard in [requests.shard(), requests.shard()] {
            shard.answered("/a/{id}", &Method::GET, StatusCode::OK, took);
            shard.answered("/a/{id}", &Method::GET, StatusCode::IM_A_TEAPOT, took);
            shard.answered("/a/{id}", &invented, StatusCode::NOT_FOUND, took);
        }
        let all = requests.read();
        let gets = &all[&("/a/{id}".to_owned(), "GET")];
        assert_eq!(gets.statuses["200"], 2);
        assert_eq!(gets.statuses["other"], 2);
        assert_eq!((gets.duration.count(), gets.duration.micros), (4, 8_000));
        assert_eq!(all[&("/a/{id}".to_owned(), "other")].statuses["404"], 2);
        assert_eq!(all.len(), 2);
    }
}
