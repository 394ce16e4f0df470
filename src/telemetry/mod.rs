//! Logs and metrics. The names of all metrics are here, so that `docs/reference/metrics.md` can be checked against
//! them.

mod audit_log;
mod line_budget;
mod log;
mod metric;
mod refusals;

pub use audit_log::AuditLog;
pub use line_budget::LineBudget;
pub use log::{LogFormat, SILENT, start as start_log};
pub use metric::{
    METRICS, Metrics, count_accept_failure, count_breach_check, count_captcha, count_connection_closed, count_event,
    count_key_rotation, count_limited, count_mail, count_purged, count_refused, count_rejected, count_rpc,
    count_sealed, set_connections, set_feed, set_hasher_queue, set_key_age, set_limiter_degraded, set_mail_trouble,
    set_unsealed,
};
pub use refusals::{ANYONE, RefusalLog, RefusedCall};
