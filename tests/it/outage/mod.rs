//! What Countersign stands on goes away and comes back.

mod disk;
mod limiter;
mod postgres;
mod redis;
mod silence;
mod smtp;
mod sqlite;
