//! One product of the seeded shop, made from the seed and its number alone: the same number gives the same product,
//! in whatever order and however many are made, and nothing is kept between two.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::words::{
    ADJECTIVES, CATEGORIES, COLOURS, Category, Choice, ENDINGS, KOREAN_ADJECTIVES, KOREAN_SENTENCES, MIDDLES,
    OPENINGS, SIZES, TAGS, VENDORS,
};
use crate::types::money::Currency;

/// Of a hundred products this many have Korean text.
const KOREAN_PERCENT: u32 = 4;
/// Spread of the log-normal prices: one product in a hundred costs more than five times the median.
const PRICE_SPREAD: f64 = 0.7;

#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// Index into `CATEGORIES`.
    pub category: usize,
    pub handle: String,
    pub title: String,
    pub description: String,
    pub search_text: String,
    pub vendor: &'static str,
    pub tags: String,
    pub option_names: [&'static str; 2],
    pub variants: Vec<Variant>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    pub sku: String,
    pub options: [&'static str; 2],
    /// Minor units.
    pub price: i64,
    pub stock: i32,
}

impl Product {
    pub fn generate(seed: u64, number: u64, currency: Currency) -> Self {
        let mut rng = generator(seed, "product", number);
        let category = rng.random_range(0..CATEGORIES.len());
        let of = &CATEGORIES[category];
        let text = if rng.random_range(0..100) < KOREAN_PERCENT {
            korean(&mut rng, of)
        } else {
            english(&mut rng, of)
        };
        let (option_names, options) = choices(&mut rng, of.choice);
        let price = price(&mut rng, of.median, currency);
        let variants = options
            .into_iter()
            .enumerate()
            .map(|(index, options)| Variant {
                sku: format!("{}-{number:06}-{}", of.code, index + 1),
                options,
                // Now and then one variant costs more: the lowest price is what filters and sorts use.
                price: if index > 0 && rng.random_bool(0.15) {
                    price + price / 10 / step(currency) * step(currency)
                } else {
                    price
                },
                stock: stock(&mut rng),
            })
            .collect();
        let search_text = text.sentences.join(" ");
        let mut tags: Vec<&str> = vec![];
        for _ in 0..rng.random_range(1..=3) {
            tags.extend(TAGS.choose(&mut rng));
        }
        tags.sort_unstable();
        tags.dedup();
        Self {
            category,
            handle: format!("{}-{number}", text.slug),
            title: text.title,
            description: format!("<p>{search_text}</p>"),
            search_text,
            vendor: pick(&mut rng, VENDORS),
            tags: tags.join(", "),
            option_names,
            variants,
        }
    }

    pub fn price_min(&self) -> i64 {
        self.variants
            .iter()
            .map(|variant| variant.price)
            .min()
            .unwrap_or_default()
    }
}

/// The generator of one thing. ChaCha8 gives the same numbers on every machine and in every release.
pub fn generator(seed: u64, kind: &str, number: u64) -> ChaCha8Rng {
    // FNV-1a over all three: neighbouring seeds and numbers must not give neighbouring streams.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = kind.bytes().chain(seed.to_le_bytes()).chain(number.to_le_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    ChaCha8Rng::seed_from_u64(hash)
}

/// One of a list that is never empty.
pub fn pick(rng: &mut ChaCha8Rng, from: &[&'static str]) -> &'static str {
    from.choose(rng).copied().unwrap_or_default()
}

struct Text {
    slug: String,
    title: String,
    sentences: Vec<String>,
}

fn english(rng: &mut ChaCha8Rng, of: &Category) -> Text {
    let thing = pick(rng, of.things);
    let material = pick(rng, of.materials);
    let title = format!("{} {material} {thing}", pick(rng, ADJECTIVES));
    let fill = |sentence: &str| {
        sentence
            .replace("{thing}", &thing.to_lowercase())
            .replace("{material}", &material.to_lowercase())
    };
    let mut sentences = vec![fill(pick(rng, OPENINGS))];
    let middles = rng.random_range(0..=2);
    for middle in MIDDLES.sample(rng, middles) {
        sentences.push(fill(middle));
    }
    sentences.push(fill(pick(rng, ENDINGS)));
    Text {
        slug: crate::import::text::slug(&title),
        title,
        sentences,
    }
}

fn korean(rng: &mut ChaCha8Rng, of: &Category) -> Text {
    let title = format!("{} {}", pick(rng, KOREAN_ADJECTIVES), pick(rng, of.korean));
    let count = rng.random_range(2..=4);
    let sentences = KOREAN_SENTENCES
        .sample(rng, count)
        .map(|sentence| (*sentence).to_owned())
        .collect();
    // The handle is part of an address: it stays in ASCII.
    Text {
        slug: crate::import::text::slug(of.name),
        title,
        sentences,
    }
}

type Options = [&'static str; 2];

/// Option names, and one to six sets of values.
fn choices(rng: &mut ChaCha8Rng, choice: Choice) -> ([&'static str; 2], Vec<Options>) {
    let sizes = |rng: &mut ChaCha8Rng, most: usize| {
        let count = rng.random_range(1..=most);
        let first = rng.random_range(0..=SIZES.len() - count);
        &SIZES[first..first + count]
    };
    let colours = |rng: &mut ChaCha8Rng, most: usize| {
        let count = rng.random_range(1..=most);
        let mut colours: Vec<&str> = COLOURS.sample(rng, count).copied().collect();
        colours.sort_unstable();
        colours
    };
    match choice {
        Choice::Single => (["", ""], vec![["", ""]]),
        Choice::Sizes => (
            ["Size", ""],
            sizes(rng, 6).iter().map(|size| [*size, ""]).collect(),
        ),
        Choice::Colours => (
            ["Colour", ""],
            colours(rng, 4).into_iter().map(|colour| [colour, ""]).collect(),
        ),
        Choice::SizesAndColours => {
            let sizes = sizes(rng, 3);
            let colours = colours(rng, 2);
            let all = sizes
                .iter()
                .flat_map(|size| colours.iter().map(|colour| [*size, *colour]))
                .collect();
            (["Size", "Colour"], all)
        }
    }
}

/// Minor units in a whole unit, and how many whole units stand for one dollar.
fn scale(currency: Currency) -> (i64, i64) {
    match (currency.as_str(), currency.decimals()) {
        ("JPY", _) => (1, 100),
        // Won, dong and the like.
        (_, 0) => (1, 1000),
        (_, 3) => (1000, 1),
        _ => (100, 1),
    }
}

/// What prices are multiples of, their ending aside.
fn step(currency: Currency) -> i64 {
    let (minor, rate) = scale(currency);
    minor * rate
}

/// A log-normal price, long in the tail, with an ending that a shop would give it.
fn price(rng: &mut ChaCha8Rng, median: f64, currency: Currency) -> i64 {
    // Box-Muller; the open interval keeps the logarithm finite.
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    let whole = (median * (PRICE_SPREAD * normal).exp()).clamp(1.0, 100_000.0);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 1..=100000")]
    let whole = whole.round() as i64;
    let step = step(currency);
    // .99, .00 and .50; 19,900, 20,000 and 19,500 in won.
    let ending = match rng.random_range(0..10) {
        0..6 => {
            if currency.decimals() == 0 {
                -step / 10
            } else {
                -step / 100
            }
        }
        6..9 => 0,
        _ => -step / 2,
    };
    whole * step + ending
}

/// Some sold out, some nearly so, most well stocked, a few in thousands.
fn stock(rng: &mut ChaCha8Rng) -> i32 {
    match rng.random_range(0..100) {
        0..4 => 0,
        4..14 => rng.random_range(1..=10),
        14..97 => rng.random_range(20..=500),
        _ => rng.random_range(1_000..=5_000),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn shop(seed: u64, currency: &str) -> Vec<Product> {
        let currency = currency.parse().unwrap();
        (1..=2_000)
            .map(|number| Product::generate(seed, number, currency))
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_shop_and_another_seed_another() {
        assert_eq!(shop(1, "USD"), shop(1, "USD"));
        assert_ne!(shop(1, "USD"), shop(2, "USD"));
        // Each product stands alone: the hundredth is the same however many there are.
        let usd = "USD".parse().unwrap();
        assert_eq!(Product::generate(1, 100, usd), shop(1, "USD")[99]);
    }

    #[test]
    fn every_product_can_be_stored_and_sold() {
        let products = shop(7, "USD");
        let mut handles = HashSet::new();
        let mut skus = HashSet::new();
        for product in &products {
            assert!(product.title.chars().count() <= 255 && product.handle.len() <= 255);
            assert!(handles.insert(product.handle.clone()));
            assert!((1..=6).contains(&product.variants.len()), "{product:?}");
            let options: HashSet<_> = product.variants.iter().map(|v| v.options).collect();
            assert_eq!(options.len(), product.variants.len());
            for variant in &product.variants {
                assert!(skus.insert(variant.sku.clone()));
                assert!(variant.price > 0 && variant.stock >= 0);
            }
            assert!(!product.description.contains('{'), "{}", product.description);
        }
    }

    #[test]
    fn the_shop_has_sold_out_scarce_and_korean_products_and_a_long_tail_of_prices() {
        let products = shop(1, "USD");
        let stock: Vec<_> = products
            .iter()
            .flat_map(|product| product.variants.iter().map(|variant| variant.stock))
            .collect();
        assert!(stock.contains(&0));
        assert!(stock.iter().any(|stock| (1..=10).contains(stock)));
        assert!(stock.iter().any(|stock| *stock >= 1_000));
        let korean = products.iter().filter(|p| !p.title.is_ascii()).count();
        assert!((20..200).contains(&korean), "{korean}");
        let mut prices: Vec<_> = products.iter().map(Product::price_min).collect();
        prices.sort_unstable();
        assert!(prices[prices.len() - 1] > 8 * prices[prices.len() / 2]);
    }

    #[test]
    fn prices_end_as_the_currency_lets_them() {
        for product in shop(3, "KRW") {
            assert_eq!(product.price_min() % 100, 0, "{}", product.price_min());
        }
        for product in shop(3, "USD") {
            assert!([0, 50, 99].contains(&(product.price_min() % 100)));
        }
    }
}
