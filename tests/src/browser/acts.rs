//! What a shopper does.

use std::path::Path;

use serde_json::{Value, json};

use super::{Browser, Failure, driver};
use crate::{PASSWORD, Shopper};

/// The keys of WebDriver.
pub mod key {
    pub const TAB: &str = "\u{E004}";
    pub const ENTER: &str = "\u{E007}";
    pub const ESCAPE: &str = "\u{E00C}";
    pub const SPACE: &str = " ";
    pub const SHIFT: &str = "\u{E008}";
    pub const DOWN: &str = "\u{E015}";
}

const NONE: &str = "\u{E000}";
const CONTROL: &str = "\u{E009}";
const DELETE: &str = "\u{E017}";

impl Browser {
    /// Opens an address of the shop, as if it was typed.
    pub async fn visit(&self, path: &str) {
        let body = json!({"url": format!("{}{path}", self.base)});
        if let Err(failure) = self.session.post("url", &body).await {
            self.fail(&format!("{path}: {failure}")).await;
        }
    }

    /// Opens an address and waits until its page is whole.
    pub async fn arrive(&self, path: &str) {
        self.visit(path).await;
        self.settle().await;
    }

    /// Waits until the page is there, and nothing in it is about to come.
    pub async fn settle(&self) {
        self.until("the page is whole", async || self.ask("settled", &[]).await)
            .await;
    }

    pub async fn reload(&self) {
        self.command("refresh").await;
    }

    pub async fn back(&self) {
        self.command("back").await;
    }

    pub async fn forward(&self) {
        self.command("forward").await;
    }

    async fn command(&self, name: &str) {
        if let Err(failure) = self.session.post(name, &json!({})).await {
            self.fail(&format!("{name}: {failure}")).await;
        }
    }

    /// Clicks a link, a button, a choice or its label, by its name.
    pub async fn click(&self, name: &str) {
        self.act("control", &[name], async |id| self.click_element(&id).await)
            .await;
    }

    /// Clicks what has that role too: `button`, `link`, `choice`.
    pub async fn click_role(&self, role: &str, name: &str) {
        self.act("role", &[role, name], async |id| self.click_element(&id).await)
            .await;
    }

    /// Clicks in the smallest part of the page (a line, a row, a form) that has `text`.
    pub async fn click_in(&self, text: &str, name: &str) {
        self.act("control_in", &[text, name], async |id| {
            self.click_element(&id).await
        })
        .await;
    }

    async fn click_element(&self, id: &str) -> Result<Value, Failure> {
        self.session
            .post(&format!("element/{id}/click"), &json!({}))
            .await
    }

    /// Presses the button of the mouse twice, as fast as nobody could.
    pub async fn double_click(&self, name: &str) {
        self.act("control", &[name], async |id| {
            let into_view = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
            self.try_script(into_view, json!([Self::element(&id)])).await?;
            let (down, up) = (
                json!({"type": "pointerDown", "button": 0}),
                json!({"type": "pointerUp", "button": 0}),
            );
            let to = json!({"type": "pointerMove", "origin": Self::element(&id), "x": 0, "y": 0, "duration": 0});
            let actions = json!([to, down, up, down, up]);
            let mouse = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions});
            self.session.post("actions", &json!({"actions": [mouse]})).await
        })
        .await;
    }

    /// Writes into the field with this label, in the place of what it has.
    pub async fn fill(&self, label: &str, value: &str) {
        self.act("field", &[label], async |id| self.write(&id, value).await)
            .await;
    }

    /// The same in the part of the page that has `text`.
    pub async fn fill_in(&self, text: &str, label: &str, value: &str) {
        self.act("field_in", &[text, label], async |id| {
            self.write(&id, value).await
        })
        .await;
    }

    async fn write(&self, id: &str, value: &str) -> Result<Value, Failure> {
        let tag = self.session.get(&format!("element/{id}/name")).await?;
        // As people do: select all, then type. WebDriver's own way to empty a field leaves it first, and some then put
        // something into it.
        let keys = if tag == "select" {
            value.to_owned()
        } else {
            format!("{CONTROL}a{NONE}{DELETE}{value}")
        };
        self.session
            .post(&format!("element/{id}/value"), &json!({"text": keys}))
            .await
    }

    /// What the field with this label has.
    pub async fn value(&self, label: &str) -> String {
        let found = self
            .until(&format!("field {label}"), async || {
                self.ask("field", &[label]).await
            })
            .await;
        let value = self.script("return arguments[0].value", json!([found])).await;
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows this text, in whatever case.
    pub async fn see(&self, text: &str) {
        self.until(&format!("see {text:?}"), async || {
            Ok(self.reads(text).await?.then_some(()))
        })
        .await;
    }

    /// Waits until the page does not show this text any more.
    pub async fn miss(&self, text: &str) {
        self.until(&format!("do not see {text:?}"), async || {
            Ok((!self.reads(text).await?).then_some(()))
        })
        .await;
    }

    /// Whether the page shows this text now.
    pub async fn shows(&self, text: &str) -> bool {
        self.reads(text).await.unwrap_or(false)
    }

    async fn reads(&self, text: &str) -> Result<bool, Failure> {
        Ok(self
            .text_now()
            .await?
            .to_lowercase()
            .contains(&text.to_lowercase()))
    }

    async fn text_now(&self) -> Result<String, Failure> {
        let text = self.ask("text", &[]).await?.unwrap_or_default();
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// All that the page shows now, without line breaks.
    pub async fn text(&self) -> String {
        self.text_now().await.unwrap_or_default()
    }

    /// Waits until a control with this name is there.
    pub async fn see_control(&self, name: &str) {
        self.until(&format!("control {name:?}"), async || {
            self.ask("control", &[name]).await
        })
        .await;
    }

    /// Waits until the page's title begins so.
    pub async fn see_title(&self, title: &str) {
        self.until(&format!("title {title:?}"), async || {
            let now = self.session.get("title").await?;
            Ok(now
                .as_str()
                .is_some_and(|now| now.starts_with(title))
                .then_some(()))
        })
        .await;
    }

    /// The path and query of the address.
    pub async fn path(&self) -> String {
        let path = self
            .script("return location.pathname + location.search", json!([]))
            .await;
        path.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the address begins so.
    pub async fn see_path(&self, begin: &str) -> String {
        self.until(&format!("address {begin}"), async || {
            let path = self
                .try_script("return location.pathname + location.search", json!([]))
                .await?;
            let path = path.as_str().unwrap_or_default().to_owned();
            Ok(path.starts_with(begin).then_some(path))
        })
        .await
    }

    /// Presses a key and lets it go.
    pub async fn press(&self, key: &str) {
        self.press_with(&[], key).await;
    }

    /// The same while others are held down.
    pub async fn press_with(&self, held: &[&str], key: &str) {
        let one = |kind: &str, key: &str| json!({"type": kind, "value": key});
        let mut actions: Vec<Value> = held.iter().map(|key| one("keyDown", key)).collect();
        actions.extend([one("keyDown", key), one("keyUp", key)]);
        actions.extend(held.iter().map(|key| one("keyUp", key)));
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        if let Err(failure) = self.session.post("actions", &body).await {
            self.fail(&format!("key {key:?}: {failure}")).await;
        }
    }

    /// Types where the focus is.
    pub async fn type_text(&self, text: &str) {
        let keys: Vec<Value> = text
            .chars()
            .flat_map(|letter| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": letter})))
            .collect();
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": keys}]});
        if let Err(failure) = self.session.post("actions", &body).await {
            self.fail(&format!("typing {text:?}: {failure}")).await;
        }
    }

    /// What is said of what has the focus.
    pub async fn focused(&self) -> String {
        let name = self.ask("focused", &[]).await.ok().flatten().unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Presses Tab until the focus is on what has this name, or a name that begins so.
    ///
    /// # Panics
    /// When it is not reached: it is not there, or not by keyboard.
    pub async fn tab_to(&self, name: &str) {
        let mut met = Vec::new();
        for _ in 0..150 {
            self.press(key::TAB).await;
            let now = self.focused().await;
            if now.to_lowercase().starts_with(&name.to_lowercase()) {
                return;
            }
            met.push(now);
        }
        self.fail(&format!("Tab does not lead to {name:?} but to {met:?}"))
            .await;
    }

    /// Opens a new tab of this browser and goes there.
    pub async fn new_tab(&self) -> String {
        let before = self.session.get("window").await.unwrap_or_default();
        let opened = match self.session.post("window/new", &json!({"type": "tab"})).await {
            Ok(opened) => opened,
            Err(failure) => self.fail(&format!("no new tab: {failure}")).await,
        };
        self.switch_tab(opened["handle"].as_str().unwrap_or_default())
            .await;
        before.as_str().unwrap_or_default().to_owned()
    }

    /// Goes to a tab; the one that was left is what [`Browser::new_tab`] answered.
    pub async fn switch_tab(&self, handle: &str) -> String {
        let before = self.session.get("window").await.unwrap_or_default();
        if let Err(failure) = self.session.post("window", &json!({"handle": handle})).await {
            self.fail(&format!("no such tab: {failure}")).await;
        }
        before.as_str().unwrap_or_default().to_owned()
    }

    /// Logs in a customer who is known already, through the storefront's own session; the page at hand is loaded anew.
    pub async fn sign_in(&self, shopper: &Shopper) {
        let log_in = "return (async function (email, password) {
                const app = document.querySelector('script[type=module]').src;
                const session = await import(new URL('lib/session.mjs', app).href);
                await session.logIn(email, password);
            })(...arguments)";
        self.script(log_in, json!([shopper.email, PASSWORD])).await;
        self.reload().await;
    }

    /// Whether anything can be scrolled to the side; nothing may.
    pub async fn overflows(&self) -> bool {
        let wider = "const root = document.documentElement; return root.scrollWidth > root.clientWidth";
        self.script(wider, json!([])).await == true
    }

    /// Puts a picture of the whole page, however long, into this file. Pictures in it that a reader would have scrolled
    /// to are loaded first.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn picture(&self, file: &Path) {
        let load = "return (async () => {
                scrollTo({top: 0, behavior: 'instant'});
                for (const image of document.images) image.loading = 'eager';
                await Promise.all(Array.from(document.images, (image) => image.decode().catch(() => {})));
            })()";
        self.script(load, json!([])).await;
        let size = "const root = document.documentElement;
            return {width: root.clientWidth, height: Math.min(root.scrollHeight, 6000)}";
        let size = self.script(size, json!([])).await;
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wish = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.devtools("Page.captureScreenshot", wish).await;
        driver::write_picture(&picture["data"], file).expect("the picture is written");
    }
}
