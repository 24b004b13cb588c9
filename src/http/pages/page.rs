//! A page as an answer: its HTML and the headers without which it must not leave the house.

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};

use super::{Content, Pages};

/// What becomes of the window that opened ours (`Cross-Origin-Opener-Policy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// It keeps its hold: clients in a browser open the sign-in in a pop-up, whose last page, theirs again, reports to
    /// its opener. Any other policy, on one page of the chain, cuts that for good.
    Kept,
    /// It loses it: the page is no part of a client's flow.
    Cut,
}

impl Opener {
    const fn policy(self) -> &'static str {
        match self {
            Self::Kept => "unsafe-none",
            Self::Cut => "same-origin",
        }
    }
}

/// A rendered page.
#[derive(Debug, Clone)]
pub struct Page {
    status: StatusCode,
    html: String,
    policy: String,
    opener: Opener,
    retry_after: Option<u32>,
}

impl Page {
    pub(super) fn new(content: &dyn Content, frame: &Pages) -> Self {
        // A template that writes into a string cannot fail, but its signature says that it can.
        let rendered = content.html(frame);
        let status = if rendered.is_ok() { content.status() } else { StatusCode::INTERNAL_SERVER_ERROR };
        Self {
            status,
            html: rendered.unwrap_or_default(),
            policy: frame.style.policy.clone(),
            opener: content.opener(),
            retry_after: content.retry_after(),
        }
    }

    /// The HTML text.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// The answer, to which cookies may be added.
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CONTENT_SECURITY_POLICY, self.policy))
            // For browsers that do not know `frame-ancestors`.
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            // The address of a page holds the id of a request, and goes nowhere.
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CROSS_ORIGIN_OPENER_POLICY, self.opener.policy()))
            .insert_header((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
            .insert_header(("x-robots-tag", "noindex"))
            .body(self.html)
    }
}

impl Responder for Page {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into_response()
    }
}
