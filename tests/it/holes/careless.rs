//! A decision service that allows everything and says nothing about who it is: shows what a proxy's file closes alone.

use super::Edits;
use crate::support::http::Request;
use crate::support::proxies::{Backends, Kind, Proxy};
use crate::support::upstream::{Seen, Upstream};
use crate::support::web::{Answer, Web};
use crate::support::world::HOST;

pub struct Careless {
    /// Answers 200 at the paths it is given.
    pub service: Web,
    pub upstream: Upstream,
    pub proxy: Proxy,
}

impl Careless {
    /// `asked_at` are the decision URLs that are answered 200.
    pub fn start(kind: Kind, edits: &Edits, asked_at: &[&str]) -> Self {
        let (service, upstream) = (Web::start(), Upstream::start());
        for path in asked_at {
            service.answer(path, Answer::Json(String::new()));
        }
        let backends = Backends { service: service.port(), upstream: upstream.port };
        let proxy = Proxy::start_edited(kind, backends, &|name, text| edits.apply(name, text));
        Self { service, upstream, proxy }
    }

    /// The status of the answer to a request for `target`, and the target that reached the upstream.
    pub fn ask(&self, target: &str) -> (u16, Option<String>) {
        let before = self.upstream.seen().len();
        let answer = Request::get(target).host(&format!("{HOST}:{}", self.proxy.port)).send(self.proxy.port);
        let mut seen = self.upstream.seen().split_off(before);
        (answer.status, seen.pop().map(|seen| seen.target))
    }

    /// What reaches the upstream of a request to `path` with these headers.
    pub fn forwarded(&self, path: &str, headers: &[(String, &str)]) -> Seen {
        let plain = Request::get(path).host(&format!("{HOST}:{}", self.proxy.port));
        let request = headers.iter().fold(plain, |request, (name, value)| request.header(name.as_str(), *value));
        assert_eq!(
            request.send(self.proxy.port).status,
            200,
            "the careless service should have been asked at its path"
        );
        self.upstream.seen().pop().expect("the upstream should have been reached")
    }
}
