-- One narrow row a variant, and no foreign key: with one, concurrent orders of a hot variant deadlock.
CREATE TABLE IF NOT EXISTS stock (
    variant_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    on_hand INT NOT NULL,
    CONSTRAINT stock_not_negative CHECK (on_hand >= 0)
) ENGINE = InnoDB
