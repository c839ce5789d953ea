//! The shop against its limits: bare axum, raw SQL, bare argon2, bare nginx.
