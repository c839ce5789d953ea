//! `trestle --compose roll`: new replicas in place of all.

use clap::Args;
use trestle::options::Usage;

/// Replaces all replicas by new ones of the image that there is now, with no failed request (--compose only)
///
/// As many new ones are started as there are; when all are healthy the old ones drain. After an interruption, say it again.
#[derive(Args)]
pub struct Roll {}

impl Roll {
    /// Local replicas run what was built: there is nothing to be replaced by.
    pub fn refused() -> Usage {
        Usage(
            "roll: for containers only, as `trestle --compose roll`; local replicas have no image".to_owned(),
        )
    }
}
