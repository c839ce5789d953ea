-- Only the SHA-256 of a token is kept. rotated_at is when it was first exchanged for a newer one.
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token_hash BINARY(32) NOT NULL PRIMARY KEY,
    session_id BINARY(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    rotated_at DATETIME(6) NULL,
    KEY refresh_tokens_session (session_id)
) ENGINE = InnoDB
