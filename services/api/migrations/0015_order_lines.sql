-- The prices the database held when the order was placed. No foreign key points at variants or products.
CREATE TABLE IF NOT EXISTS order_lines (
    order_id BINARY(16) NOT NULL,
    line_no SMALLINT NOT NULL,
    variant_id BIGINT UNSIGNED NOT NULL,
    product_id BIGINT UNSIGNED NOT NULL,
    title VARCHAR(255) NOT NULL,
    option1 VARCHAR(100) NOT NULL DEFAULT '',
    option2 VARCHAR(100) NOT NULL DEFAULT '',
    option3 VARCHAR(100) NOT NULL DEFAULT '',
    sku VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    price BIGINT NOT NULL,
    quantity INT NOT NULL,
    discount BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_no),
    KEY order_lines_variant (variant_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
