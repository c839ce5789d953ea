//! Ids. Products and variants count up; whatever belongs to a customer has a UUIDv7, which cannot be guessed
//! and sorts by the time it was made.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

macro_rules! number_id {
    ($name:ident, $what:literal) => {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = u64, minimum = 1, maximum = 9_223_372_036_854_775_807_u64)]
        pub struct $name(pub u64);

        impl $name {
            /// Reads an id from a path segment.
            ///
            /// # Errors
            /// 400 `invalid_request` when the text is not a positive whole number.
            pub fn parse(text: &str) -> Result<Self, Error> {
                match text.parse::<u64>() {
                    // Ids are BIGINT in the database, so one past i64 cannot exist.
                    Ok(id) if id > 0 && i64::try_from(id).is_ok() => Ok(Self(id)),
                    _ => Err(Error::invalid(concat!(
                        "the ",
                        $what,
                        " id is not a positive whole number"
                    ))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! uuid_id {
    ($name:ident, $what:literal) => {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts after those made before it.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// Reads an id from a path segment.
            ///
            /// # Errors
            /// 404 when the text is not a UUID: such a thing does not exist.
            pub fn parse(text: &str) -> Result<Self, Error> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| Error::NotFound($what))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(ProductId, "product");
number_id!(VariantId, "variant");
uuid_id!(CustomerId, "customer");
uuid_id!(OrderId, "order");
uuid_id!(AddressId, "address");
uuid_id!(SessionId, "session");
uuid_id!(CartId, "cart");
uuid_id!(ReviewId, "review");
