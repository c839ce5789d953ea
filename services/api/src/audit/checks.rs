//! The checks themselves: SQL that answers one row for each violation, as (what, what is wrong with it).
//!
//! Portable SQL that runs on both servers and holds no more than its own temporary table: tested by breaking each
//! on purpose (tests/tests/audit.rs).

use super::coupons::{COUPONS, SHIPMENTS};

/// One line of the audit.
pub struct Check {
    pub name: &'static str,
    /// What is counted, in the singular.
    pub what: &'static str,
    /// What is true when the check holds.
    pub holds: &'static str,
    /// How many there are.
    pub total: &'static str,
    /// Each answers the violations of one rule.
    pub violations: &'static [&'static str],
}

pub const CHECKS: &[Check] = &[
    STOCK, HOLDS, TOTALS, RESPONSES, PAYMENTS, COUPONS, SHIPMENTS, RATINGS, PRICES, SHELVES,
];

/// Invariant 1. The sum comes from the covering index (variant_id, quantity), a variant at a time: nothing is
/// materialised, however many variants there are.
const STOCK: Check = Check {
    name: "stock",
    what: "variant",
    holds: "ledger = stock >= 0",
    total: "SELECT COUNT(*) FROM variants",
    violations: &[
        "SELECT CONCAT('variant ', id), IF(on_hand IS NULL, 'has no stock row', CONCAT('stock ', on_hand, ', ledger ', ledger))
         FROM (
             SELECT v.id, s.on_hand,
                 (SELECT COALESCE(SUM(m.quantity), 0) FROM stock_movements m WHERE m.variant_id = v.id) AS ledger
             FROM variants v
             LEFT JOIN stock s ON s.variant_id = v.id
         ) sums
         WHERE on_hand IS NULL OR on_hand < 0 OR on_hand <> ledger",
        "SELECT CONCAT('variant ', s.variant_id), 'stock of a variant that does not exist'
         FROM stock s
         LEFT JOIN variants v ON v.id = s.variant_id
         WHERE v.id IS NULL",
        "SELECT DISTINCT CONCAT('variant ', m.variant_id), 'ledger of a variant that does not exist'
         FROM stock_movements m
         LEFT JOIN variants v ON v.id = m.variant_id
         WHERE v.id IS NULL",
    ],
};

/// Invariant 1 seen from the orders: what an order took, and what it gave back when it failed or was cancelled.
const HOLDS: Check = Check {
    name: "holds",
    what: "order line",
    holds: "each line is held once, and given back once when its order failed or was cancelled",
    total: "SELECT COUNT(*) FROM order_lines",
    violations: &[
        "SELECT CONCAT('order ', LOWER(HEX(t.order_id)), ' variant ', t.variant_id),
            CONCAT(COALESCE(o.state, 'no such order'), ', lines ', t.line, ', hold ', t.held, ', release ', t.released,
                ', restock ', t.restocked)
         FROM (
             SELECT order_id, variant_id, SUM(line) AS line, SUM(held) AS held, SUM(released) AS released,
                 SUM(restocked) AS restocked
             FROM (
                 SELECT order_id, variant_id, quantity AS line, 0 AS held, 0 AS released, 0 AS restocked
                 FROM order_lines
                 UNION ALL
                 SELECT order_id, variant_id, 0, IF(kind = 'hold', quantity, 0), IF(kind = 'release', quantity, 0),
                     IF(kind = 'restock', quantity, 0)
                 FROM stock_movements
                 WHERE order_id IS NOT NULL
             ) parts
             GROUP BY order_id, variant_id
         ) t
         LEFT JOIN orders o ON o.id = t.order_id
         WHERE o.id IS NULL
            OR t.held <> -t.line
            OR t.released <> IF(o.state = 'failed', t.line, 0)
            OR t.restocked <> IF(o.state = 'cancelled', t.line, 0)",
        "SELECT CONCAT('ledger row ', id), CONCAT(kind, ' of no order')
         FROM stock_movements
         WHERE order_id IS NULL AND kind IN ('hold', 'release', 'restock')",
    ],
};

/// Invariant 2: what was promised. That an order exists once is the unique key's (customer, idempotency key) work.
const TOTALS: Check = Check {
    name: "orders",
    what: "order",
    holds: "total = sum of its lines - discounts, in the shop's currency",
    total: "SELECT COUNT(*) FROM orders",
    violations: &[
        "SELECT CONCAT('order ', LOWER(HEX(o.id))),
            CONCAT('subtotal ', o.subtotal, ', discount ', o.discount, ', total ', o.total,
                IF(l.order_id IS NULL, ', no lines', CONCAT('; its lines: ', l.subtotal, ', ', l.discount, ', ', l.total)))
         FROM orders o
         LEFT JOIN (
             SELECT order_id, SUM(price * quantity) AS subtotal, SUM(discount) AS discount, SUM(total) AS total
             FROM order_lines
             GROUP BY order_id
         ) l ON l.order_id = o.id
         WHERE l.order_id IS NULL
            OR o.subtotal <> l.subtotal
            OR o.discount <> l.discount
            OR o.total <> l.total
            OR o.total <> o.subtotal - o.discount
            OR o.total < 0",
        "SELECT CONCAT('order ', LOWER(HEX(order_id)), ' line ', line_no),
            CONCAT('price ', price, ', quantity ', quantity, ', discount ', discount, ', total ', total)
         FROM order_lines
         WHERE total <> price * quantity - discount OR quantity <= 0 OR discount < 0 OR price < 0",
        "SELECT DISTINCT CONCAT('order ', LOWER(HEX(l.order_id))), 'lines of an order that does not exist'
         FROM order_lines l
         LEFT JOIN orders o ON o.id = l.order_id
         WHERE o.id IS NULL",
        "SELECT CONCAT('order ', LOWER(HEX(o.id))), CONCAT('in ', o.currency, ', the shop sells in ', COALESCE(s.currency, 'none'))
         FROM orders o
         LEFT JOIN shop s ON s.id = 1
         WHERE s.currency IS NULL OR s.currency <> o.currency",
        "SELECT CONCAT('order ', LOWER(HEX(id))), CONCAT('state ', state)
         FROM orders
         WHERE state NOT IN ('pending', 'paid', 'shipped', 'cancelled', 'failed')",
    ],
};

/// Invariant 2: an acknowledged answer, kept for retries, agrees with the order.
const RESPONSES: Check = Check {
    name: "responses",
    what: "stored answer",
    holds: "201 only for what was paid, 402 only for what failed",
    total: "SELECT COUNT(*) FROM order_responses",
    violations: &[
        "SELECT CONCAT('order ', LOWER(HEX(r.order_id))), CONCAT('answered ', r.status, ', ', COALESCE(o.state, 'no such order'))
         FROM order_responses r
         LEFT JOIN orders o ON o.id = r.order_id
         WHERE o.id IS NULL
            OR (r.status = 201 AND o.state NOT IN ('paid', 'shipped', 'cancelled'))
            OR (r.status = 402 AND o.state <> 'failed')
            OR r.status NOT IN (201, 202, 402)",
    ],
};

/// Invariant 3. The gateway commits before the shop does: an order that is still pending, or cancelled with its refund
/// due, may be behind the gateway's books, so there only the deadline is checked.
const PAYMENTS: Check = Check {
    name: "payments",
    what: "order",
    holds: "paid: captured once; cancelled: captured and refunded; failed: nothing kept; pending: not overdue",
    total: "SELECT COUNT(*) FROM orders",
    violations: &[
        "SELECT CONCAT('order ', LOWER(HEX(o.id))),
            CONCAT(o.state, ', total ', o.total, IF(g.order_id IS NULL, '; the gateway knows nothing of it',
                CONCAT('; gateway: ', g.state, ', captured ', g.captured, ', refunded ', g.refunded, ' ', g.currency)))
         FROM orders o
         LEFT JOIN gateway_payments g ON g.order_id = o.id
         WHERE (o.state IN ('paid', 'shipped')
                AND (g.order_id IS NULL OR g.state <> 'captured' OR g.captured <> o.total OR g.refunded <> 0))
            OR (o.state = 'cancelled' AND o.settle_by IS NULL
                AND (g.order_id IS NULL OR g.state <> 'refunded' OR g.captured <> o.total OR g.refunded <> o.total))
            OR (o.state = 'cancelled' AND o.settle_by IS NOT NULL
                AND (g.order_id IS NULL OR g.state NOT IN ('captured', 'refunded') OR g.captured <> o.total))
            OR (o.state = 'failed' AND g.order_id IS NOT NULL
                AND (g.state = 'captured' OR g.captured <> g.refunded))
            OR (g.captured > 0 AND g.currency <> o.currency)
            OR (g.captured < 0 OR g.refunded < 0 OR g.refunded > g.captured OR g.captured > o.total)",
        "SELECT CONCAT('order ', LOWER(HEX(id))),
            IF(settle_by IS NULL, 'pending, and nobody will settle it', CONCAT('pending, to be settled by ', settle_by))
         FROM orders
         WHERE state = 'pending'
           AND (settle_by IS NULL OR settle_by < CAST(@audited_at AS DATETIME(6)) - INTERVAL 60 SECOND)",
        "SELECT CONCAT('order ', LOWER(HEX(id))), CONCAT(state, ', and still to be settled by ', settle_by)
         FROM orders
         WHERE settle_by IS NOT NULL AND state IN ('paid', 'shipped', 'failed')",
        "SELECT CONCAT('order ', LOWER(HEX(g.order_id))), CONCAT('unknown to the shop; gateway: ', g.state, ', captured ', g.captured)
         FROM gateway_payments g
         LEFT JOIN orders o ON o.id = g.order_id
         WHERE o.id IS NULL",
    ],
};

/// What is shown of a product's reviews without counting them.
const RATINGS: Check = Check {
    name: "ratings",
    what: "review",
    holds: "each product's rating = its reviews",
    total: "SELECT COUNT(*) FROM reviews",
    violations: &[
        "SELECT CONCAT('product ', product_id), CONCAT('rating: ', SUM(kept), ' reviews, ', SUM(kept_stars), ' stars; reviews: ',
            SUM(found), ', ', SUM(found_stars))
         FROM (
             SELECT product_id, reviews AS kept, stars AS kept_stars, 0 AS found, 0 AS found_stars FROM product_ratings
             UNION ALL
             SELECT product_id, 0, 0, 1, rating FROM reviews
         ) parts
         GROUP BY product_id
         HAVING SUM(kept) <> SUM(found) OR SUM(kept_stars) <> SUM(found_stars)",
        "SELECT CONCAT('product ', r.product_id), 'rating of a product that does not exist'
         FROM product_ratings r
         LEFT JOIN products p ON p.id = r.product_id
         WHERE p.id IS NULL",
    ],
};

/// What filters and sorts by price believe, kept by every catalogue write.
const PRICES: Check = Check {
    name: "prices",
    what: "product",
    holds: "its price is the lowest of its variants for sale; what is published has one",
    total: "SELECT COUNT(*) FROM products",
    violations: &[
        "SELECT CONCAT('product ', p.id), CONCAT('price ', p.price_min, ', its lowest variant ', v.lowest)
         FROM products p
         JOIN (
             SELECT variants.product_id, MIN(variants.price) AS lowest
             FROM variants
             LEFT JOIN withdrawn_variants w ON w.variant_id = variants.id
             WHERE w.variant_id IS NULL
             GROUP BY variants.product_id
         ) v ON v.product_id = p.id
         WHERE p.price_min <> v.lowest",
        "SELECT CONCAT('product ', p.id), 'published with nothing for sale'
         FROM products p
         WHERE p.published = 1
           AND NOT EXISTS (
               SELECT 1
               FROM variants
               LEFT JOIN withdrawn_variants w ON w.variant_id = variants.id
               WHERE variants.product_id = p.id AND w.variant_id IS NULL
           )",
    ],
};

/// What lists and their filter believe of stock, kept by every sale.
const SHELVES: Check = Check {
    name: "shelves",
    what: "product",
    holds: "in stock = a variant for sale has stock",
    total: "SELECT COUNT(*) FROM products",
    violations: &[
        "SELECT CONCAT('product ', id), IF(in_stock IS NULL, 'has no state row',
                CONCAT('in stock ', in_stock, ', variants for sale with stock: ', stocked))
         FROM (
             SELECT p.id, s.in_stock,
                 (
                     SELECT COUNT(*)
                     FROM variants
                     JOIN stock ON stock.variant_id = variants.id
                     LEFT JOIN withdrawn_variants w ON w.variant_id = variants.id
                     WHERE variants.product_id = p.id AND stock.on_hand > 0 AND w.variant_id IS NULL
                 ) AS stocked
             FROM products p
             LEFT JOIN product_state s ON s.product_id = p.id
         ) counted
         WHERE in_stock IS NULL OR in_stock <> (stocked > 0)",
    ],
};
