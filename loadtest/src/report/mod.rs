//! Reports: one HTML file with embedded pictures, that can be read on screen and printed.
