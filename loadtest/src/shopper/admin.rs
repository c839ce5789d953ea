//! The shop's staff: of a thousand interactions two are an admin's, who looks at a product and edits it.

use std::rc::Rc;

use anyhow::{Context as _, bail};
use http::header::{self, HeaderName};
use http::{HeaderValue, Method};
use serde::Deserialize;
use serde_json::json;

use super::client::{Answer, Ask, Client};
use super::shop::Shop;
use super::{Asked, Shopper, Trouble, json as parsed};
use crate::journal::Fate;

/// An admin's session, shared by all who play one.
#[derive(Debug, Clone)]
pub struct Admin {
    pub email: String,
    pub password: String,
    authorization: HeaderValue,
    good_until: std::time::Instant,
}

#[derive(Deserialize)]
struct Opened {
    access_token: String,
    expires_in: u64,
}

/// A product as the backoffice shows it, as far as it is edited.
#[derive(Deserialize)]
struct Edited {
    #[serde(default)]
    tags: String,
}

#[derive(Deserialize)]
struct Stock {
    on_hand: i64,
}

/// What the edit adds to a product's tags, and takes away again.
const TAG: &str = "load-test";

impl Admin {
    /// # Errors
    /// When the shop does not let this account in.
    pub async fn log_in(client: &mut Client, email: &str, password: &str) -> anyhow::Result<Self> {
        let body = json!({"email": email, "password": password});
        let ask = Ask {
            method: Method::POST,
            body: Some(body.to_string().into()),
            keep_body: true,
            ..Ask::get("/api/v1/sessions")
        };
        let answer = client.send(&ask).await.context("the admin's login")?;
        if answer.status != 201 {
            bail!("--admin {email}: the login was answered with {}", answer.status);
        }
        let opened: Opened = serde_json::from_slice(&answer.body).context("the admin's session")?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", opened.access_token))?;
        authorization.set_sensitive(true);
        Ok(Self {
            email: email.to_owned(),
            password: password.to_owned(),
            authorization,
            good_until: std::time::Instant::now() + std::time::Duration::from_secs(opened.expires_in / 2),
        })
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![(header::AUTHORIZATION, self.authorization.clone())]
    }

    /// Pieces of a variant on hand.
    ///
    /// # Errors
    /// When the shop does not say.
    pub async fn on_hand(&self, client: &mut Client, variant: u64) -> anyhow::Result<i64> {
        let path = format!("/api/v1/admin/variants/{variant}/stock");
        let headers = self.headers();
        let ask = Ask {
            headers: &headers,
            keep_body: true,
            ..Ask::get(&path)
        };
        let answer = client.send(&ask).await?;
        if answer.status != 200 {
            bail!("GET {path} was answered with {}", answer.status);
        }
        Ok(serde_json::from_slice::<Stock>(&answer.body)?.on_hand)
    }
}

impl Shopper {
    /// A product as the backoffice shows it.
    pub(super) async fn admin_request(&mut self) -> Asked<(u64, Answer)> {
        let shop = Rc::clone(&self.shop);
        let product = shop.product(&mut self.rng);
        let admin = self.admin(&shop).await?;
        let path = format!("/api/v1/admin/products/{product}");
        let headers = admin.headers();
        let ask = Ask {
            headers: &headers,
            keep_body: true,
            ..Ask::get(&path)
        };
        let answer = self.send(&ask).await.map_err(|_| Trouble::Failed)?;
        self.expect(&ask, &answer, &[200])?;
        Ok((product, answer))
    }

    /// An edit that shoppers do not see, but that every cache has to hear of.
    pub(super) async fn admin_confirm(&mut self) -> Asked<()> {
        let (product, before) = self.admin_request().await?;
        let shop = Rc::clone(&self.shop);
        let tags = parsed::<Edited>(&before).map_or_else(String::new, |edited| edited.tags);
        let other: Vec<&str> = tags
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty() && *tag != TAG)
            .collect();
        let tags = if tags.contains(TAG) {
            other.join(", ")
        } else {
            [other, vec![TAG]].concat().join(", ")
        };
        let admin = self.admin(&shop).await?;
        let mut headers = admin.headers();
        if let Some(etag) = before.headers.get(header::ETAG) {
            headers.push((header::IF_MATCH, etag.clone()));
        }
        let path = format!("/api/v1/admin/products/{product}");
        let ask = Ask {
            method: Method::PATCH,
            path: &path,
            headers: &headers,
            body: Some(json!({"tags": tags}).to_string().into()),
            keep_body: true,
        };
        let Ok(answer) = self.send(&ask).await else {
            self.note("edit", Fate::Unknown);
            return Err(Trouble::Failed);
        };
        // 412: another admin, or a sale, was faster.
        let fate = if answer.status == 200 {
            Fate::Acknowledged
        } else {
            Fate::Refused
        };
        self.note("edit", fate);
        self.expect(&ask, &answer, &[200, 412])
    }

    /// The session, made anew when half of its token's life is over.
    async fn admin(&mut self, shop: &Shop) -> Asked<Admin> {
        let known = shop.admin.borrow().clone();
        let Some(admin) = known else {
            return Err(Trouble::Failed);
        };
        if std::time::Instant::now() < admin.good_until {
            return Ok(admin);
        }
        match Admin::log_in(&mut self.client, &admin.email, &admin.password).await {
            Ok(fresh) => {
                *shop.admin.borrow_mut() = Some(fresh.clone());
                Ok(fresh)
            }
            Err(error) => {
                shop.recorder
                    .borrow_mut()
                    .error(format!("{error:#}"), || "POST /api/v1/sessions".to_owned());
                Err(Trouble::Failed)
            }
        }
    }
}

/// Registers somebody and has the stack's command make an admin of them. E-mail and password.
///
/// # Errors
/// When the shop or the command refuses.
pub async fn new_admin(
    url: &str,
    authority: Option<&std::path::Path>,
    driver: &crate::stack::driver::Driver,
) -> anyhow::Result<(String, String)> {
    let target = Rc::new(super::target::Target::resolve(url, authority).await?);
    let mut client = Client::new(target, 0);
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (email, password) = (
        format!("load-admin-{id}@example.com"),
        uuid::Uuid::new_v4().simple().to_string(),
    );
    let body = json!({"email": email, "password": password, "name": "Load Admin"});
    let ask = Ask {
        method: Method::POST,
        body: Some(body.to_string().into()),
        keep_body: true,
        ..Ask::get("/api/v1/customers")
    };
    let answer = client
        .send(&ask)
        .await
        .context("registering an admin for the load")?;
    if answer.status != 201 {
        bail!(
            "registering an admin for the load was answered with {}",
            answer.status
        );
    }
    driver.passed(&["admin", "grant", &email]).await?;
    Ok((email, password))
}
