//! What Countersign stands on goes away and comes back.

mod limiter;
mod postgres;
mod redis;
mod smtp;
mod sqlite;
