//! The sandbox payment gateway: a stand-in for a payment company, with books and transactions of its own.
//!
//! It knows one thing of each order: the one row that its primary key allows. Charge and void both insert that row,
//! so they exclude each other and the first wins, however late either comes. A refund turns captured into refunded
//! once. The token of a request says how the gateway behaves, as cards for testing do.

mod store;

use std::time::Duration;

use rand::RngExt as _;

use crate::db::{Db, Deadline};
use crate::error::{Error, Result};
use crate::tally;
use crate::types::id::OrderId;
use crate::types::money::Money;

/// The gateway's own limit for writing its books.
const BOOKING: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_secs(2);
/// When a late capture comes, in milliseconds: around the time when recovery voids the order (10 to 12 s after it
/// was placed), so that either may be first.
const LATE_MS: std::ops::Range<u64> = 9_000..13_000;

/// How a payment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Captured at once.
    Approve,
    /// Declined at once.
    Decline,
    /// Captured after 2 s.
    Slow,
    /// Never answered, nothing captured.
    Timeout,
    /// Captured, but the answer is lost.
    Lost,
    /// Not answered; captured seconds after the caller gave up, unless it was voided before.
    Late,
}

impl Token {
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "tok_approve" => Some(Self::Approve),
            "tok_decline" => Some(Self::Decline),
            "tok_slow" => Some(Self::Slow),
            "tok_timeout" => Some(Self::Timeout),
            "tok_lost" => Some(Self::Lost),
            "tok_late" => Some(Self::Late),
            _ => None,
        }
    }
}

/// What the gateway's books say of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    Captured,
    Declined,
    Voided,
    Refunded,
}

impl Booked {
    fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
        }
    }

    fn read(text: &str) -> Result<Self> {
        [Self::Captured, Self::Declined, Self::Voided, Self::Refunded]
            .into_iter()
            .find(|booked| booked.as_str() == text)
            .ok_or_else(|| Error::Internal(format!("the gateway's books say {text:?}")))
    }
}

/// Asks for a payment and waits for its answer, for ever if need be: the caller sets the limit.
///
/// # Errors
/// When the gateway's books cannot be written; whether it captured is not known then.
pub async fn charge(db: &Db, order: OrderId, amount: Money, token: Token) -> Result<Booked> {
    if !matches!(token, Token::Approve | Token::Decline) {
        // A gateway that takes its time must not keep others from being worked on.
        tally::leave_place();
    }
    match token {
        Token::Approve => book(db, order, amount, Booked::Captured).await,
        Token::Decline => book(db, order, amount, Booked::Declined).await,
        Token::Slow => {
            tokio::time::sleep(SLOW).await;
            book(db, order, amount, Booked::Captured).await
        }
        Token::Timeout => std::future::pending().await,
        Token::Lost => {
            book(db, order, amount, Booked::Captured).await?;
            std::future::pending().await
        }
        Token::Late => {
            let db = db.clone();
            tally::spawn(async move {
                let late = rand::rng().random_range(LATE_MS);
                tokio::time::sleep(Duration::from_millis(late)).await;
                let booked = book(&db, order, amount, Booked::Captured).await;
                tracing::info!(%order, ?booked, "the gateway was late");
            });
            std::future::pending().await
        }
    }
}

/// Sees to it that an order is not charged any more, and answers what the books say: `Voided`, or what was first.
///
/// # Errors
/// When the gateway's books cannot be written.
pub async fn void(db: &Db, order: OrderId, amount: Money) -> Result<Booked> {
    book(db, order, amount, Booked::Voided).await
}

/// Gives back what was captured; a second time changes nothing.
///
/// # Errors
/// When nothing was captured, or the books cannot be written.
pub async fn refund(db: &Db, deadline: Deadline, order: OrderId) -> Result<()> {
    let booked = db
        .transact(deadline.within(BOOKING), move |tx| {
            Box::pin(async move {
                if store::refund(tx, order).await? {
                    return Ok(Some(Booked::Refunded));
                }
                store::booked(tx, order).await
            })
        })
        .await?;
    match booked {
        Some(Booked::Refunded) => Ok(()),
        other => Err(Error::Internal(format!(
            "order {order} cannot be refunded: the gateway's books say {other:?}"
        ))),
    }
}

/// Writes the order's row if there is none, and answers what the row says.
async fn book(db: &Db, order: OrderId, amount: Money, wanted: Booked) -> Result<Booked> {
    db.transact(Deadline::after(BOOKING), move |tx| {
        Box::pin(async move {
            if store::insert(tx, order, amount, wanted).await? {
                return Ok(wanted);
            }
            store::booked(tx, order)
                .await?
                .ok_or_else(|| Error::Internal(format!("the gateway lost order {order}")))
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_their_exact_names() {
        assert_eq!(Token::read("tok_lost"), Some(Token::Lost));
        for unknown in ["", "tok_", "TOK_APPROVE", "tok_approve "] {
            assert_eq!(Token::read(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn the_books_are_read_as_they_were_written() {
        for booked in [
            Booked::Captured,
            Booked::Declined,
            Booked::Voided,
            Booked::Refunded,
        ] {
            assert_eq!(Booked::read(booked.as_str()).ok(), Some(booked));
        }
        assert!(Booked::read("lost").is_err());
    }
}
