-- The ledger: for each variant the sum of quantity equals stock.on_hand (invariant 1).
-- kind: initial, adjust, hold (an order takes), release (a failed order gives back), restock (a cancelled one does).
CREATE TABLE IF NOT EXISTS stock_movements (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    variant_id BIGINT UNSIGNED NOT NULL,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    quantity INT NOT NULL,
    order_id BINARY(16) NULL,
    reason VARCHAR(255) NOT NULL DEFAULT '',
    created_at DATETIME(6) NOT NULL,
    KEY stock_movements_variant (variant_id, quantity),
    KEY stock_movements_order (order_id, kind)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
