//! The operations of the document, ready to be asked.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::OnceCell;
use trestle_tests::{Shopper, first_product, shop, sql};

/// An admin of the shop: may ask every route.
pub async fn admin() -> &'static Shopper {
    static ADMIN: OnceCell<Shopper> = OnceCell::const_new();
    ADMIN.get_or_init(new_admin).await
}

/// One of their own, for a test that may log them out.
pub async fn new_admin() -> Shopper {
    let mut admin = Shopper::customer(&shop().await.url()).await;
    make_admin(&mut sql(shop().await).await, &admin.email).await;
    admin.log_in().await.expect(201);
    admin
}

/// What the command `trestle-api admin` does.
pub async fn make_admin(connection: &mut sqlx::MySqlConnection, email: &str) {
    let done = sqlx::query("UPDATE customers SET role = 'admin' WHERE email = ?")
        .bind(email)
        .execute(connection)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// The document as the shop serves it.
pub async fn document() -> Value {
    let url = format!("{}/api/openapi.json", shop().await.url());
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// One operation, with a path that leads to it.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// As the document writes it, with its parameters in braces.
    pub route: String,
    /// The route with values for its parameters, below the shop's URL.
    pub path: String,
    pub says: Value,
}

/// Every operation of the document.
pub async fn operations() -> Vec<Operation> {
    let product = first_product(shop().await, 0).await;
    let mut operations = Vec::new();
    for (route, item) in document().await["paths"].as_object().unwrap() {
        for (method, says) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                route: route.clone(),
                path: filled(route, says, &product),
                says: says.clone(),
            });
        }
    }
    assert!(operations.len() > 8, "the document has lost its operations");
    operations
}

/// Products and variants that are there; of other things any id.
fn filled(route: &str, says: &Value, product: &Value) -> String {
    let parameters = says["parameters"].as_array().into_iter().flatten();
    let mut path = route.to_owned();
    for parameter in parameters.filter(|parameter| parameter["in"] == "path") {
        let name = parameter["name"].as_str().unwrap();
        let value = if name.contains("variant") || route.contains("/variants/") {
            product["variants"][0]["id"].to_string()
        } else if route.contains("/products/") {
            product["id"].to_string()
        } else if parameter["schema"]["type"] == "integer" {
            "1".to_owned()
        } else {
            uuid::Uuid::now_v7().to_string()
        };
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    assert!(
        !path.contains('{'),
        "{route} has a parameter that is not described"
    );
    path
}

impl Operation {
    /// The request, with the headers that the operation requires.
    pub fn request(&self, shopper: &Shopper, method: Method) -> RequestBuilder {
        let url = format!("{}{}", shopper.base, self.path);
        let mut request = shopper.http.request(method, url);
        if let Some(token) = &shopper.token {
            request = request.bearer_auth(token);
        }
        let parameters = self.says["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "header") {
            let name = parameter["name"].as_str().unwrap();
            let value = if name.eq_ignore_ascii_case("if-match") {
                "\"1\"".to_owned()
            } else {
                uuid::Uuid::new_v4().to_string()
            };
            request = request.header(name, value);
        }
        request
    }

    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// The example of the request's body.
    pub fn body(&self) -> Option<&Value> {
        self.says["requestBody"]["content"]["application/json"].get("example")
    }

    /// Whether it can be asked by nobody in particular.
    pub fn is_public(&self) -> bool {
        let mut ways = self.says["security"].as_array().into_iter().flatten().peekable();
        ways.peek().is_none() || ways.any(|way| way.as_object().is_some_and(serde_json::Map::is_empty))
    }

    /// Whether it looks at who asks.
    pub fn takes_a_token(&self) -> bool {
        let mut ways = self.says["security"].as_array().into_iter().flatten();
        ways.any(|way| way.get("bearer").is_some())
    }

    pub fn query_parameters(&self) -> impl Iterator<Item = &str> {
        let parameters = self.says["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        query.filter_map(|parameter| parameter["name"].as_str())
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}
