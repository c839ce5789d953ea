-- How often one customer has a coupon in use.
CREATE TABLE IF NOT EXISTS coupon_customers (
    code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    customer_id BINARY(16) NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (code, customer_id),
    CONSTRAINT coupon_customer_not_negative CHECK (used >= 0)
) ENGINE = InnoDB
