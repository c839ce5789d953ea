-- One review for each product and customer: the unique key keeps it so, however many requests come at once. Ids are
-- UUIDv7, so that pages, newest first, are read from reviews_newest alone.
CREATE TABLE IF NOT EXISTS reviews (
    id BINARY(16) NOT NULL PRIMARY KEY,
    product_id BIGINT UNSIGNED NOT NULL,
    customer_id BINARY(16) NOT NULL,
    rating TINYINT NOT NULL,
    text VARCHAR(2000) NOT NULL DEFAULT '',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY reviews_customer (product_id, customer_id),
    KEY reviews_newest (product_id, id),
    CONSTRAINT reviews_rating CHECK (rating BETWEEN 1 AND 5)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
