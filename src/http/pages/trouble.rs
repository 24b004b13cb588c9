//! The kinds of trouble, in words for the person in front of the page.

use actix_web::http::StatusCode;

/// Why there is no other page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A parameter is missing, repeated or malformed, and the client cannot be told.
    BadRequest,
    /// `client_id` names no client.
    UnknownClient,
    /// The address where the client describes itself does not answer.
    ClientDocumentUnavailable,
    /// What the client says of itself there breaks a rule.
    ClientDocumentRefused,
    /// `redirect_uri` is none of the client's.
    UnknownRedirect,
    /// The pending sign-in is gone.
    Expired,
    /// The sign-in was started in another browser.
    OtherBrowser,
    /// The sign-in was answered already.
    AlreadyAnswered,
    /// A form without its token against forgery, or from another page than ours.
    StaleForm,
    /// The identity provider cannot be reached.
    ProviderUnavailable,
    /// The identity provider's answer is not to be believed.
    ProviderUntrustworthy,
    /// Nobody signed in, by their own choice or because they may not.
    NotSignedIn,
    /// The store cannot be reached.
    Unavailable,
    /// Too often.
    TooManyRequests,
    /// Nothing is at this address.
    NotFound,
    /// Our fault.
    Internal,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 16] = [
        Self::BadRequest,
        Self::UnknownClient,
        Self::ClientDocumentUnavailable,
        Self::ClientDocumentRefused,
        Self::UnknownRedirect,
        Self::Expired,
        Self::OtherBrowser,
        Self::AlreadyAnswered,
        Self::StaleForm,
        Self::ProviderUnavailable,
        Self::ProviderUntrustworthy,
        Self::NotSignedIn,
        Self::Unavailable,
        Self::TooManyRequests,
        Self::NotFound,
        Self::Internal,
    ];

    /// What the page says.
    pub(super) const fn words(self) -> Words {
        match self {
            Self::BadRequest => BAD_REQUEST,
            Self::UnknownClient => UNKNOWN_CLIENT,
            Self::ClientDocumentUnavailable => CLIENT_DOCUMENT_UNAVAILABLE,
            Self::ClientDocumentRefused => CLIENT_DOCUMENT_REFUSED,
            Self::UnknownRedirect => UNKNOWN_REDIRECT,
            Self::Expired => EXPIRED,
            Self::OtherBrowser => OTHER_BROWSER,
            Self::AlreadyAnswered => ALREADY_ANSWERED,
            Self::StaleForm => STALE_FORM,
            Self::ProviderUnavailable => PROVIDER_UNAVAILABLE,
            Self::ProviderUntrustworthy => PROVIDER_UNTRUSTWORTHY,
            Self::NotSignedIn => NOT_SIGNED_IN,
            Self::Unavailable => UNAVAILABLE,
            Self::TooManyRequests => TOO_MANY_REQUESTS,
            Self::NotFound => NOT_FOUND,
            Self::Internal => INTERNAL,
        }
    }

    /// Whether a person can go on at our own pages. Where an app sent something wrong, they would only lead away from it.
    pub(super) const fn leads_on(self) -> bool {
        !matches!(self, Self::BadRequest | Self::UnknownClient | Self::UnknownRedirect | Self::NotFound)
    }

    /// Statuses that say "later" also say when.
    pub(super) const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Unavailable | Self::ProviderUnavailable => Some(5),
            // For so long a failure is remembered.
            Self::ClientDocumentUnavailable => Some(15),
            Self::TooManyRequests => Some(60),
            Self::BadRequest
            | Self::UnknownClient
            | Self::ClientDocumentRefused
            | Self::UnknownRedirect
            | Self::Expired
            | Self::OtherBrowser
            | Self::AlreadyAnswered
            | Self::StaleForm
            | Self::ProviderUntrustworthy
            | Self::NotSignedIn
            | Self::NotFound
            | Self::Internal => None,
        }
    }
}

/// What the page of a trouble says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) happened: &'static str,
    pub(super) to_do: &'static str,
}

const BAD_REQUEST: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This request cannot be read",
    happened: "The app sent a request with something missing or written in a wrong way. Nothing was shared with \
         it.",
    to_do: "Start again in the app. If this page comes back, the app needs to be corrected: tell its maker.",
};

const UNKNOWN_CLIENT: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This app is not known here",
    happened: "The app has no registration here, or its registration has expired. Nothing was shared with it.",
    to_do: "Remove the connection in the app and add it again; it will then register anew.",
};

const CLIENT_DOCUMENT_UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "This app cannot be looked up",
    happened: "The app describes itself at an address of its own, and nothing answers there right now. Nothing was \
         shared with it.",
    to_do: "Wait a minute, then connect again from the app. If this page comes back, tell the app\u{2019}s maker.",
};

const CLIENT_DOCUMENT_REFUSED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This app does not describe itself well enough",
    happened: "The app describes itself at an address of its own. That address is not accepted here, or what stands \
         there breaks a rule. Nothing was shared with the app.",
    to_do: "Tell the app\u{2019}s maker, or whoever runs this service: below stands which rule it is.",
};

const UNKNOWN_REDIRECT: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This app asked for its answer at a wrong address",
    happened: "The address is not one that the app has registered, so it may belong to somebody else. Nothing was \
         sent there.",
    to_do: "Do not try again if you came here through a link from somebody. Otherwise remove the connection in \
         the app and add it again.",
};

const EXPIRED: Words = Words {
    status: StatusCode::BAD_REQUEST,
    title: "This sign-in has expired",
    happened: "It took too long, or the link was used before.",
    to_do: "Go back to the app and connect again. You can close this window.",
};

const OTHER_BROWSER: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "This sign-in belongs to another browser",
    happened: "It was started in another browser or in a private window, or this browser has lost or refused its \
         cookie. Somebody may also have sent you a link to a sign-in of their own.",
    to_do: "If you wanted to connect an app, allow cookies for this site, then start again in the app. You can close \
         this window.",
};

const ALREADY_ANSWERED: Words = Words {
    status: StatusCode::CONFLICT,
    title: "This sign-in is finished",
    happened: "It was answered before, with a yes or a no, and each sign-in is answered only once.",
    to_do: "Look at the app. If it is not connected and should be, connect again from there.",
};

const STALE_FORM: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "This form is no longer good",
    happened: "The page was open for too long, or the form was sent from another page. Nothing was changed.",
    to_do: "Go back, load the page again, and repeat what you did.",
};

const PROVIDER_UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Sign-in does not answer",
    happened: "The service where you sign in cannot be reached right now.",
    to_do: "Wait a minute, then connect again from the app.",
};

const PROVIDER_UNTRUSTWORTHY: Words = Words {
    status: StatusCode::BAD_GATEWAY,
    title: "Sign-in gave no valid answer",
    happened: "The service where you sign in answered in a way that cannot be trusted. You were not signed in.",
    to_do: "Connect again from the app. If this page comes back, tell whoever runs this service.",
};

const NOT_SIGNED_IN: Words = Words {
    status: StatusCode::FORBIDDEN,
    title: "You are not signed in",
    happened: "The sign-in ended before anybody was let in. The page that you wanted is for certain people only.",
    to_do: "Open the page again to sign in, with another account if need be.",
};

const UNAVAILABLE: Words = Words {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not available right now",
    happened: "The service cannot reach its records. Nothing was lost, and what is connected stays connected.",
    to_do: "Wait a minute and try again.",
};

const TOO_MANY_REQUESTS: Words = Words {
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Too many attempts",
    happened: "There were too many requests from your address in a short time.",
    to_do: "Wait a minute and try again.",
};

const NOT_FOUND: Words = Words {
    status: StatusCode::NOT_FOUND,
    title: "Nothing is here",
    happened: "There is no page at this address.",
    to_do: "Check the address, or start again in the app.",
};

const INTERNAL: Words = Words {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Something went wrong here",
    happened: "The service made a mistake. Nothing was shared with the app.",
    to_do: "Try again. If this page comes back, tell whoever runs this service.",
};
