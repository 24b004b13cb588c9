//! The decoder of mirrored headers: a plain value stands for itself, and nothing makes it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::domain::Occurrence;
use mcp_forward_auth::mcp::headers;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(value)) = headers::read("Mcp-Name", Occurrence::Once(bytes)) else { return };
    if !bytes.starts_with(b"=?base64?") {
        assert_eq!(value.as_bytes(), bytes);
    }
});
