//! A browser as far as forms, cookies and redirects go: enough to sign in where people do.

use url::Url;

use super::http::{Request, Response};

/// Cookies, and the address at which a visit ends.
pub struct Browser {
    cookies: Vec<(String, String, String)>,
    /// Redirects are followed up to an address that starts so.
    home: String,
    /// Hosts that are reached at a port of this machine, whatever their address says.
    ports: Vec<(String, u16)>,
    /// Every `Set-Cookie` that came, in order.
    pub received: Vec<String>,
}

/// Where a visit ended, and what stood there.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub text: String,
}

/// A form of a page.
#[derive(Debug)]
pub struct Form {
    pub action: Url,
    pub fields: Vec<(String, String)>,
}

impl Browser {
    /// A browser whose visits end at addresses that start with `home`; that address itself is not asked for.
    pub fn new(home: &str) -> Self {
        Self { cookies: Vec::new(), home: home.to_owned(), ports: Vec::new(), received: Vec::new() }
    }

    /// With `host` at `port` of this machine: as behind something that ends TLS.
    pub fn reaching(mut self, host: &str, port: u16) -> Self {
        self.ports.push((host.to_owned(), port));
        self
    }

    /// What it sends in `Cookie` to `host`; empty when it has none.
    pub fn cookies_for(&self, host: &str) -> String {
        let of_host = self.cookies.iter().filter(|(known, _, _)| known == host);
        of_host.map(|(_, name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Keeps the cookie `pair` (`name=value`) for `host`.
    pub fn put(&mut self, host: &str, pair: &str) {
        self.keep(host, pair);
    }

    /// Forgets the cookies of `host` whose name holds `part`.
    pub fn forget(&mut self, host: &str, part: &str) {
        self.cookies.retain(|(known, name, _)| known != host || !name.contains(part));
    }

    /// Goes to `url` and on as redirects lead.
    pub fn visit(&mut self, url: &Url) -> Page {
        self.go(url.clone(), None)
    }

    /// Sends the only form of `page` with `filled` in; fields that it has not are added.
    pub fn submit(&mut self, page: &Page, filled: &[(&str, &str)]) -> Page {
        let mut form = page.form();
        for (name, value) in filled {
            form.fields.retain(|(known, _)| known != name);
            form.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form.fields).finish();
        self.go(form.action, Some(body))
    }

    /// Goes where `page` says that it goes on by itself.
    pub fn follow(&mut self, page: &Page) -> Page {
        let refresh = elements(&page.text, "meta").find(|tag| tag.contains("http-equiv=\"refresh\""));
        let content = refresh.and_then(|tag| attribute(tag, "content")).unwrap_or_else(|| panic!("{page:?}"));
        let (_, address) = content.split_once("url=").unwrap();
        self.visit(&page.url.join(address).unwrap())
    }

    fn go(&mut self, mut url: Url, mut form: Option<String>) -> Page {
        for _ in 0..20 {
            if url.as_str().starts_with(&self.home) {
                return Page { url, status: 0, text: String::new() };
            }
            let answer = self.send(&url, form.take());
            match answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
                Some(location) => url = url.join(location).unwrap(),
                None => return Page { url, status: answer.status, text: answer.text() },
            }
        }
        panic!("redirects without end, last to {url}");
    }

    fn send(&mut self, url: &Url, form: Option<String>) -> Response {
        let host = url.host_str().unwrap();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut request = Request::new(method, target).host(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        // As every browser does that opens a page.
        request = request.header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        request = request.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document");
        let cookies = self.cookies_for(host);
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies);
        }
        if let Some(body) = form {
            request = request.body("application/x-www-form-urlencoded", body);
        }
        let known = self.ports.iter().find(|(known, _)| known == host).map(|(_, port)| *port);
        let answer = request.send(known.or_else(|| url.port_or_known_default()).unwrap());
        for cookie in answer.all("set-cookie") {
            self.received.push(cookie.to_owned());
            self.keep(host, cookie);
        }
        answer
    }

    /// One jar per host, whatever path a cookie names: a test visits one thing at a time.
    fn keep(&mut self, host: &str, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        self.cookies.retain(|(known, other, _)| known != host || other != name);
        let attributes = attributes.to_ascii_lowercase();
        let gone = value.is_empty() || attributes.contains("max-age=0") || attributes.contains(" 1970 ");
        if !gone {
            self.cookies.push((host.to_owned(), name.to_owned(), value.to_owned()));
        }
    }
}

impl Page {
    /// The only form, with the fields that have a value.
    pub fn form(&self) -> Form {
        let forms: Vec<&str> = elements(&self.text, "form").collect();
        assert_eq!(forms.len(), 1, "{} ({}) has {} forms:\n{}", self.url, self.status, forms.len(), self.text);
        let action = attribute(forms[0], "action").unwrap_or_default();
        let fields = elements(&self.text, "input").filter_map(|input| {
            let kind = attribute(input, "type").unwrap_or_default();
            let given = !["checkbox", "radio", "submit"].contains(&&*kind);
            given.then(|| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))?
        });
        Form { action: self.url.join(&action).unwrap(), fields: fields.collect() }
    }

    /// Where the page's last link leads.
    pub fn link(&self) -> Url {
        let target = elements(&self.text, "a").filter_map(|link| attribute(link, "href")).last();
        self.url.join(&target.unwrap_or_else(|| panic!("{} has no link:\n{}", self.url, self.text))).unwrap()
    }

    /// The parameter of the address.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// The opening tags of this name.
fn elements<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    text.split('<').filter_map(move |tag| {
        let rest = tag.strip_prefix(name)?;
        let inside = rest.split_once('>').map_or(rest, |(inside, _)| inside);
        inside.starts_with(char::is_whitespace).then_some(inside)
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let place = tag.match_indices(&start).find(|(place, _)| tag[..*place].ends_with(char::is_whitespace))?.0;
    let value = tag[place + start.len()..].split('"').next()?;
    let plain = value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x2F;", "/")
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    Some(plain)
}
