//! The checks of coupons and shipments: like those of `checks`, SQL that answers one row for each violation.

use super::checks::Check;

/// Invariant 2 as far as discounts go, and the limits of coupons: what a counter says is what the ledger says, and the
/// ledger's uses live exactly as long as their orders do.
pub const COUPONS: Check = Check {
    name: "coupons",
    what: "coupon use",
    holds: "counters = uses that live, within the limits; each discount is what its coupon gives",
    total: "SELECT COUNT(*) FROM coupon_uses",
    violations: &[
        "SELECT CONCAT('coupon ', c.code), CONCAT('counted ', COALESCE(k.used, 'never'), ', limit ',
                COALESCE(k.max_uses, 'none'), '; the ledger has ', COALESCE(u.used, 0))
         FROM coupons c
         LEFT JOIN coupon_counters k ON k.code = c.code
         LEFT JOIN (
             SELECT code, COUNT(*) AS used
             FROM coupon_uses
             WHERE state = 'used'
             GROUP BY code
         ) u ON u.code = c.code
         WHERE k.code IS NULL OR k.used <> COALESCE(u.used, 0) OR k.used > k.max_uses",
        "SELECT CONCAT('coupon ', t.code), CONCAT('customer ', LOWER(HEX(t.customer_id)), ': counted ', t.counted,
                ', limit ', COALESCE(c.max_per_customer, 'none'), '; the ledger has ', t.used)
         FROM (
             SELECT code, customer_id, SUM(counted) AS counted, SUM(used) AS used
             FROM (
                 SELECT code, customer_id, used AS counted, 0 AS used FROM coupon_customers
                 UNION ALL
                 SELECT code, customer_id, 0, 1 FROM coupon_uses WHERE state = 'used'
             ) parts
             GROUP BY code, customer_id
         ) t
         LEFT JOIN coupons c ON c.code = t.code
         WHERE c.code IS NULL OR t.counted <> t.used OR t.counted > c.max_per_customer",
        "SELECT CONCAT('coupon ', k.code), 'counter of a coupon that does not exist'
         FROM coupon_counters k
         LEFT JOIN coupons c ON c.code = k.code
         WHERE c.code IS NULL",
        "SELECT CONCAT('order ', LOWER(HEX(u.order_id))), CONCAT('coupon ', u.code, ' ', u.state, ', discount ', u.discount,
                IF(o.id IS NULL, '; no such order', CONCAT('; the order: ', o.state, ', subtotal ', o.subtotal,
                    ', discount ', o.discount)))
         FROM coupon_uses u
         LEFT JOIN orders o ON o.id = u.order_id
         LEFT JOIN coupons c ON c.code = u.code
         WHERE o.id IS NULL
            OR c.code IS NULL
            OR u.customer_id <> o.customer_id
            OR u.state <> IF(o.state IN ('failed', 'cancelled'), 'given_back', 'used')
            OR u.discount <> o.discount
            OR u.discount <> IF(c.kind = 'percent', (o.subtotal * c.value + 50) DIV 100, LEAST(c.value, o.subtotal))
            OR o.subtotal < c.minimum",
        "SELECT CONCAT('order ', LOWER(HEX(o.id))), CONCAT('discount ', o.discount, ' of no coupon')
         FROM orders o
         LEFT JOIN coupon_uses u ON u.order_id = o.id
         WHERE o.discount <> 0 AND u.order_id IS NULL",
    ],
};

/// The last step of an order is written with how it was handed over.
pub const SHIPMENTS: Check = Check {
    name: "shipments",
    what: "shipment",
    holds: "each shipped order has one, and no other order has",
    total: "SELECT COUNT(*) FROM order_shipments",
    violations: &[
        "SELECT CONCAT('order ', LOWER(HEX(o.id))), 'shipped, and nobody knows how'
         FROM orders o
         LEFT JOIN order_shipments s ON s.order_id = o.id
         WHERE o.state = 'shipped' AND s.order_id IS NULL",
        "SELECT CONCAT('order ', LOWER(HEX(s.order_id))), CONCAT('handed over, ', COALESCE(o.state, 'no such order'))
         FROM order_shipments s
         LEFT JOIN orders o ON o.id = s.order_id
         WHERE o.id IS NULL OR o.state <> 'shipped'",
    ],
};
