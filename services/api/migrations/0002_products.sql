-- price_min is the lowest variant price, kept by catalogue writes: filters and sorts by price use it.
-- search_text is the description without markup. A sale never writes here: see product_state and stock.
CREATE TABLE IF NOT EXISTS products (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    handle VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    title VARCHAR(255) NOT NULL,
    description MEDIUMTEXT NOT NULL,
    search_text MEDIUMTEXT NOT NULL,
    vendor VARCHAR(255) NOT NULL DEFAULT '',
    tags VARCHAR(1000) NOT NULL DEFAULT '',
    category_id BIGINT UNSIGNED NOT NULL,
    option1_name VARCHAR(100) NOT NULL DEFAULT '',
    option2_name VARCHAR(100) NOT NULL DEFAULT '',
    option3_name VARCHAR(100) NOT NULL DEFAULT '',
    price_min BIGINT NOT NULL,
    published TINYINT NOT NULL DEFAULT 1,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY products_handle (handle),
    KEY products_newest (published, id),
    KEY products_price (published, price_min, id),
    KEY products_category_newest (category_id, published, id),
    KEY products_category_price (category_id, published, price_min, id),
    KEY products_title (title),
    FULLTEXT KEY products_text (title, search_text, vendor, tags),
    CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
