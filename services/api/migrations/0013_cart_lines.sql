CREATE TABLE IF NOT EXISTS cart_lines (
    cart_id BINARY(16) NOT NULL,
    variant_id BIGINT UNSIGNED NOT NULL,
    product_id BIGINT UNSIGNED NOT NULL,
    quantity INT NOT NULL,
    added_at DATETIME(6) NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
) ENGINE = InnoDB
