-- The ledger of coupons: one row for each order with a coupon. state: used, or given_back when the order failed or
-- was cancelled. The counters of coupon_counters and coupon_customers are the numbers of rows in use.
CREATE TABLE IF NOT EXISTS coupon_uses (
    order_id BINARY(16) NOT NULL PRIMARY KEY,
    code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    customer_id BINARY(16) NOT NULL,
    discount BIGINT NOT NULL,
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    given_back_at DATETIME(6) NULL,
    KEY coupon_uses_code (code, customer_id, state)
) ENGINE = InnoDB
