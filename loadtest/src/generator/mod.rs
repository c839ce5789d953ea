//! A generator is a process of its own: its CPU is metered apart, and it can run where the shop's proxy is. The commands that drive a
//! stack start one, and speak with it in JSON lines: a command on its standard input, replies on its standard output.

mod child;
mod serve;

use serde::{Deserialize, Serialize};

pub use self::child::{Generator, Where};
pub use self::serve::{GenerateArgs, ShopArgs, open, run};
use crate::drive::Tick;
use crate::load::Load;
use crate::result::{Measured, Verification};

/// The variable with the admin's password: command lines can be read by everybody on a machine.
pub const ADMIN_PASSWORD: &str = "TRESTLE_LOADTEST_ADMIN_PASSWORD";

/// What a generator is told, one line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make accounts: with sessions, each held by a shopper, or for returning customers who log in.
    Prepare { accounts: usize, with_sessions: bool },
    /// Put this load on the shop.
    Load(Box<Load>),
    /// Hold the shop to the journal.
    Verify,
}

/// What it says, one line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It knows the shop.
    Ready {
        products: u64,
        pid: u32,
    },
    Progress {
        done: usize,
        of: usize,
    },
    Tick(Tick),
    Done,
    Measured(Box<Measured>),
    Verified(Verification),
    /// The command failed; it takes the next one all the same.
    Failed(String),
}
