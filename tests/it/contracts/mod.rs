//! Contracts that several parts rely on, tested with every engine that can implement them.

mod cancelled_begin;
mod limiter;
mod liveness;
mod lockout;
mod outbox;
mod reasons;
mod replicas;
mod request_id;
mod shared_statement;
mod signals;
mod wake_ups;
