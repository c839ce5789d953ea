//! What an editor may write of a product: lengths as the columns have them, markup sanitised as an import does.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Picture;
use crate::error::{Error, Result};
use crate::import::text;
use crate::types::id::VariantId;
use crate::types::money::{Currency, MAX_AMOUNT, Money};
use crate::types::text::Checks;

const NAME_CHARS: usize = 255;
const TAGS_CHARS: usize = 1_000;
const CATEGORY_CHARS: usize = 191;
pub const OPTION_CHARS: usize = 100;
const SKU_CHARS: usize = 100;
const OPTIONS: usize = 3;
/// A body is at most 64 KiB: what is promised here must fit. An import takes more.
const DESCRIPTION_CHARS: usize = 40_000;
const PICTURES: usize = 50;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PictureBody {
    /// An http or https address
    #[schema(max_length = 1000, example = "https://pictures.example/cup.jpg")]
    pub url: String,
    #[serde(default)]
    #[schema(max_length = 512)]
    pub alt: String,
    /// The variant that it shows
    pub variant_id: Option<VariantId>,
}

/// What is to be changed of a product; what is not given stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub title: Option<String>,
    pub description: Option<String>,
    pub vendor: Option<String>,
    pub tags: Option<String>,
    pub category: Option<String>,
    pub options: Option<Vec<String>>,
    pub pictures: Option<Vec<PictureBody>>,
    pub published: Option<bool>,
}

/// The same, checked.
#[derive(Debug, Default)]
pub struct Change {
    pub title: Option<String>,
    pub description: Option<Description>,
    pub vendor: Option<String>,
    pub tags: Option<String>,
    /// A category's handle
    pub category: Option<String>,
    pub options: Option<[String; 3]>,
    pub pictures: Option<Vec<Picture>>,
    pub published: Option<bool>,
}

#[derive(Debug, Default)]
pub struct Description {
    pub html: String,
    pub plain: String,
}

impl Given {
    /// Checks everything that the request alone can say. Markup takes a while: on a thread for such work.
    ///
    /// # Errors
    /// 422 that names every field at fault.
    pub async fn check(self, mut checks: Checks) -> Result<Change> {
        let title = self.title.map(|text| checks.required("title", &text, NAME_CHARS));
        let vendor = self
            .vendor
            .map(|text| checks.optional("vendor", &text, NAME_CHARS));
        let tags = self.tags.map(|text| checks.optional("tags", &text, TAGS_CHARS));
        let category = self
            .category
            .map(|text| checks.required("category", &text, CATEGORY_CHARS));
        let options = self.options.map(|names| option_names(&names, &mut checks));
        let pictures = self.pictures.map(|given| pictures(given, &mut checks));
        if self
            .description
            .as_ref()
            .is_some_and(|html| html.chars().count() > DESCRIPTION_CHARS)
        {
            checks.fail(
                "description",
                format!("must have at most {DESCRIPTION_CHARS} characters"),
            );
        }
        checks.done()?;
        let description = match self.description {
            Some(html) => Some(sanitised(html).await?),
            None => None,
        };
        Ok(Change {
            title,
            description,
            vendor,
            tags,
            category,
            options,
            pictures,
            published: self.published,
        })
    }
}

async fn sanitised(html: String) -> Result<Description> {
    let work = tokio::task::spawn_blocking(move || {
        let html = text::sanitise(&html);
        let plain = text::plain(&html);
        Description { html, plain }
    });
    work.await
        .map_err(|error| Error::Internal(format!("a description could not be sanitised: {error}")))
}

fn option_names(names: &[String], checks: &mut Checks) -> [String; 3] {
    let mut checked = [const { String::new() }; OPTIONS];
    if names.len() > OPTIONS {
        checks.fail("options", format!("must be at most {OPTIONS}"));
    }
    for (index, (name, place)) in names.iter().zip(&mut checked).enumerate() {
        let field = format!("options[{index}]");
        *place = checks.required(&field, name, OPTION_CHARS);
        if names[..index]
            .iter()
            .any(|other| other.trim() == name.trim() && !name.trim().is_empty())
        {
            checks.fail(field, "is given twice");
        }
    }
    checked
}

fn pictures(given: Vec<PictureBody>, checks: &mut Checks) -> Vec<Picture> {
    if given.len() > PICTURES {
        checks.fail("pictures", format!("must be at most {PICTURES}"));
        return Vec::new();
    }
    let mut pictures = Vec::with_capacity(given.len());
    for (index, picture) in given.into_iter().enumerate() {
        let field = format!("pictures[{index}].url");
        let url = checks.required(&field, &picture.url, 1_000);
        if !url.is_empty() && !text::is_on_the_web(&url) {
            checks.fail(field, "must be an http or https address");
        }
        pictures.push(Picture {
            url,
            alt: checks.optional(&format!("pictures[{index}].alt"), &picture.alt, 512),
            variant_id: picture.variant_id,
        });
    }
    pictures
}

/// A product's handle: one that is given, else one made of the title.
pub fn handle(given: Option<&str>, title: &str, checks: &mut Checks) -> String {
    let Some(given) = given else {
        let made = text::slug(title);
        if made.is_empty() && !title.trim().is_empty() {
            checks.fail("handle", "must be given: the title has no letters or digits");
        }
        return made;
    };
    let handle = checks.required("handle", given, CATEGORY_CHARS);
    if !handle.is_empty() && text::slug(&handle) != handle {
        checks.fail("handle", "must be small letters and digits, parted by hyphens");
    }
    handle
}

/// A price in the shop's currency.
pub fn price(given: Money, currency: Currency, checks: &mut Checks) -> i64 {
    if !(0..=MAX_AMOUNT).contains(&given.amount) {
        checks.fail("price.amount", format!("must be from 0 to {MAX_AMOUNT}"));
    }
    if given.currency != currency {
        checks.fail("price.currency", format!("must be {currency}"));
    }
    given.amount
}

/// A SKU; an empty one is none.
pub fn sku(given: &str, checks: &mut Checks) -> Option<String> {
    let sku = checks.optional("sku", given, SKU_CHARS);
    Some(sku).filter(|sku| !sku.is_empty())
}

/// The option values of a variant, as far as they can be judged without its product.
pub fn option_values(values: &[String], checks: &mut Checks) -> [String; 3] {
    let mut checked = [const { String::new() }; OPTIONS];
    if values.len() > OPTIONS {
        checks.fail("options", format!("must be at most {OPTIONS}"));
    }
    for (index, (value, place)) in values.iter().zip(&mut checked).enumerate() {
        *place = checks.required(&format!("options[{index}]"), value, OPTION_CHARS);
    }
    checked
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn fields(error: Error) -> Vec<String> {
        match error {
            Error::Validation(errors) => errors.into_iter().map(|error| error.field).collect(),
            other => vec![other.to_string()],
        }
    }

    #[tokio::test]
    async fn every_field_at_fault_is_named() {
        let picture = |url: &str| PictureBody {
            url: url.to_owned(),
            alt: "a".repeat(513),
            variant_id: None,
        };
        let given = Given {
            title: Some(" ".into()),
            vendor: Some("v".repeat(256)),
            tags: Some("t\u{7}".into()),
            category: Some(String::new()),
            options: Some(vec!["Size".into(), "Size ".into(), String::new(), "x".into()]),
            pictures: Some(vec![picture("ftp://a.example/1"), picture("")]),
            description: Some("d".repeat(40_001)),
            published: None,
        };
        assert_eq!(
            fields(given.check(Checks::default()).await.unwrap_err()),
            [
                "title",
                "vendor",
                "tags",
                "category",
                "options",
                "options[1]",
                "options[2]",
                "pictures[0].url",
                "pictures[0].alt",
                "pictures[1].url",
                "pictures[1].alt",
                "description"
            ]
        );
    }

    #[tokio::test]
    async fn pictures_and_characters_are_counted() {
        let picture = PictureBody {
            url: "https://a.example/1".into(),
            alt: String::new(),
            variant_id: None,
        };
        let given = |pictures, characters| Given {
            pictures: Some(vec![picture.clone(); pictures]),
            description: Some("é".repeat(characters)),
            ..Given::default()
        };
        assert!(given(50, 40_000).check(Checks::default()).await.is_ok());
        assert_eq!(
            fields(given(51, 40_001).check(Checks::default()).await.unwrap_err()),
            ["pictures", "description"]
        );
    }

    #[test]
    fn a_handle_is_given_or_made_of_the_title() {
        let read = |given: Option<&str>, title: &str| {
            let mut checks = Checks::default();
            let handle = handle(given, title, &mut checks);
            checks.done().map(|()| handle).map_err(fields)
        };
        assert_eq!(read(None, "Blue Cup!").unwrap(), "blue-cup");
        assert_eq!(read(Some("cup-2"), "Blue Cup").unwrap(), "cup-2");
        for bad in [Some("Cup"), Some("a b"), Some("-a"), Some("")] {
            assert_eq!(read(bad, "Cup").unwrap_err(), ["handle"], "{bad:?}");
        }
        assert_eq!(read(None, "!!!").unwrap_err(), ["handle"]);
    }

    #[test]
    fn a_price_is_in_the_shops_currency_and_bounded() {
        let usd: Currency = "USD".parse().unwrap();
        let krw: Currency = "KRW".parse().unwrap();
        let read = |amount, currency| {
            let mut checks = Checks::default();
            price(Money::new(amount, currency), usd, &mut checks);
            checks.done().map_err(fields)
        };
        assert!(read(0, usd).is_ok() && read(MAX_AMOUNT, usd).is_ok());
        assert_eq!(read(-1, krw).unwrap_err(), ["price.amount", "price.currency"]);
        assert_eq!(read(MAX_AMOUNT + 1, usd).unwrap_err(), ["price.amount"]);
    }
}
