//! Finding things in the page (`page.js`).

use serde_json::{Value, json};

use super::{Browser, Failure};

const PAGE: &str = include_str!("page.js");
/// The member under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// What `page.js` answers; `None` for null.
    pub(super) async fn ask(&self, ask: &str, given: &[&str]) -> Result<Option<Value>, Failure> {
        let arguments: Vec<&str> = [ask].into_iter().chain(given.iter().copied()).collect();
        let answer = self.try_script(PAGE, json!(arguments)).await?;
        Ok((!answer.is_null()).then_some(answer))
    }

    /// Does `act` to the element that `ask` answers, which is waited for; tried anew while the page changes under it.
    pub(super) async fn act(
        &self,
        ask: &str,
        given: &[&str],
        act: impl AsyncFn(String) -> Result<Value, Failure>,
    ) {
        let what = format!("{ask} {}", given.join(", "));
        self.until(&what, async || {
            let Some(element) = self.ask(ask, given).await? else {
                return Ok(None);
            };
            let id = element[ELEMENT].as_str().unwrap_or_default().to_owned();
            act(id).await.map(Some)
        })
        .await;
    }

    pub(super) fn element(id: &str) -> Value {
        json!({ELEMENT: id})
    }
}
