"""A person at a browser, without a browser: follows an authorization URL through consent and sign-in pages.

    person.py [--email alice@example.com] [--password alice] [--decision approve|deny] [--login NAME] [--provider NAME]
              [--outside HOST:PORT --authority FILE] [--keep] URL

Prints where the last answer sent the browser: the client's redirect URI with `code` or `error`. With --keep that
address is opened too, as a browser would, for clients that listen there. Exits 1 and says why when no answer comes.
--login is what the person is called at a provider that does not ask for an address, --provider which one is chosen
where several are offered. With --outside, https goes through that proxy, to servers that --authority vouches for.
As BROWSER=… it serves clients that open a browser themselves.
"""

import argparse
import html.parser
import http.client
import http.cookies
import re
import ssl
import sys
import urllib.parse
from dataclasses import dataclass, field

MAX_STEPS = 25
TIMEOUT_SECONDS = 20


@dataclass
class Form:
    """A form as a page has it."""

    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(html.parser.HTMLParser):
    """What a person could do on a page: forms, and where it leads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.refresh: str | None = None
        self.title = ""
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get").lower()))
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            _, _, target = attributes.get("content", "").partition("=")
            self.refresh = target.strip().strip("'\"") or None
        elif tag == "title":
            self._in_title = True
        elif self.forms:
            self._field(tag, attributes)

    def _field(self, tag: str, attributes: dict[str, str]) -> None:
        form, name = self.forms[-1], attributes.get("name", "")
        kind = attributes.get("type", "submit" if tag == "button" else "text").lower()
        if tag in ("button", "input") and kind == "submit":
            form.buttons.append((name, attributes.get("value", "")))
        elif tag == "input" and name and kind not in ("checkbox", "radio", "button", "image", "reset"):
            form.fields[name] = attributes.get("value", "")
        elif tag == "input" and name and kind in ("checkbox", "radio") and "checked" in attributes:
            form.fields[name] = attributes.get("value", "on")

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


class Stuck(Exception):
    """No way on from here."""


class Person:
    """One browser profile: cookies by host, and what its owner types."""

    def __init__(self, options: argparse.Namespace) -> None:
        name = options.email.partition("@")[0]
        self.typed = {
            "email": options.email,
            "username": name,
            "login": options.login or options.email,
            "password": options.password,
            "name": name.capitalize(),
        }
        self.decision = options.decision
        self.provider = options.provider
        self.outside = options.outside
        self.authority = options.authority
        self.hosts: list[str] = []
        self.titles: list[str] = []
        self.texts: list[str] = []
        self.cookies: dict[str, dict[str, str]] = {}

    def walk(self, url: str) -> str:
        """Follows `url` until an answer goes to its `redirect_uri`."""
        destination = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("redirect_uri", [""])[0]
        method, body = "GET", ""
        for _ in range(MAX_STEPS):
            if destination and is_answer(url, destination):
                return url
            status, location, text = self.send(method, url, body)
            if 300 <= status < 400 and location:
                method, url, body = "GET", urllib.parse.urljoin(url, location), ""
                continue
            method, url, body = self.act(Page(text), status, url, text)
        raise Stuck(f"more than {MAX_STEPS} steps, the last at {url}")

    def act(self, page: Page, status: int, url: str, text: str) -> tuple[str, str, str]:
        self.texts.append(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
        self.titles.append(page.title.strip())
        if page.refresh:
            return "GET", urllib.parse.urljoin(url, page.refresh), ""
        for form in page.forms:
            if filled := self.fill(form):
                return self.submit(form, filled, url)
        raise Stuck(f"{status} at {url}: {page.title.strip() or text[:300]}")

    def fill(self, form: Form) -> dict[str, str] | None:
        """What to send with `form`; None when it is not for this person to fill in."""
        # A person has one account: offered to try with another, they go back to the client.
        decision = "deny" if ("decision", "another_account") in form.buttons else self.decision
        decisions = [(name, value) for name, value in form.buttons if value == decision]
        if decisions:
            chosen = {"provider": self.provider} if self.provider and "provider" in form.fields else {}
            return form.fields | chosen | dict(decisions[:1])
        wanted = {name: value for name, value in self.typed.items() if name in form.fields}
        if not wanted and "csrf" not in form.fields and form.method != "post":
            return None
        buttons = dict(button for button in form.buttons[:1] if button[0])
        return form.fields | wanted | buttons

    def submit(self, form: Form, fields: dict[str, str], url: str) -> tuple[str, str, str]:
        target, encoded = urllib.parse.urljoin(url, form.action), urllib.parse.urlencode(fields)
        if form.method == "post":
            return "POST", target, encoded
        return "GET", urllib.parse.urlsplit(target)._replace(query=encoded).geturl(), ""

    def send(self, method: str, url: str, body: str) -> tuple[int, str | None, str]:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Stuck(f"the browser is sent to {url}")
        connection = self.connect(parts)
        self.hosts += [parts.netloc] if parts.netloc not in self.hosts else []
        jar = self.cookies.setdefault(parts.hostname, {})
        headers = {"Accept": "text/html", "User-Agent": "person"}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(method, target, body=body or None, headers=headers)
        response = connection.getresponse()
        for line in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value
        text = response.read().decode("utf-8", "replace")
        connection.close()
        return response.status, response.headers.get("Location"), text

    def connect(self, parts: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        if parts.scheme == "http":
            return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_SECONDS)
        trust = ssl.create_default_context(cafile=self.authority or None)
        if not self.outside:
            return http.client.HTTPSConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_SECONDS, context=trust)
        proxy, _, port = self.outside.rpartition(":")
        connection = http.client.HTTPSConnection(proxy, int(port), timeout=TIMEOUT_SECONDS, context=trust)
        connection.set_tunnel(str(parts.hostname), parts.port or 443)
        return connection


def is_answer(url: str, destination: str) -> bool:
    """Whether `url` is the redirect URI with an answer in its query."""
    reached, wanted = urllib.parse.urlsplit(url), urllib.parse.urlsplit(destination)
    answer = urllib.parse.parse_qs(reached.query)
    return reached[:3] == wanted[:3] and ("code" in answer or "error" in answer)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is to be said about a person."""
    parser.add_argument("--email", default="alice@example.com")
    parser.add_argument("--password", default="alice")
    parser.add_argument("--decision", choices=["approve", "deny"], default="approve")
    parser.add_argument("--login", default="")
    parser.add_argument("--provider", default="")
    parser.add_argument("--outside", default="", metavar="HOST:PORT")
    parser.add_argument("--authority", default="", metavar="FILE")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    add_options(parser)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    person = Person(options)
    try:
        answer = person.walk(options.url)
        if options.keep:
            person.send("GET", answer, "")
    except (Stuck, OSError) as error:
        print(f"person: {error}", file=sys.stderr)
        return 1
    print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
