//! One record as the parts of a product it carries, each field checked.

use csv::ByteRecord;

use super::header::{Column, Header};
use super::text;
use crate::types::money::Currency;

/// Why a row was refused, or what was changed about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub line: u64,
    pub column: &'static str,
    pub reason: String,
}

/// What the first row of a handle says of the product. None: the file has no such column, so what the shop holds
/// stays.
#[derive(Debug, Clone)]
pub struct ProductPart {
    pub title: String,
    pub description: Option<String>,
    pub vendor: Option<String>,
    pub tags: Option<String>,
    pub category: Option<String>,
    pub published: Option<bool>,
    pub option_names: [String; 3],
}

#[derive(Debug, Clone)]
pub struct VariantPart {
    pub line: u64,
    pub options: [String; 3],
    pub sku: Option<String>,
    pub price: i64,
    pub quantity: i32,
    pub image: Option<String>,
}

#[derive(Debug, Clone)]
pub struct PicturePart {
    pub url: String,
    pub alt: String,
    pub position: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub line: u64,
    /// Given by rows with a title.
    pub product: Option<ProductPart>,
    /// None in a row that only brings a further picture.
    pub variant: Option<VariantPart>,
    pub picture: Option<PicturePart>,
}

const NAMES: [Column; 3] = [Column::Option1Name, Column::Option2Name, Column::Option3Name];
const VALUES: [Column; 3] = [Column::Option1Value, Column::Option2Value, Column::Option3Value];
const TAGS_CHARS: usize = 1_000;
/// Markup that is never closed makes reading it quadratic: 1 MiB of `<div>` took minutes, this much takes well
/// under a second.
const BODY_BYTES: usize = 64 * 1024;

/// Reads fields of one record.
pub struct Fields<'a> {
    pub header: &'a Header,
    pub record: &'a ByteRecord,
    pub line: u64,
    pub currency: Currency,
}

type Outcome<T> = Result<T, Problem>;

impl Fields<'_> {
    fn problem(&self, column: Column, reason: impl Into<String>) -> Problem {
        Problem {
            line: self.line,
            column: column.name(),
            reason: reason.into(),
        }
    }

    /// A field as text, trimmed.
    fn raw(&self, column: Column) -> Outcome<&str> {
        str::from_utf8(self.header.bytes(self.record, column))
            .map(str::trim)
            .map_err(|_| self.problem(column, "is not UTF-8"))
    }

    /// A line of text of at most `max` characters.
    fn text(&self, column: Column, max: usize) -> Outcome<String> {
        let text = self.raw(column)?;
        if text.chars().any(char::is_control) {
            return Err(self.problem(column, "has a line break or another control character"));
        }
        if text.chars().count() > max {
            return Err(self.problem(column, format!("has more than {max} characters")));
        }
        Ok(text.to_owned())
    }

    fn optional(&self, column: Column, max: usize) -> Outcome<Option<String>> {
        self.header
            .has(column)
            .then(|| self.text(column, max))
            .transpose()
    }

    /// The handle, which decides which product the row belongs to, whatever else is wrong with it.
    pub fn handle(&self) -> Outcome<String> {
        if self.record.len() != self.header.width {
            let reason = format!(
                "the row has {} fields, the header has {}",
                self.record.len(),
                self.header.width
            );
            return Err(self.problem(Column::Handle, reason));
        }
        let handle = self.text(Column::Handle, 255)?;
        if handle.is_empty() {
            return Err(self.problem(Column::Handle, "is empty"));
        }
        if handle.contains(|c: char| c.is_whitespace() || "/?#%\\".contains(c)) {
            return Err(self.problem(
                Column::Handle,
                format!("{handle:?} has a character that has no place in an address"),
            ));
        }
        Ok(handle)
    }

    /// The whole row. Warnings are added to `warnings`.
    pub fn row(&self, warnings: &mut Vec<Problem>) -> Outcome<Row> {
        for (index, field) in self.record.iter().enumerate() {
            if str::from_utf8(field).is_err() {
                return Err(Problem {
                    line: self.line,
                    column: "field",
                    reason: format!("{} is not UTF-8", index + 1),
                });
            }
        }
        let product = self.product(warnings)?;
        let picture = self.picture()?;
        let has_variant = product.is_some()
            || picture.is_none()
            || !self.raw(Column::Price)?.is_empty()
            || !self.raw(Column::Sku)?.is_empty()
            || !self.raw(Column::Option1Value)?.is_empty();
        let variant = has_variant.then(|| self.variant(warnings)).transpose()?;
        Ok(Row {
            line: self.line,
            product,
            variant,
            picture,
        })
    }

    fn product(&self, warnings: &mut Vec<Problem>) -> Outcome<Option<ProductPart>> {
        let title = self.text(Column::Title, 255)?;
        if title.is_empty() {
            return Ok(None);
        }
        let tags = self
            .header
            .has(Column::Tags)
            .then(|| self.tags(warnings))
            .transpose()?;
        let body = self
            .header
            .has(Column::Body)
            .then(|| self.raw(Column::Body))
            .transpose()?;
        if body.is_some_and(|body| body.len() > BODY_BYTES) {
            let reason = format!("has more than {BODY_BYTES} bytes");
            return Err(self.problem(Column::Body, reason));
        }
        Ok(Some(ProductPart {
            title,
            description: body.map(text::sanitise),
            vendor: self.optional(Column::Vendor, 255)?,
            category: self.category(tags.as_deref())?,
            tags,
            published: self.published()?,
            option_names: self.option_names()?,
        }))
    }

    fn tags(&self, warnings: &mut Vec<Problem>) -> Outcome<String> {
        let tags = self.text(Column::Tags, usize::MAX)?;
        if tags.chars().count() <= TAGS_CHARS {
            return Ok(tags);
        }
        warnings.push(self.problem(
            Column::Tags,
            format!("only the tags in the first {TAGS_CHARS} characters are kept"),
        ));
        let cut: String = tags.chars().take(TAGS_CHARS).collect();
        Ok(cut.rsplit_once(',').map_or("", |(kept, _)| kept).to_owned())
    }

    /// The type, else the first tag, else Other. None when the file says nothing of either.
    fn category(&self, tags: Option<&str>) -> Outcome<Option<String>> {
        let kind = self.optional(Column::Type, 191)?;
        if kind.is_none() && tags.is_none() {
            return Ok(None);
        }
        let first_tag = || {
            let tag = tags?.split(',').next()?.trim();
            Some(tag.chars().take(191).collect::<String>())
        };
        // A name without a letter or digit has no handle.
        let named = |name: &String| !text::slug(name).is_empty();
        let name = kind.filter(named).or_else(|| first_tag().filter(named));
        Ok(Some(name.unwrap_or_else(|| "Other".to_owned())))
    }

    fn published(&self) -> Outcome<Option<bool>> {
        let has_status = self.header.has(Column::Status);
        if !self.header.has(Column::Published) && !has_status {
            return Ok(None);
        }
        let published = match self.raw(Column::Published)?.to_lowercase().as_str() {
            "" | "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            other => {
                let reason = format!("{other:?} is neither true nor false");
                return Err(self.problem(Column::Published, reason));
            }
        };
        let active = match self.raw(Column::Status)?.to_lowercase().as_str() {
            "" | "active" => true,
            "draft" | "archived" | "unlisted" => false,
            other => {
                let reason = format!("{other:?} is not active, draft or archived");
                return Err(self.problem(Column::Status, reason));
            }
        };
        Ok(Some(published && active))
    }

    fn option_names(&self) -> Outcome<[String; 3]> {
        let mut names = [const { String::new() }; 3];
        for (name, column) in names.iter_mut().zip(NAMES) {
            *name = self.text(column, 100)?;
        }
        // Shopify's way to say that there are none.
        if names[0].eq_ignore_ascii_case("Title") && self.is_default_title()? {
            names[0].clear();
        }
        for place in 1..3 {
            if names[place - 1].is_empty() && !names[place].is_empty() {
                let reason = format!("is empty, while {} is given", NAMES[place].name());
                return Err(self.problem(NAMES[place - 1], reason));
            }
        }
        Ok(names)
    }

    fn is_default_title(&self) -> Outcome<bool> {
        Ok(self
            .raw(Column::Option1Value)?
            .eq_ignore_ascii_case("Default Title"))
    }

    fn variant(&self, warnings: &mut Vec<Problem>) -> Outcome<VariantPart> {
        let price = self.raw(Column::Price)?;
        if price.is_empty() {
            return Err(self.problem(Column::Price, "is empty"));
        }
        let price = self
            .currency
            .parse_amount(price)
            .map_err(|reason| self.problem(Column::Price, reason))?;
        let mut options = [const { String::new() }; 3];
        for (value, column) in options.iter_mut().zip(VALUES) {
            *value = self.text(column, 100)?;
        }
        if self.is_default_title()? {
            options[0].clear();
        }
        let sku = self.text(Column::Sku, 100)?;
        let policy = self.raw(Column::Policy)?.to_lowercase();
        match policy.as_str() {
            "" | "deny" => {}
            "continue" => warnings.push(self.problem(
                Column::Policy,
                "continue is taken as deny: what is not in stock is not sold",
            )),
            other => {
                let reason = format!("{other:?} is neither deny nor continue");
                return Err(self.problem(Column::Policy, reason));
            }
        }
        Ok(VariantPart {
            line: self.line,
            options,
            sku: Some(sku).filter(|sku| !sku.is_empty()),
            price,
            quantity: self.quantity(warnings)?,
            image: self.address(Column::VariantImage)?,
        })
    }

    fn quantity(&self, warnings: &mut Vec<Problem>) -> Outcome<i32> {
        const MOST: i32 = 1_000_000_000;
        let text = self.raw(Column::Quantity)?;
        if text.is_empty() {
            return Ok(0);
        }
        match text.parse::<i64>() {
            Ok(number) if number < 0 => {
                warnings.push(self.problem(
                    Column::Quantity,
                    format!("{number} is taken as 0: stock is never below it"),
                ));
                Ok(0)
            }
            Ok(number) if number <= i64::from(MOST) => Ok(i32::try_from(number).unwrap_or(MOST)),
            Ok(_) => Err(self.problem(Column::Quantity, format!("{text} is more than {MOST}"))),
            Err(_) => Err(self.problem(Column::Quantity, format!("{text:?} is not a whole number"))),
        }
    }

    fn picture(&self) -> Outcome<Option<PicturePart>> {
        let Some(url) = self.address(Column::ImageSrc)? else {
            return Ok(None);
        };
        let position = self.raw(Column::ImagePosition)?;
        let position = match (position, position.parse::<u32>()) {
            ("", _) => None,
            (_, Ok(number)) => Some(number),
            (_, Err(_)) => {
                let reason = format!("{position:?} is not a whole number");
                return Err(self.problem(Column::ImagePosition, reason));
            }
        };
        Ok(Some(PicturePart {
            url,
            alt: self.text(Column::ImageAlt, 512)?,
            position,
        }))
    }

    /// A picture's address on the web.
    fn address(&self, column: Column) -> Outcome<Option<String>> {
        let url = self.text(column, 1_000)?;
        if url.is_empty() {
            return Ok(None);
        }
        if text::is_on_the_web(&url) {
            Ok(Some(url))
        } else {
            Err(self.problem(column, format!("{url:?} is not an http or https address")))
        }
    }
}
