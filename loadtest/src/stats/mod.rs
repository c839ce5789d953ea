//! What can be said of numbers that vary: medians, bootstrap intervals, the Universal Scalability Law.
