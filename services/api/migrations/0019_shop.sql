-- One row: what holds for the whole shop. A replica configured for another currency refuses to serve.
CREATE TABLE IF NOT EXISTS shop (
    id TINYINT NOT NULL PRIMARY KEY,
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB
