//! The backoffice, through the proxy and over both replicas: the catalogue as admins edit it and shoppers see it, stock
//! that never goes below 0, orders up to their shipping, sales, customers, the log, and the command that makes an admin.

mod catalogue;
mod command;
mod edits;
mod fixture;
mod orders;
mod people;
mod sales;
mod stock;
