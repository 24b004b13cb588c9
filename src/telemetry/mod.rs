//! What an operator sees: the decision log, metrics, and `tracing` for everything that is not the hot path.

pub mod decision_log;
pub mod decision_record;
mod json_line;
pub mod metrics;
pub mod tracing_setup;

pub use decision_log::DecisionLog;
pub use decision_record::DecisionRecord;
pub use metrics::Metrics;
