-- The change feed: written in the transaction that makes the change, read by every replica.
-- kind: product (id_key = product id, version = product_state.version), session (uuid_key = session id: revoked).
CREATE TABLE IF NOT EXISTS changes (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id_key BIGINT UNSIGNED NOT NULL DEFAULT 0,
    uuid_key BINARY(16) NULL,
    version BIGINT UNSIGNED NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    KEY changes_kind (kind, created_at),
    KEY changes_created (created_at)
) ENGINE = InnoDB
