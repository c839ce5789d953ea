-- A variant is known by its product and option values; sku may be NULL and is unique when given.
CREATE TABLE IF NOT EXISTS variants (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_id BIGINT UNSIGNED NOT NULL,
    position INT NOT NULL,
    sku VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    option1 VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    option2 VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    option3 VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    price BIGINT NOT NULL,
    UNIQUE KEY variants_sku (sku),
    UNIQUE KEY variants_options (product_id, option1, option2, option3),
    CONSTRAINT variants_product FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT variants_price CHECK (price >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
