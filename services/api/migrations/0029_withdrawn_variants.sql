-- Variants that are no longer sold. A variant is never deleted: orders, carts and the ledger name it.
CREATE TABLE IF NOT EXISTS withdrawn_variants (
    variant_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    at DATETIME(6) NOT NULL
) ENGINE = InnoDB
