//! A real browser, headless Chromium, and what a shopper does with it: look, click, type, press keys.
//!
//! Things are found by what a person sees or hears: a label, a button's name, a text; never by a class. Everything waits
//! for conditions, bounded. Whatever goes wrong in the page meanwhile is kept (`log`), and [`Browser::clean`] fails for
//! what was not expected: an error in the console, a failed request, a violation of the CSP, a request to another host.
//!
//! The wire is W3C WebDriver, JSON over HTTP, spoken here by the reqwest that the tests have anyway: a client library
//! (fantoccini) would bring 30 crates and a second HTTP stack for the few calls that are needed, without the console, the
//! network log and the DevTools commands, which are chromedriver's own.

mod acts;
mod axe;
mod driver;
mod log;
mod page;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use trestle::Stack;

pub use acts::key;
pub use driver::target_folder;
use driver::{Driver, Failure, Session};
use log::Log;
pub use log::Request;

/// A browser takes 150 MB and, while it starts, a processor.
const AT_ONCE: usize = 2;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
static DRIVER: OnceCell<Driver> = OnceCell::const_new();

/// How long anything may take to be seen: two processors may be shared with other tests.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What kind of browser is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What the browser says that its owner reads: `en-US`, `ko`.
    pub language: &'static str,
    /// The system's theme.
    pub dark: bool,
    pub width: u32,
    pub height: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            language: "en-US",
            dark: false,
            width: 1440,
            height: 900,
        }
    }
}

/// One browser with a profile of its own. It ends when this is dropped.
pub struct Browser {
    pub base: String,
    session: Session,
    log: Log,
    _place: SemaphorePermit<'static>,
}

impl Browser {
    /// Opens a browser for this shop; it shows nothing yet. Waits while others are open that were opened earlier.
    ///
    /// # Panics
    /// When there is no Chromium, or it does not start.
    pub async fn open(stack: &Stack, options: Options) -> Self {
        let place = PLACES.acquire().await.expect("never closed");
        Self::open_in(place, stack, options).await
    }

    /// Two at once, for what one shopper does and another sees. Each waiting for a second place by itself, two tests would
    /// wait for each other.
    ///
    /// # Panics
    /// As [`Browser::open`].
    pub async fn two(stack: &Stack) -> (Self, Self) {
        let mut places = PLACES.acquire_many(2).await.expect("never closed");
        let second = places.split(1).expect("there are two");
        let options = Options::default();
        let first = Self::open_in(places, stack, options).await;
        (first, Self::open_in(second, stack, options).await)
    }

    async fn open_in(place: SemaphorePermit<'static>, stack: &Stack, options: Options) -> Self {
        let driver = DRIVER.get_or_init(Driver::start).await;
        let browser = Self {
            base: stack.url().trim_end_matches('/').to_owned(),
            session: driver.open(options.language).await,
            log: Log::default(),
            _place: place,
        };
        browser.set_up(options).await;
        browser
    }

    /// A desktop browser in English with a light theme.
    pub async fn desktop(stack: &Stack) -> Self {
        Self::open(stack, Options::default()).await
    }

    /// Applies to the tab at hand.
    async fn set_up(&self, options: Options) {
        let Options {
            width, height, dark, ..
        } = options;
        self.resize(width, height).await;
        self.theme(dark).await;
    }

    /// The system's theme.
    pub async fn theme(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            // Movements end where they lead: nothing has to wait for them.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
        // Colours that pass into others are neither the one nor the other; one passage can begin with another's end.
        let rest = "return (async () => {
                const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
                for (let quiet = 0, frames = 0; quiet < 3 && frames < 120; frames += 1) {
                    await frame();
                    const passing = document.getAnimations().some((one) => one instanceof CSSTransition);
                    quiet = passing ? 0 : quiet + 1;
                }
            })()";
        self.script(rest, json!([])).await;
    }

    /// The size of the page in CSS pixels; narrow ones are a telephone's.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A command of the DevTools protocol, for what WebDriver has no words for.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        match self.session.post("goog/cdp/execute", &body).await {
            Ok(value) => value,
            Err(failure) => self.fail(&format!("{command}: {failure}")).await,
        }
    }

    /// Cuts this browser off from every network, or connects it again.
    pub async fn offline(&self, offline: bool) {
        let none =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.emulateNetworkConditions", none).await;
    }

    /// What a script in the page answers; it may be asynchronous (`return await …`).
    ///
    /// # Panics
    /// When it throws.
    pub async fn script(&self, script: &str, arguments: Value) -> Value {
        match self.try_script(script, arguments).await {
            Ok(value) => value,
            Err(failure) => self.fail(&format!("{script}: {failure}")).await,
        }
    }

    async fn try_script(&self, script: &str, arguments: Value) -> Result<Value, Failure> {
        let body = json!({"script": script, "args": arguments});
        self.session.post("execute/sync", &body).await
    }

    /// Tries `check` until it answers something, for at most [`PATIENCE`]. A page that changes under it is no failure.
    async fn until<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Result<Option<T>, Failure>) -> T {
        let began = Instant::now();
        loop {
            let last = match check().await {
                Ok(Some(value)) => return value,
                Ok(None) => String::new(),
                Err(failure) if failure.passes() => failure.to_string(),
                Err(failure) => self.fail(&format!("{what}: {failure}")).await,
            };
            if began.elapsed() > PATIENCE {
                self.fail(&format!("{what}: not within {PATIENCE:?} {last}"))
                    .await;
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }

    /// The test fails, and says what the browser showed.
    async fn fail(&self, message: &str) -> ! {
        let shown = self
            .try_script("return [location.href, document.body.innerText]", json!([]))
            .await
            .unwrap_or_default();
        let text: String = shown[1].as_str().unwrap_or_default().chars().take(1500).collect();
        self.hear().await;
        let file = target_folder().join(format!("tmp/browser-{}.png", &self.session.id[..8]));
        let picture = match self.session.get("screenshot").await {
            Ok(data) => driver::write_picture(&data, &file).map(|()| file.display().to_string()),
            Err(failure) => Err(failure.to_string()),
        };
        panic!(
            "{message}\n--- shown at {}\n{text}\n--- picture: {picture:?}\n--- heard\n{}",
            shown[0],
            self.log.told()
        );
    }
}
