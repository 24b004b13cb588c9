//! OpenID Connect, once for all kinds of providers that speak it. What a kind does otherwise is its [`Dialect`].

mod access_token;
mod cached;
mod dialect;
mod id_token;
mod metadata;
mod profile;
mod provider;
mod request;

pub(super) use dialect::{Dialect, Standard};
pub(super) use id_token::IdToken;
pub(super) use profile::{Profile, add_group, is_sound};
pub(super) use provider::{GroupsClaims, OpenIdProvider, OpenIdSettings};
pub(super) use request::challenge;
