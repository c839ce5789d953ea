//! The shop in containers, as `docker compose` runs it: started from nothing, scaled, replaced, broken and watched.
//!
//! `make test-compose` builds the images and runs this; `cargo test` alone leaves it out, because it needs Docker.

mod faults;
mod isolation;
mod lifecycle;
mod load;
mod observability;
mod project;
mod scale;
mod settings;
mod size;
