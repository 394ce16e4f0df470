//! Outages of the servers and disks that Countersign depends on, and the recovery.

mod disk;
mod limiter;
mod postgres;
mod redis;
mod silence;
mod smtp;
mod sqlite;
