//! The whole way from a client's request to its tokens, in a real browser, through a real proxy: what people meet on it,
//! and what they do to it. The cases stand in `tests/browser/scenarios/flow`, one sentence each.

mod first_visits;
mod flows;
mod stage;
