-- state: pending, paid, shipped, cancelled, failed. settle_by is set while something is due at the payment
-- gateway (a pending order's end, a cancelled order's refund) and NULL otherwise: recovery looks only there.
-- (customer_id, idempotency_key) is unique for ever; request_hash is the SHA-256 of the request's body.
CREATE TABLE IF NOT EXISTS orders (
    id BINARY(16) NOT NULL PRIMARY KEY,
    customer_id BINARY(16) NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_hash BINARY(32) NOT NULL,
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subtotal BIGINT NOT NULL,
    discount BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL,
    ship_name VARCHAR(100) NOT NULL,
    ship_line1 VARCHAR(200) NOT NULL,
    ship_line2 VARCHAR(200) NOT NULL DEFAULT '',
    ship_city VARCHAR(100) NOT NULL,
    ship_region VARCHAR(100) NOT NULL DEFAULT '',
    ship_postal_code VARCHAR(20) NOT NULL,
    ship_country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ship_phone VARCHAR(32) NOT NULL DEFAULT '',
    settle_by DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY orders_idempotency (customer_id, idempotency_key),
    KEY orders_customer (customer_id, id),
    KEY orders_due (settle_by),
    KEY orders_created (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
