-- What a coupon gives and when it can be used. kind: percent (value 1 to 100) or amount (value in minor units).
-- code, kind, value, minimum and max_per_customer never change, so that the audit can check old uses against them.
CREATE TABLE IF NOT EXISTS coupons (
    code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value BIGINT NOT NULL,
    minimum BIGINT NOT NULL DEFAULT 0,
    max_per_customer BIGINT NULL,
    valid_from DATETIME(6) NULL,
    valid_until DATETIME(6) NULL,
    active TINYINT NOT NULL,
    revision BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL
) ENGINE = InnoDB
