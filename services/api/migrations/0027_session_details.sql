-- What a customer needs to tell their sessions apart. Beside `sessions`, which every refresh locks.
CREATE TABLE IF NOT EXISTS session_details (
    session_id BINARY(16) NOT NULL PRIMARY KEY,
    user_agent VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB
