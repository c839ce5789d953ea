-- What changes about a product apart from its text: the version that orders its cached bytes, and whether
-- any variant can be bought. Narrow, and pointed at by no foreign key, because a sale may write it.
CREATE TABLE IF NOT EXISTS product_state (
    product_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    version BIGINT UNSIGNED NOT NULL,
    in_stock TINYINT NOT NULL
) ENGINE = InnoDB
