//! `browser_sign_in`: people open a protected page, sign in, and are known from then on.

mod alone;
mod attacks;
mod in_chromium;
mod stage;
mod through_proxies;
