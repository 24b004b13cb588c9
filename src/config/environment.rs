//! The environment; nothing outside this folder reads it.

/// Names that belong to the configuration: `MCP_FORWARD_AUTH__SERVER__LISTEN` is `server.listen`.
pub(super) const PREFIX: &str = "MCP_FORWARD_AUTH__";

/// The variables of this process that are text.
pub(super) fn of_process() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The value of one variable, when it is not empty.
pub(super) fn get<'e>(environment: &'e [(String, String)], name: &str) -> Option<&'e str> {
    environment
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}
