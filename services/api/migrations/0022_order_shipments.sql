-- When and how an order was handed over; a row for each shipped order, written with its step to shipped.
CREATE TABLE IF NOT EXISTS order_shipments (
    order_id BINARY(16) NOT NULL PRIMARY KEY,
    shipped_at DATETIME(6) NOT NULL,
    carrier VARCHAR(100) NOT NULL DEFAULT '',
    tracking VARCHAR(100) NOT NULL DEFAULT ''
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
