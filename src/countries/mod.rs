//! Countries of addresses, from a file in MaxMind's DB format that operators provide (GeoLite2, DB-IP and others).

mod file;

pub use file::{Countries, PlacesFault};
