//! One customer with an address, made from the seed and the customer's number alone.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;
use time::{Duration, PrimitiveDateTime};
use uuid::Uuid;

use super::product::{generator, pick};
use super::words::{FIRST_NAMES, LAST_NAMES, PLACES, STREETS};

/// Customers registered within this time before the seeding, orders within the last 90 days.
const REGISTERED_WITHIN_SECONDS: i64 = 2 * 365 * 86_400;

pub struct Customer {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub created_at: PrimitiveDateTime,
    pub address_id: Uuid,
    pub line1: String,
    pub city: &'static str,
    pub region: &'static str,
    pub postal_code: String,
    pub country: &'static str,
}

impl Customer {
    pub fn generate(seed: u64, number: u64, now: PrimitiveDateTime) -> Self {
        let mut rng = generator(seed, "customer", number);
        let first = pick(&mut rng, FIRST_NAMES);
        let last = pick(&mut rng, LAST_NAMES);
        let ago = rng.random_range(91 * 86_400..REGISTERED_WITHIN_SECONDS);
        let created_at = now - Duration::seconds(ago);
        let place = rng.random_range(0..PLACES.len());
        let (city, region, country, postal) = PLACES[place];
        Self {
            id: uuid_at(&mut rng, created_at),
            email: format!(
                "{}.{}.{number}@example.com",
                first.to_lowercase(),
                last.to_lowercase()
            ),
            name: format!("{first} {last}"),
            created_at,
            address_id: uuid_at(&mut rng, created_at),
            line1: format!("{} {}", rng.random_range(1..=240), pick(&mut rng, STREETS)),
            city,
            region,
            postal_code: postal_code(&mut rng, postal),
            country,
        }
    }
}

/// A UUIDv7 of that time: ids sort as the things they name were made.
pub fn uuid_at(rng: &mut ChaCha8Rng, at: PrimitiveDateTime) -> Uuid {
    let ms = at.assume_utc().unix_timestamp_nanos() / 1_000_000;
    let random: [u8; 10] = rng.random();
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(ms).unwrap_or_default(), &random).into_uuid()
}

/// Puts digits for 9 and letters for A.
fn postal_code(rng: &mut ChaCha8Rng, pattern: &str) -> String {
    pattern
        .chars()
        .map(|c| match c {
            '9' => char::from(rng.random_range(b'0'..=b'9')),
            'A' => char::from(rng.random_range(b'A'..=b'Z')),
            other => other,
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_customer_is_the_same_each_time_and_no_two_share_an_address() {
        let now = datetime!(2026-01-01 0:00);
        let one = Customer::generate(1, 17, now);
        let again = Customer::generate(1, 17, now);
        assert_eq!((one.id, &one.email), (again.id, &again.email));
        assert!(one.email.ends_with(".17@example.com"));
        let other = Customer::generate(1, 18, now);
        assert_ne!(one.id, other.id);
        assert_eq!(one.id.get_version_num(), 7);
        let (seconds, _) = one.id.get_timestamp().unwrap().to_unix();
        assert_eq!(
            i64::try_from(seconds).unwrap(),
            one.created_at.assume_utc().unix_timestamp()
        );
    }
}
