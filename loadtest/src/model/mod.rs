//! How shoppers behave: exact mixes, think times, popularity, arrivals, loads over time. Pure and seeded.
