//! What is asked of an MCP server, told from its request without being fooled: the body read strictly, or the mirrored
//! headers where the server checks them itself.

pub mod body;
pub mod details;
pub mod headers;
pub mod name;
pub mod request;

pub use body::BodyFault;
pub use headers::HeaderFault;
pub use request::{BodyLimits, McpRequest, SentBody, Unknown, operations};
