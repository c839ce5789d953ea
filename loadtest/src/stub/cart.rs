//! A cart that lives in its cookie: `variant.quantity` for each line, and its version.

use std::fmt::Write as _;

use http::{HeaderMap, header};

use super::bodies::PRICE;

/// Lines that a cart holds at most, as in the shop.
const MOST_LINES: usize = 50;

/// Whose cart the cookie holds. Cookies of one request may be in several headers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Cart {
    pub version: u64,
    /// Variant and quantity, in the order in which they were put in.
    pub lines: Vec<(u64, u64)>,
}

impl Cart {
    /// That of the request; an empty one where there is none, or none that can be read.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix("trestle_cart="))
            .and_then(Self::read)
            .unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = parts.next()?.parse().ok()?;
        let line = |part: &str| {
            let (variant, quantity) = part.split_once('.')?;
            Some((variant.parse().ok()?, quantity.parse().ok()?))
        };
        let lines = parts.map(line).collect::<Option<_>>()?;
        Some(Self { version, lines })
    }

    /// Sets a line; 0 takes it out. False when the cart is full.
    pub fn set(&mut self, variant: u64, quantity: u64) -> bool {
        self.version += 1;
        match self.lines.iter().position(|line| line.0 == variant) {
            Some(at) if quantity == 0 => {
                self.lines.remove(at);
            }
            Some(at) => self.lines[at].1 = quantity,
            None if quantity == 0 => {}
            None if self.lines.len() >= MOST_LINES => return false,
            None => self.lines.push((variant, quantity)),
        }
        true
    }

    /// What was ordered is off the cart.
    pub fn take(&mut self, ordered: &[(u64, u64)]) {
        self.version += 1;
        self.lines
            .retain(|line| !ordered.iter().any(|other| other.0 == line.0));
    }

    pub fn count(&self) -> u64 {
        self.lines.iter().map(|line| line.1).sum()
    }

    /// The value of a Set-Cookie header.
    pub fn cookie(&self) -> String {
        let mut cookie = format!("trestle_cart={}", self.version);
        for (variant, quantity) in &self.lines {
            let _ = write!(cookie, "-{variant}.{quantity}");
        }
        cookie.push_str("; Path=/api; Max-Age=2592000; HttpOnly; SameSite=Lax");
        cookie
    }

    pub fn body(&self) -> String {
        let items: Vec<_> = self.lines.iter().map(|line| item(*line)).collect();
        let (items, count, total) = (items.join(","), self.count(), self.count() * PRICE);
        let version = self.version;
        let zero = super::bodies::money(0);
        let total = super::bodies::money(total);
        format!(
            r#"{{"version":{version},"items":[{items}],"subtotal":{total},"discount":{zero},"total":{total},"count":{count}}}"#
        )
    }
}

fn item((variant, quantity): (u64, u64)) -> String {
    let product = super::bodies::product_of(variant);
    let price = super::bodies::money(PRICE);
    let total = super::bodies::money(PRICE * quantity);
    format!(
        r#"{{"variant_id":{variant},"product_id":{product},"options":["Grey"],"quantity":{quantity},"available":true,"picture":"/pictures/scarf.jpg","price":{price},"sku":"SCARF-{variant}","title":"Wool Scarf","total":{total}}}"#
    )
}
