//! The web tier alone: real nginx with the configuration that the launcher renders, and replicas that are made here,
//! so that they can hang, break off and answer 503 at will. What needs the real API is tested elsewhere.

mod api;
mod errors;
mod front;
mod pages;
mod release;
mod render;
mod replica;
mod storefront;
mod tls;
