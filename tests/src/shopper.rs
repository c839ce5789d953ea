//! A shopper: one browser or program with its cookies and, once registered, its tokens.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// Somebody who shops.
#[derive(Clone)]
pub struct Shopper {
    pub http: Client,
    pub base: String,
    pub email: String,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    pub address_id: Option<String>,
}

/// What the shop answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// The JSON body; null when there is none.
    pub body: Value,
}

impl Shopper {
    /// A visitor without cart or account. `base` is the shop's URL, or a replica's.
    ///
    pub fn visitor(base: &str) -> Self {
        let http = Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(30))
            .build()
            .expect("an HTTP client");
        let email = format!("shopper-{}@example.com", uuid::Uuid::new_v4().simple());
        let base = base.trim_end_matches('/').to_owned();
        Self {
            http,
            base,
            email,
            token: None,
            refresh_token: None,
            address_id: None,
        }
    }

    /// A customer who has just registered and has an address.
    pub async fn customer(base: &str) -> Self {
        let mut shopper = Self::visitor(base);
        shopper.register().await.expect(201);
        shopper.add_address().await;
        shopper
    }

    /// The same person at another door: another base URL, the same account and cookies.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            ..self.clone()
        }
    }

    /// A request to a path below /api/v1, with this shopper's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        match self.try_send(request).await {
            Ok(answer) => answer,
            Err(error) => fail(&format!("no answer: {error:?}")),
        }
    }

    /// The answer, or why there is none.
    ///
    /// A request has failed when there is no answer after one repeat on a new connection, if a reused one was closed before
    /// any byte of the answer: an nginx that was reloaded closes its idle connections, and a request can cross that.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let again = request.try_clone();
        let response = match (request.send().await, again) {
            (Err(error), Some(again)) if error.is_request() && !error.is_timeout() => again.send().await?,
            (outcome, _) => outcome?,
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            headers,
            text,
            body,
        })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn register(&mut self) -> Answer {
        let body = json!({"email": self.email, "password": PASSWORD, "name": "Ada Lovelace"});
        let answer = self.post("/customers", &body).await;
        self.keep_tokens(&answer);
        answer
    }

    pub async fn log_in(&mut self) -> Answer {
        let answer = self
            .post("/sessions", &json!({"email": self.email, "password": PASSWORD}))
            .await;
        self.keep_tokens(&answer);
        answer
    }

    /// Takes the tokens of an answer to registration, login or refresh.
    pub fn keep_tokens(&mut self, answer: &Answer) {
        let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
        self.token = text("access_token").or(self.token.take());
        self.refresh_token = text("refresh_token").or(self.refresh_token.take());
    }

    pub async fn add_address(&mut self) {
        let answer = self.post("/customers/me/addresses", &address()).await.expect(201);
        self.address_id = answer.body["id"].as_str().map(str::to_owned);
    }

    /// Puts `quantity` of a variant into the cart.
    pub async fn put_in_cart(&self, variant: u64, quantity: i32) -> Answer {
        self.put(&format!("/cart/items/{variant}"), &json!({"quantity": quantity}))
            .await
    }

    /// An order of one variant; `key` is the Idempotency-Key, `payment` the sandbox token.
    pub fn order_request(&self, variant: u64, quantity: i32, key: &str, payment: &str) -> RequestBuilder {
        let body = json!({
            "items": [{"variant_id": variant, "quantity": quantity}],
            "address_id": self.address_id,
            "payment_token": payment,
        });
        self.request(Method::POST, "/orders")
            .header("Idempotency-Key", key)
            .json(&body)
    }

    /// Orders with a key of its own and a card that is accepted.
    pub async fn order(&self, variant: u64, quantity: i32) -> Answer {
        let key = uuid::Uuid::new_v4().to_string();
        self.send(self.order_request(variant, quantity, &key, "tok_approve"))
            .await
    }
}

/// The password of every test customer.
pub const PASSWORD: &str = "correct horse battery";

/// An address that the shop takes.
pub fn address() -> Value {
    json!({
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    })
}

/// An amount in the shop's currency.
pub fn money(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[track_caller]
fn fail(message: &str) -> ! {
    panic!("{message}")
}

impl Answer {
    /// This answer, which must have `status`.
    ///
    /// # Panics
    /// When it has another status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem answer with this status and code.
    ///
    /// # Panics
    /// When it is anything else, or not a whole problem.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        self
    }

    /// The fields that a problem answer names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        errors
            .iter()
            .filter_map(|error| error["field"].as_str())
            .collect()
    }

    /// A problem's code; empty when there is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Which replica answered.
    pub fn replica(&self) -> &str {
        self.header("trestle-replica")
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        self.body["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}
