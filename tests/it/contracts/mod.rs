//! What several parts rely on at once, over every engine that may stand behind it.

mod limiter;
mod liveness;
mod lockout;
mod outbox;
mod reasons;
mod replicas;
mod request_id;
mod signals;
mod wake_ups;
