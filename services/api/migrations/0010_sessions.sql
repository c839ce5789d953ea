-- One row a login. All refresh tokens of a login are one family: the session. revoked_at ends them all.
CREATE TABLE IF NOT EXISTS sessions (
    id BINARY(16) NOT NULL PRIMARY KEY,
    customer_id BINARY(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    KEY sessions_customer (customer_id, id),
    KEY sessions_expires (expires_at)
) ENGINE = InnoDB
