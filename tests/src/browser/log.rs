//! What went wrong in the page without a reader seeing it: the console and the network, as the browser logs them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use super::Browser;

/// A request of the page.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub url: String,
    /// 0 when no answer came.
    pub status: u16,
    /// Why no answer came; empty when the page itself did not want it any more.
    pub error: String,
    /// `Document`, `Script`, `Stylesheet`, `Image`, `Fetch`, …
    pub kind: String,
    ended: bool,
}

#[derive(Debug, Default)]
struct Heard {
    console: Vec<String>,
    requests: HashMap<String, Request>,
}

#[derive(Debug, Default)]
pub struct Log(Mutex<Heard>);

impl Log {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn told(&self) -> String {
        let heard = self.heard();
        let mut told = heard.console.join("\n");
        for request in heard.requests.values().filter(|request| request.went_wrong()) {
            let _ = write!(told, "\n{}", request.told());
        }
        told
    }

    fn note(&self, event: &Value) {
        let parameters = &event["params"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut heard = self.heard();
        let mut request = |change: &dyn Fn(&mut Request)| {
            let id = text(&parameters["requestId"]);
            if event["method"] == "Network.requestWillBeSent" {
                heard.requests.insert(id.clone(), Request::default());
            }
            if let Some(request) = heard.requests.get_mut(&id) {
                change(request);
            }
        };
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => request(&|request| {
                request.method = text(&parameters["request"]["method"]);
                request.url = text(&parameters["request"]["url"]);
                request.kind = text(&parameters["type"]);
            }),
            "Network.responseReceived" => request(&|request| {
                let status = parameters["response"]["status"].as_u64().unwrap_or_default();
                request.status = u16::try_from(status).unwrap_or_default();
                request.url = text(&parameters["response"]["url"]);
            }),
            "Network.loadingFinished" => request(&|request| request.ended = true),
            "Network.loadingFailed" => request(&|request| {
                request.ended = true;
                // Cancelled: by the page, which was left or has enough.
                if parameters["canceled"] != true {
                    let blocked = text(&parameters["blockedReason"]);
                    request.error = format!("{} {blocked}", text(&parameters["errorText"]));
                }
            }),
            _ => {}
        }
    }
}

impl Request {
    fn went_wrong(&self) -> bool {
        self.status >= 400 || !self.error.is_empty()
    }

    fn told(&self) -> String {
        let Self {
            method,
            url,
            status,
            error,
            ..
        } = self;
        format!("{method} {url} {status} {error}")
    }

    /// Path and query below `base`; the whole address when it is elsewhere.
    pub fn path(&self, base: &str) -> &str {
        self.url.strip_prefix(base).unwrap_or(&self.url)
    }

    fn is_elsewhere(&self, base: &str) -> bool {
        let inside = ["data:", "blob:", "about:", "chrome:"];
        !self.url.starts_with(base) && !inside.iter().any(|scheme| self.url.starts_with(scheme))
    }
}

impl Browser {
    /// Takes what the browser has logged since the last time.
    pub(super) async fn hear(&self) {
        for kind in ["browser", "performance"] {
            let Ok(entries) = self.session.post("se/log", &json!({"type": kind})).await else {
                continue;
            };
            for entry in entries.as_array().into_iter().flatten() {
                let message = entry["message"].as_str().unwrap_or_default();
                if kind == "performance" {
                    let event: Value = serde_json::from_str(message).unwrap_or_default();
                    self.log.note(&event["message"]);
                } else if entry["source"] != "network" && is_serious(entry) {
                    // The network's errors are in the other log, with their status.
                    self.log.heard().console.push(message.to_owned());
                }
            }
        }
    }

    /// All requests until now, in no order.
    pub async fn requests(&self) -> Vec<Request> {
        self.hear().await;
        let heard = self.log.heard();
        heard.requests.values().cloned().collect()
    }

    /// Nothing has gone wrong since the browser was opened, or since the last `clean`: no error in the console, no
    /// violation of the CSP, no request to another host, and no failed request but those that are `expected`: a status
    /// (0: no answer) and the beginning of a path. Each of these must have happened.
    ///
    /// # Panics
    /// When something has.
    #[track_caller]
    pub fn clean(&self, expected: &[(u16, &str)]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let (wrong, missing) = self.wrongs(expected).await;
            assert!(
                wrong.is_empty() && missing.is_empty(),
                "{place}: at {}\nwrong: {wrong:#?}\nexpected, and did not happen: {missing:?}",
                self.path().await
            );
        }
    }

    /// What [`Browser::clean`] would fail for, and what was expected and did not happen.
    pub async fn wrongs(&self, expected: &[(u16, &str)]) -> (Vec<String>, Vec<String>) {
        self.hear().await;
        let mut heard = self.log.heard();
        let mut wrong = std::mem::take(&mut heard.console);
        let mut seen = vec![false; expected.len()];
        // What is still on its way is judged the next time; a refusal has come with its head, whether read to its end or not.
        let ended: Vec<Request> = heard
            .requests
            .extract_if(|_, request| request.ended || request.went_wrong())
            .map(|(_, request)| request)
            .collect();
        for request in &ended {
            let path = request.path(&self.base);
            let fits = |(status, begin): &(u16, &str)| *status == request.status && path.starts_with(begin);
            if request.is_elsewhere(&self.base) {
                wrong.push(format!("to another host: {}", request.told()));
            } else if request.went_wrong() {
                match expected.iter().position(fits) {
                    Some(at) => seen[at] = true,
                    None => wrong.push(request.told()),
                }
            }
        }
        let missing = expected.iter().zip(seen).filter(|(_, seen)| !seen);
        (wrong, missing.map(|(what, _)| format!("{what:?}")).collect())
    }
}

fn is_serious(entry: &Value) -> bool {
    let level = entry["level"].as_str().unwrap_or_default();
    // Of warnings, those of the browser about the page: an element that it does not take, a preload that nobody uses.
    level == "SEVERE" || (level == "WARNING" && entry["source"] != "console-api")
}
