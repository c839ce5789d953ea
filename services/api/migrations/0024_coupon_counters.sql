-- How often a coupon is in use, and how often it may be (NULL: without limit). Narrow, and pointed at by no foreign
-- key, because every order with the coupon writes it.
CREATE TABLE IF NOT EXISTS coupon_counters (
    code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL,
    max_uses BIGINT NULL,
    CONSTRAINT coupon_not_overused CHECK (used >= 0 AND (max_uses IS NULL OR used <= max_uses))
) ENGINE = InnoDB
