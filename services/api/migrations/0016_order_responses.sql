-- The stored answer for retries with the same Idempotency-Key; purged after 24 hours.
CREATE TABLE IF NOT EXISTS order_responses (
    order_id BINARY(16) NOT NULL PRIMARY KEY,
    status SMALLINT NOT NULL,
    body MEDIUMBLOB NOT NULL,
    created_at DATETIME(6) NOT NULL,
    KEY order_responses_created (created_at)
) ENGINE = InnoDB
