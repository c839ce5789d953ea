//! The contract: what the OpenAPI document says, held against the shop that serves it. The walks ask every route that
//! the document names, so that a new route is asked too; schemathesis asks what nobody thought of.

mod operation;
mod schemathesis;
mod walk;
