//! The query of lists that can be narrowed to a category and to nothing else.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::{Error, Result};

/// No category's handle is longer, in characters.
const MAX_HANDLE: usize = 191;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CategoryParams {
    /// Only this category, by its handle
    #[param(max_length = 191, example = "kitchen")]
    category: Option<String>,
}

impl CategoryParams {
    /// # Errors
    /// As `check`.
    pub fn check(self) -> Result<Option<String>> {
        check(self.category)
    }
}

/// A category's handle as a query gives it; an empty one is none.
///
/// # Errors
/// 400 that names the parameter.
pub fn check(category: Option<String>) -> Result<Option<String>> {
    let category = category.filter(|handle| !handle.is_empty());
    if category
        .as_ref()
        .is_some_and(|handle| handle.chars().count() > MAX_HANDLE)
    {
        return Err(Error::query("category", "is longer than any category's handle"));
    }
    Ok(category)
}
