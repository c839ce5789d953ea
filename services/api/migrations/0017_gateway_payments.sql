-- The sandbox payment gateway's own books, one row an order. The primary key makes charge and void exclude
-- each other: the first row wins. state: captured, declined, voided, refunded.
CREATE TABLE IF NOT EXISTS gateway_payments (
    order_id BINARY(16) NOT NULL PRIMARY KEY,
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    captured BIGINT NOT NULL DEFAULT 0,
    refunded BIGINT NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL
) ENGINE = InnoDB
