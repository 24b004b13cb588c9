//! The pages that people see. Plain values in, HTML out; no script on any of them.
//!
//! ```text
//! Consent, Connections, … (plain values) -> Pages::show -> Page -> HttpResponse with every security header
//! ```

pub mod brand;
pub mod client;
pub mod colour;
pub mod connections;
pub mod consent;
mod date;
pub mod development_sign_in;
pub mod failure;
pub mod form;
pub mod forwarding;
pub mod not_allowed;
pub mod page;
pub mod place;
pub mod sign_in;
pub mod signed_in;
pub mod signed_out;
mod style;
pub mod text;
pub mod trouble;

pub use brand::{Brand, Logo, LogoError};
pub use client::{ClientOrigin, ClientView, ResourceView, ScopeView};
pub use colour::Colour;
pub use connections::{Connection, Connections};
pub use consent::{Before, Consent};
pub use development_sign_in::DevelopmentSignIn;
pub use failure::Failure;
pub use form::Form;
pub use forwarding::Forwarding;
pub use not_allowed::NotAllowed;
pub use page::{Opener, Page};
pub use place::{Destination, Place};
pub use sign_in::{ProviderView, SignIn};
pub use signed_in::SignedIn;
pub use signed_out::SignedOut;
pub use trouble::Trouble;

use actix_web::http::StatusCode;

use style::Style;

/// Everything that all pages have in common; made once, at the start.
#[derive(Debug, Clone)]
pub struct Pages {
    brand: Brand,
    style: Style,
}

/// What a page says.
pub trait Content {
    /// Its status.
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }

    /// Whether a window that opened this one keeps its hold on it.
    fn opener(&self) -> Opener;

    /// When to try again, in seconds.
    fn retry_after(&self) -> Option<u32> {
        None
    }

    /// Its HTML inside the frame of all pages.
    fn html(&self, frame: &Pages) -> askama::Result<String>;
}

impl Pages {
    /// Pages in the operator's look.
    pub fn new(brand: Brand) -> Self {
        let style = Style::new(brand.colour());
        Self { brand, style }
    }

    /// The page that says `content`.
    pub fn show(&self, content: &dyn Content) -> Page {
        Page::new(content, self)
    }
}
