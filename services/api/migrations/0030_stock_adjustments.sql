-- An adjustment of stock that was made, by the key its client gave it, with its answer: a retry adjusts nothing.
CREATE TABLE IF NOT EXISTS stock_adjustments (
    admin_id BINARY(16) NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    variant_id BIGINT UNSIGNED NOT NULL,
    quantity INT NOT NULL,
    reason VARCHAR(255) NOT NULL,
    on_hand INT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (admin_id, idempotency_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
