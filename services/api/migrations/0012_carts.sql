-- A customer has at most one cart; an anonymous cart has no customer and belongs to who holds its signed cookie.
CREATE TABLE IF NOT EXISTS carts (
    id BINARY(16) NOT NULL PRIMARY KEY,
    customer_id BINARY(16) NULL,
    version BIGINT UNSIGNED NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY carts_customer (customer_id),
    KEY carts_updated (updated_at)
) ENGINE = InnoDB
