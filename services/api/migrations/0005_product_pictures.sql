CREATE TABLE IF NOT EXISTS product_pictures (
    product_id BIGINT UNSIGNED NOT NULL,
    position INT NOT NULL,
    url VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    alt VARCHAR(512) NOT NULL DEFAULT '',
    variant_id BIGINT UNSIGNED NULL,
    PRIMARY KEY (product_id, position),
    CONSTRAINT product_pictures_product FOREIGN KEY (product_id) REFERENCES products (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
