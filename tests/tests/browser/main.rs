//! The storefront in a real browser, through nginx, against real tiers.
//!
//! Tests click what a person sees: a name, a label, a text. Each ends with `clean`: no error in the console, no failed
//! request, no violation of the CSP, no request to another host, but what it names.

mod buying;
mod fixture;
mod frame;
mod pages;
mod screenshots;
mod trouble;
