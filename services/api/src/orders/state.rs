//! The states of an order and the only ways from one to another:
//!
//! ```text
//! pending -> paid -> shipped
//!    |         \---> cancelled   (stock and coupon use given back, payment refunded)
//!    \-> failed                  (stock and coupon use given back, nothing captured)
//! ```
//!
//! `orders::store::step` is the only statement that changes a state, and it asks `check`.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderState)]
pub enum State {
    /// Placed; its payment has not ended yet.
    Pending,
    Paid,
    Shipped,
    Cancelled,
    Failed,
}

impl State {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads what the database holds.
    ///
    /// # Errors
    /// `Internal` when it is none of the states.
    pub fn read(text: &str) -> Result<Self> {
        match text {
            "pending" => Ok(Self::Pending),
            "paid" => Ok(Self::Paid),
            "shipped" => Ok(Self::Shipped),
            "cancelled" => Ok(Self::Cancelled),
            "failed" => Ok(Self::Failed),
            _ => Err(Error::Internal(format!(
                "an order's state in the database is {text:?}"
            ))),
        }
    }

    fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Paid | Self::Failed) | (Self::Paid, Self::Shipped | Self::Cancelled)
        )
    }

    /// # Errors
    /// 409 `illegal_transition` when an order in this state cannot become `next`.
    pub fn check(self, next: Self) -> Result<()> {
        if self.leads_to(next) {
            Ok(())
        } else {
            Err(Error::IllegalTransition {
                state: self.to_string(),
                action: next.as_str(),
            })
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the customer is told of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    Pending,
    Captured,
    RefundPending,
    Refunded,
    /// Nothing was captured.
    None,
}

impl Payment {
    /// `due`: whether something is still to be done at the gateway (`settle_by` is set).
    pub fn of(state: State, due: bool) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Paid | State::Shipped => Self::Captured,
            State::Cancelled if due => Self::RefundPending,
            State::Cancelled => Self::Refunded,
            State::Failed => Self::None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::State::{Cancelled, Failed, Paid, Pending, Shipped};
    use super::*;

    const ALL: [State; 5] = [Pending, Paid, Shipped, Cancelled, Failed];

    #[test]
    fn only_four_steps_are_legal() {
        let legal = [
            (Pending, Paid),
            (Pending, Failed),
            (Paid, Shipped),
            (Paid, Cancelled),
        ];
        for from in ALL {
            for to in ALL {
                let may = from.check(to).is_ok();
                assert_eq!(may, legal.contains(&(from, to)), "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        for state in ALL {
            assert_eq!(State::read(state.as_str()).unwrap(), state);
        }
        assert!(State::read("PAID").is_err());
    }

    #[test]
    fn a_cancelled_order_says_whether_its_money_came_back() {
        assert_eq!(Payment::of(Cancelled, true), Payment::RefundPending);
        assert_eq!(Payment::of(Cancelled, false), Payment::Refunded);
        assert_eq!(Payment::of(Failed, false), Payment::None);
    }
}
