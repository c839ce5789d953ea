//! What cannot be seen in a row alone: a handle or SKU that the file had before, a SKU that another variant has.

use std::collections::HashMap;

use sqlx::MySqlConnection;

use super::product::Draft;
use super::row::Problem;
use super::store::{self, Seen};

/// A product that may be imported, without the variants that may not.
pub struct Accepted<'a> {
    pub draft: &'a Draft,
    /// For each variant of the draft, whether it was refused.
    pub skip: Vec<bool>,
    pub refused: bool,
}

/// What was refused, and how many rows that is.
pub type Refused = Vec<(Problem, u64)>;

fn sku_of(draft: &Draft, index: usize) -> Option<&String> {
    draft.variants[index].sku.as_ref()
}

/// Checks a batch, and notes its handles and SKUs as seen.
pub async fn batch<'a>(
    connection: &mut MySqlConnection,
    drafts: &'a [Draft],
) -> anyhow::Result<(Vec<Accepted<'a>>, Refused)> {
    let handles = drafts.iter().map(|draft| draft.handle.clone()).collect();
    let skus: Vec<String> = drafts
        .iter()
        .flat_map(|draft| (0..draft.variants.len()).filter_map(|i| sku_of(draft, i).cloned()))
        .collect();
    let mut seen = Sightings {
        handles: pairs(store::seen(connection, Seen::Handle, handles).await?),
        skus: pairs(store::seen(connection, Seen::Sku, skus.clone()).await?),
        owners: owners(connection, skus).await?,
        new: vec![],
    };
    let mut refused = Refused::default();
    let mut accepted = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(line) = seen.handles.get(&draft.handle) {
            let reason = format!(
                "rows of one handle must follow one another: {} began in line {line}",
                draft.handle
            );
            let problem = Problem {
                line: draft.line,
                column: "Handle",
                reason,
            };
            refused.push((problem, draft.rows));
            continue;
        }
        let mut skip = vec![false; draft.variants.len()];
        for (index, skip) in skip.iter_mut().enumerate() {
            let Err(reason) = seen.check_sku(draft, index) else {
                continue;
            };
            *skip = true;
            let problem = Problem {
                line: draft.variants[index].line,
                column: "Variant SKU",
                reason,
            };
            // The first row's variant: the whole product, as when the row is bad in itself.
            let rows = if index == 0 { draft.rows } else { 1 };
            refused.push((problem, rows));
            if index == 0 {
                break;
            }
        }
        if skip.first() == Some(&true) {
            continue;
        }
        seen.add(draft, &skip);
        let refused = draft.refused || skip.contains(&true);
        accepted.push(Accepted { draft, skip, refused });
    }
    store::add_seen(connection, seen.new).await?;
    Ok((accepted, refused))
}

fn pairs(rows: Vec<(String, u64)>) -> HashMap<String, u64> {
    rows.into_iter().collect()
}

struct Owner {
    handle: String,
    options: [String; 3],
}

async fn owners(
    connection: &mut MySqlConnection,
    skus: Vec<String>,
) -> anyhow::Result<HashMap<String, Owner>> {
    let rows = store::owners_of_skus(connection, skus).await?;
    Ok(rows
        .into_iter()
        .map(|(sku, handle, one, two, three)| {
            let options = [one, two, three];
            (sku, Owner { handle, options })
        })
        .collect())
}

/// What the file had so far, and which variants of the shop have the batch's SKUs.
struct Sightings {
    handles: HashMap<String, u64>,
    skus: HashMap<String, u64>,
    owners: HashMap<String, Owner>,
    new: Vec<(Seen, String, u64)>,
}

impl Sightings {
    fn check_sku(&self, draft: &Draft, index: usize) -> Result<(), String> {
        let Some(sku) = sku_of(draft, index) else {
            return Ok(());
        };
        if let Some(line) = self.skus.get(sku) {
            return Err(format!("{sku:?} is in line {line}, too"));
        }
        let Some(owner) = self.owners.get(sku) else {
            return Ok(());
        };
        if owner.handle != draft.handle {
            return Err(format!("{sku:?} belongs to a variant of {}", owner.handle));
        }
        // Within a product SKUs may move: then the file gives its owner another.
        let given_up = draft
            .variants
            .iter()
            .any(|variant| variant.options == owner.options);
        if given_up {
            return Ok(());
        }
        let options = owner.options.join(" / ");
        let options = options.trim_end_matches(" / ");
        Err(format!("{sku:?} belongs to this product's variant {options:?}"))
    }

    fn add(&mut self, draft: &Draft, skip: &[bool]) {
        self.handles.insert(draft.handle.clone(), draft.line);
        self.new.push((Seen::Handle, draft.handle.clone(), draft.line));
        for index in (0..draft.variants.len()).filter(|index| !skip[*index]) {
            if let Some(sku) = sku_of(draft, index) {
                let line = draft.variants[index].line;
                self.skus.insert(sku.clone(), line);
                self.new.push((Seen::Sku, sku.clone(), line));
            }
        }
    }
}
