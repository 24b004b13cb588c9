//! Somebody who sends requests to a service that may die at any moment.

use crate::oauth_attacks::house::{FORM, form};
use crate::support::http::{Request, Response};

pub struct Visitor {
    port: u16,
    /// The address that a proxy would tell: each visitor has a limit of its own.
    address: String,
    cookies: Vec<(String, String)>,
}

impl Visitor {
    pub fn new(number: usize, port: u16) -> Self {
        Self { port, address: format!("198.51.100.{number}"), cookies: Vec::new() }
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).host(&format!("localhost:{}", self.port))
    }

    pub fn get(&mut self, target: &str) -> Option<Response> {
        self.send(self.request("GET", target))
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Option<Response> {
        self.send(self.request("POST", path).body(FORM, form(fields)))
    }

    /// The whole answer, or none when the service died over it.
    pub fn send(&mut self, request: Request) -> Option<Response> {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("X-Forwarded-For", &*self.address).header("Cookie", jar.join("; "));
        let answer = request.try_send(self.port).ok()?;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if answer.body.len() < length {
            return None;
        }
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        Some(answer)
    }

    /// What `/auth` says to a call of `/mcp` with this token.
    pub fn ask(&mut self, token: &str) -> Option<u16> {
        let request = self.request("GET", "/auth").header("X-Forwarded-Method", "POST").bearer(token);
        let request = request.header("X-Forwarded-Proto", "http").header("X-Forwarded-Uri", "/mcp");
        let host = format!("localhost:{}", self.port);
        self.send(request.header("X-Forwarded-Host", host)).map(|answer| answer.status)
    }
}
