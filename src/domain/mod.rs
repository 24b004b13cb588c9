//! The nouns that every layer shares. Pure: no I/O, no clock, no web types.

pub mod api_key;
pub mod authority;
pub mod email;
pub mod glob;
pub mod issuer;
pub mod occurrence;
pub mod opaque;
pub mod operation;
pub mod original_request;
pub mod path;
pub mod person;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod session_cookie;
pub mod tally;
pub mod time;

pub use api_key::PresentedKey;
pub use authority::{Authority, Scheme};
pub use email::{Email, EmailPattern};
pub use glob::Glob;
pub use issuer::Issuer;
pub use occurrence::Occurrence;
pub use opaque::SecretHash;
pub use operation::Operation;
pub use original_request::{Malformed, OriginalRequest};
pub use path::{Ambiguity, RequestPath};
pub use person::Person;
pub use resource::ResourceUri;
pub use scope::{Scope, ScopeSet};
pub use secret::Secret;
pub use tally::Tally;
pub use time::UnixTime;
