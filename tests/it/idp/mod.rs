//! Identity providers: what each kind is asked, what of its answers is believed, and what is not. Some of the servers are
//! written here and answer as the providers' documentation records; two are real.

mod answers;
mod asking_again;
mod development;
mod endpoints;
mod entra;
pub mod fake;
mod forged_id_tokens;
mod github;
mod google;
mod keycloak;
mod published;
mod real_keycloak;
mod real_oidc_provider;
mod requests;
