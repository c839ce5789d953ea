//! Checkout and orders, through the proxy and over both replicas: what is refused, what a retry hears, what becomes of
//! stock and money, and that the shop sells no more than it has, whoever hangs up, freezes or dies.

mod cancel;
mod coupon;
mod coupons;
mod coupons_admin;
mod coupons_race;
mod crowd;
mod fixture;
mod list;
mod payment;
mod race;
mod refusals;
mod replay;
