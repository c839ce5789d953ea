//! Rows of one handle put together: a product with its variants and pictures.
//!
//! The rule for bad rows: when the first row of a handle is refused, so is the whole product, because nothing is known
//! of it; otherwise only the bad rows are left out.

use std::collections::HashSet;

use super::row::{PicturePart, Problem, ProductPart, Row, VariantPart};

/// Shopify's own limits to one product; they also bound the memory that one handle can take.
pub const MOST_VARIANTS: usize = 2_048;
pub const MOST_PICTURES: usize = 250;

#[derive(Debug, Clone)]
pub struct Picture {
    pub url: String,
    pub alt: String,
    /// The variant that it shows, by its place in `Draft::variants`.
    pub variant: Option<usize>,
}

/// Columns that the file has: of what it has no column for, the shop keeps what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Has {
    pub pictures: bool,
    pub skus: bool,
}

/// A product as the file has it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub line: u64,
    pub handle: String,
    pub product: ProductPart,
    pub variants: Vec<VariantPart>,
    pub pictures: Vec<Picture>,
    pub has: Has,
    /// Rows that made it.
    pub rows: u64,
    /// Whether rows were refused: then what is missing here may not be taken from the shop.
    pub refused: bool,
}

impl Draft {
    /// About the memory that it takes.
    pub fn bytes(&self) -> usize {
        let description = self.product.description.as_ref().map_or(0, String::len);
        2 * description + 200 * self.variants.len() + 200 * self.pictures.len()
    }
}

/// The rows of a handle while they are read.
pub struct Group {
    line: u64,
    handle: String,
    /// None once the first row was refused.
    product: Option<ProductPart>,
    variants: Vec<VariantPart>,
    pictures: Vec<PicturePart>,
    options: HashSet<[String; 3]>,
    rows: u64,
    refused: bool,
}

impl Group {
    /// Begins with the first row of a handle, which may have been refused already (`Err`).
    pub fn begin(line: u64, handle: String, row: Result<Row, Problem>, problems: &mut Vec<Problem>) -> Self {
        let mut group = Self {
            line,
            handle,
            product: None,
            variants: vec![],
            pictures: vec![],
            options: HashSet::new(),
            rows: 0,
            refused: false,
        };
        let outcome = row.and_then(|mut row| {
            let Some(product) = row.product.take() else {
                return Err(Problem {
                    line,
                    column: "Title",
                    reason: format!("is empty in the first row of {}", group.handle),
                });
            };
            group.product = Some(product);
            group.take(row)
        });
        if let Err(problem) = outcome {
            group.product = None;
            group.refused = true;
            problems.push(problem);
        }
        group
    }

    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// Adds a further row, or what was wrong with it.
    pub fn add(&mut self, line: u64, row: Result<Row, Problem>, problems: &mut Vec<Problem>) {
        let outcome = if self.product.is_none() {
            Err(self.first_row_refused(line))
        } else {
            row.and_then(|row| self.take(row))
        };
        if let Err(problem) = outcome {
            self.refused = true;
            problems.push(problem);
        }
    }

    fn first_row_refused(&self, line: u64) -> Problem {
        Problem {
            line,
            column: "Handle",
            reason: format!(
                "the first row of {} (line {}) was refused, so this one is, too",
                self.handle, self.line
            ),
        }
    }

    fn take(&mut self, row: Row) -> Result<(), Problem> {
        let problem = |column, reason: String| Problem {
            line: row.line,
            column,
            reason,
        };
        if row.picture.is_some() && self.pictures.len() >= MOST_PICTURES {
            let reason = format!("a product has at most {MOST_PICTURES} pictures");
            return Err(problem("Image Src", reason));
        }
        if let Some(variant) = row.variant {
            self.check_options(&variant)?;
            if self.variants.len() >= MOST_VARIANTS {
                let reason = format!("a product has at most {MOST_VARIANTS} variants");
                return Err(problem("Option1 Value", reason));
            }
            if !self.options.insert(variant.options.clone()) {
                let values = variant.options.join(" / ");
                let values = values.trim_end_matches(" / ");
                let reason = format!("the variant {values:?} is in an earlier row of this handle");
                return Err(problem("Option1 Value", reason));
            }
            if let Some(sku) = &variant.sku
                && self.variants.iter().any(|other| other.sku.as_ref() == Some(sku))
            {
                self.options.remove(&variant.options);
                let reason = format!("{sku:?} is in an earlier row of this handle");
                return Err(problem("Variant SKU", reason));
            }
            self.variants.push(variant);
        }
        self.pictures.extend(row.picture);
        self.rows += 1;
        Ok(())
    }

    /// A variant has a value for each option that the first row names, and for no other.
    fn check_options(&self, variant: &VariantPart) -> Result<(), Problem> {
        const VALUES: [&str; 3] = ["Option1 Value", "Option2 Value", "Option3 Value"];
        let Some(product) = &self.product else {
            return Ok(());
        };
        for (place, (name, value)) in product.option_names.iter().zip(&variant.options).enumerate() {
            let reason = match (name.is_empty(), value.is_empty()) {
                (false, true) => format!("is empty, while the product has the option {name:?}"),
                (true, false) => {
                    format!(
                        "{value:?} is given, while the first row names no option {}",
                        place + 1
                    )
                }
                _ => continue,
            };
            return Err(Problem {
                line: variant.line,
                column: VALUES[place],
                reason,
            });
        }
        Ok(())
    }

    /// The product, when its first row was good.
    pub fn end(self, has: Has) -> Option<Draft> {
        let product = self.product?;
        let pictures = pictures(self.pictures, &self.variants);
        Some(Draft {
            line: self.line,
            handle: self.handle,
            product,
            variants: self.variants,
            pictures,
            has,
            rows: self.rows,
            refused: self.refused,
        })
    }
}

/// Pictures in their order, each address once; those of variants come last, unless they are among the others.
fn pictures(mut parts: Vec<PicturePart>, variants: &[VariantPart]) -> Vec<Picture> {
    parts.sort_by_key(|part| part.position.unwrap_or(u32::MAX));
    let mut pictures: Vec<Picture> = vec![];
    for part in parts {
        if pictures.iter().all(|picture| picture.url != part.url) {
            pictures.push(Picture {
                url: part.url,
                alt: part.alt,
                variant: None,
            });
        }
    }
    for (index, variant) in variants.iter().enumerate() {
        let Some(url) = &variant.image else { continue };
        if let Some(picture) = pictures.iter_mut().find(|picture| picture.url == *url) {
            picture.variant = picture.variant.or(Some(index));
        } else if pictures.len() < MOST_PICTURES {
            pictures.push(Picture {
                url: url.clone(),
                alt: String::new(),
                variant: Some(index),
            });
        }
    }
    pictures
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::super::reading::{Reading, Step};
    use super::*;

    const HEADER: &str = "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
        Variant SKU,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Image Src,Image Position,Variant Image\n";

    fn read(rows: &str) -> (Vec<Draft>, Vec<Problem>, Vec<Problem>) {
        let text = format!("{HEADER}{rows}");
        let mut reading = Reading::begin(text.as_bytes(), "USD".parse().unwrap()).unwrap();
        let mut drafts = vec![];
        loop {
            match reading.next().unwrap() {
                Step::Product(draft) => drafts.push(*draft),
                Step::Row => {}
                Step::End => break,
            }
        }
        (drafts, reading.problems, reading.warnings)
    }

    #[test]
    fn rows_of_a_handle_are_one_product() {
        let (drafts, problems, warnings) = read(
            "cup,Cup,<b>Hot</b>,true,Size,S,Colour,Red,A,3,deny,9.50,https://a.example/1.jpg,2,\n\
             cup,,,,,L,,Red,B,-2,continue,12,https://a.example/0.jpg,1,https://a.example/1.jpg\n\
             cup,,,,,,,,,,,,https://a.example/3.jpg,3,\n\
             pan,Pan,,false,Title,Default Title,,,,,,30,,,\n",
        );
        assert_eq!(problems, []);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(drafts.len(), 2);
        let cup = &drafts[0];
        assert_eq!((cup.line, cup.variants.len(), cup.pictures.len()), (2, 2, 3));
        assert_eq!(cup.variants[1].options, ["L", "Red", ""]);
        assert_eq!((cup.variants[1].price, cup.variants[1].quantity), (1200, 0));
        let urls: Vec<_> = cup
            .pictures
            .iter()
            .map(|picture| (picture.url.as_str(), picture.variant))
            .collect();
        assert_eq!(
            urls,
            [
                ("https://a.example/0.jpg", None),
                ("https://a.example/1.jpg", Some(1)),
                ("https://a.example/3.jpg", None)
            ]
        );
        assert_eq!(drafts[1].product.option_names[0], "");
        assert_eq!(drafts[1].variants[0].options[0], "");
        assert_eq!(drafts[1].product.published, Some(false));
    }

    #[test]
    fn a_bad_variant_is_left_out_and_a_bad_first_row_takes_the_product_with_it() {
        let (drafts, problems, _) = read(
            "cup,Cup,,,Size,S,,,,,,abc,,,\n\
             cup,,,,,L,,,,,,12,,,\n\
             pan,Pan,,,Size,S,,,,,,30,,,\n\
             pan,,,,,M,,,,,,-1,,,\n\
             pan,,,,,,,,,,,31,,,\n\
             pan,,,,,S,,,,,,32,,,\n\
             pan,,,,,L,Colour,Red,,,,32,,,\n\
             pan,,,,,XL,,,,,,33,ftp://a.example/1,,\n\
             pan,,,,,XXL,,,,,,34,,,\n\
             cap,,,,,,,,,,,1,,,\n\
             ,X,,,,,,,,,,1,,,\n\
             short,X\n",
        );
        assert_eq!(drafts.len(), 1);
        assert_eq!(drafts[0].variants.len(), 2);
        assert!(drafts[0].refused);
        let found: Vec<_> = problems.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(
            found,
            [
                (2, "Variant Price"),
                (3, "Handle"),
                (5, "Variant Price"),
                (6, "Option1 Value"),
                (7, "Option1 Value"),
                (8, "Option2 Value"),
                (9, "Image Src"),
                (11, "Title"),
                (12, "Handle"),
                (13, "Handle"),
            ]
        );
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_line() {
        let mut text = format!("{HEADER}cup,C").into_bytes();
        text.extend(b"\xE9,,,,,,,,,,9,,,\npan,Pan,,,,,,,,,,9,,,\n");
        let mut reading = Reading::begin(text.as_slice(), "USD".parse().unwrap()).unwrap();
        let mut drafts = vec![];
        loop {
            match reading.next().unwrap() {
                Step::Product(draft) => drafts.push(*draft),
                Step::Row => {}
                Step::End => break,
            }
        }
        assert_eq!(drafts.len(), 1);
        assert_eq!(reading.problems[0].line, 2);
        assert!(reading.problems[0].reason.contains("UTF-8"));
    }
}
