//! What seeded customers say of what they ordered: about every third line is reviewed some days later, mostly kindly, and
//! of some products less so.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;
use time::{Duration, PrimitiveDateTime};
use uuid::Uuid;

use super::customer::uuid_at;
use super::order::Order;
use super::product::{generator, pick};

/// Chance that a line is reviewed.
const REVIEWED: f64 = 0.35;
/// Chance that a review is stars alone.
const WORDLESS: f64 = 0.15;
/// Reviews come this long after the order.
const AFTER_SECONDS: std::ops::Range<i64> = 2 * 86_400..21 * 86_400;
/// Of 100 reviews this many have 5 stars, 4 and 5, and so on.
const STARS: [(u32, i8); 5] = [(52, 5), (80, 4), (91, 3), (97, 2), (100, 1)];

const PRAISE: &[&str] = &[
    "Exactly as described.",
    "Better than I hoped for the price.",
    "Sturdy, and nicely finished.",
    "I have used it every day since.",
    "Arrived quickly and well packed.",
    "Bought a second one for a friend.",
    "Looks even better than in the picture.",
    "잘 쓰고 있어요. 추천합니다.",
];
const SO_SO: &[&str] = &[
    "Does what it should, no more.",
    "Good, but smaller than I thought.",
    "The colour is a little different from the picture.",
    "Fine for the price.",
    "Took a while to arrive.",
];
const COMPLAINTS: &[&str] = &[
    "Broke after a week.",
    "Not what I expected from the description.",
    "Feels cheap.",
    "Too small, and returning it was tedious.",
];

pub struct Review {
    pub id: Uuid,
    pub product_id: u64,
    pub customer_id: Uuid,
    pub rating: i8,
    pub text: String,
    pub created_at: PrimitiveDateTime,
}

/// The reviews of one order, none of them later than `now`.
pub fn of_order(seed: u64, number: u64, now: PrimitiveDateTime, order: &Order<'_>) -> Vec<Review> {
    let mut rng = generator(seed, "review", number);
    let mut reviews = vec![];
    for (ware, _) in &order.lines {
        let created_at = order.created_at + Duration::seconds(rng.random_range(AFTER_SECONDS));
        let id = uuid_at(&mut rng, created_at);
        let rating = stars(&mut rng, seed, ware.product_id);
        let text = text(&mut rng, rating);
        if rng.random_bool(REVIEWED) && created_at <= now {
            reviews.push(Review {
                id,
                product_id: ware.product_id,
                customer_id: order.buyer.customer_id,
                rating,
                text,
                created_at,
            });
        }
    }
    reviews
}

fn stars(rng: &mut ChaCha8Rng, seed: u64, product: u64) -> i8 {
    let roll = rng.random_range(0..100);
    let stars = STARS
        .iter()
        .find(|(below, _)| roll < *below)
        .map_or(5, |(_, stars)| *stars);
    // A quarter of the products disappoint.
    let worse = i8::from(generator(seed, "quality", product).random_bool(0.25));
    (stars - worse).max(1)
}

fn text(rng: &mut ChaCha8Rng, rating: i8) -> String {
    if rng.random_bool(WORDLESS) {
        return String::new();
    }
    let from = match rating {
        4.. => PRAISE,
        3 => SO_SO,
        _ => COMPLAINTS,
    };
    let (first, second) = (pick(rng, from), pick(rng, from));
    if first == second {
        first.to_owned()
    } else {
        format!("{first} {second}")
    }
}
