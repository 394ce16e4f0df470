//! Where addresses are: a file in MaxMind's DB format, which operators bring along (GeoLite2, DB-IP and others).

mod file;

pub use file::{Countries, PlacesFault};
