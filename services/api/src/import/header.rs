//! Which column is where.

use csv::ByteRecord;

/// Columns that are read, by the names that Shopify gives them. All others are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Handle,
    Title,
    Body,
    Vendor,
    Type,
    Tags,
    Published,
    Status,
    Option1Name,
    Option1Value,
    Option2Name,
    Option2Value,
    Option3Name,
    Option3Value,
    Sku,
    Quantity,
    Policy,
    Price,
    ImageSrc,
    ImagePosition,
    ImageAlt,
    VariantImage,
}

use Column as C;

const COLUMNS: &[(Column, &str)] = &[
    (C::Handle, "Handle"),
    (C::Title, "Title"),
    (C::Body, "Body (HTML)"),
    (C::Vendor, "Vendor"),
    (C::Type, "Type"),
    (C::Tags, "Tags"),
    (C::Published, "Published"),
    (C::Status, "Status"),
    (C::Option1Name, "Option1 Name"),
    (C::Option1Value, "Option1 Value"),
    (C::Option2Name, "Option2 Name"),
    (C::Option2Value, "Option2 Value"),
    (C::Option3Name, "Option3 Name"),
    (C::Option3Value, "Option3 Value"),
    (C::Sku, "Variant SKU"),
    (C::Quantity, "Variant Inventory Qty"),
    (C::Policy, "Variant Inventory Policy"),
    (C::Price, "Variant Price"),
    (C::ImageSrc, "Image Src"),
    (C::ImagePosition, "Image Position"),
    (C::ImageAlt, "Image Alt Text"),
    (C::VariantImage, "Variant Image"),
];

const REQUIRED: &[Column] = &[C::Handle, C::Title, C::Price];

impl Column {
    pub fn name(self) -> &'static str {
        COLUMNS
            .iter()
            .find(|(column, _)| *column == self)
            .map_or("", |(_, name)| name)
    }
}

/// Where each column is in this file.
#[derive(Debug)]
pub struct Header {
    places: [Option<usize>; COLUMNS.len()],
    /// Fields of every record.
    pub width: usize,
}

impl Header {
    /// # Errors
    /// A sentence that names every required column that is missing, or one that is there twice.
    pub fn read(record: &ByteRecord) -> Result<Self, String> {
        let mut names = Vec::with_capacity(record.len());
        for field in record {
            match str::from_utf8(field) {
                Ok(name) => names.push(name.trim().to_lowercase()),
                Err(_) => return Err("the header is not UTF-8: save the file as CSV UTF-8".into()),
            }
        }
        let mut places = [None; COLUMNS.len()];
        for (column, name) in COLUMNS {
            let name_lower = name.to_lowercase();
            let mut at = names.iter().enumerate().filter(|(_, n)| **n == name_lower);
            places[*column as usize] = at.next().map(|(index, _)| index);
            if at.next().is_some() {
                return Err(format!("the header has the column {name} twice"));
            }
        }
        let missing: Vec<_> = REQUIRED
            .iter()
            .filter(|column| places[**column as usize].is_none())
            .map(|column| column.name())
            .collect();
        if missing.is_empty() {
            return Ok(Self {
                places,
                width: record.len(),
            });
        }
        Err(format!(
            "the header lacks {} (required: Handle, Title, Variant Price; separated by commas)",
            missing.join(", ")
        ))
    }

    pub fn has(&self, column: Column) -> bool {
        self.places[column as usize].is_some()
    }

    /// A field as it stands in the record; empty when the file has no such column.
    pub fn bytes<'r>(&self, record: &'r ByteRecord, column: Column) -> &'r [u8] {
        self.places[column as usize]
            .and_then(|place| record.get(place))
            .unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_order_of_the_columns() {
        for (index, (column, _)) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, index);
        }
    }

    #[test]
    fn every_missing_column_is_named() {
        let error = Header::read(&ByteRecord::from(vec!["Title", "Price"])).unwrap_err();
        assert!(error.contains("lacks Handle, Variant Price"), "{error}");
        let error = Header::read(&ByteRecord::from(vec!["Handle", "Handle"])).unwrap_err();
        assert!(error.contains("Handle twice"), "{error}");
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let header = Header::read(&ByteRecord::from(vec![
            "variant price ",
            "Extra",
            "Title",
            "Handle",
        ]))
        .unwrap();
        let record = ByteRecord::from(vec!["9.50", "?", "Cup", "cup"]);
        assert_eq!(header.bytes(&record, C::Price), b"9.50");
        assert_eq!(header.bytes(&record, C::Handle), b"cup");
        assert_eq!(header.bytes(&record, C::Vendor), b"");
        assert!(!header.has(C::Vendor));
    }
}
