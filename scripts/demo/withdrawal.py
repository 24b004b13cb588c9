"""A person at /connections who withdraws what is connected, in a browser of a few lines."""

import html.parser
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

from demo.trouble import Broken

TIMEOUT = 30  # seconds


class Page(html.parser.HTMLParser):
    """Where a page goes on to by itself, and its forms: where each leads, its fields, its buttons by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.refresh = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "meta" and attributes.get("http-equiv") == "refresh":
            self.refresh = attributes.get("content", "").partition("url=")[2]
        elif tag == "form":
            self.forms.append((attributes.get("action", ""), {}, {}))
        elif tag in ("input", "button") and self.forms and (name := attributes.get("name")):
            # The first button of a name: /connections has one for each connection, then one for all.
            self.forms[-1][1 if tag == "input" else 2].setdefault(name, attributes.get("value", ""))


class Browser:
    """Follows redirects, keeps cookies, and asks nobody on the way."""

    def __init__(self) -> None:
        kept = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(kept, urllib.request.ProxyHandler({}))

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[str, Page]:
        """Where it came out, and what is there."""
        parts = urlsplit(url)
        request = urllib.request.Request(url, urlencode(form).encode() if form is not None else None)
        request.add_header("Origin", f"{parts.scheme}://{parts.netloc}")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                url, page = answer.url, Page(answer.read().decode())
        except (urllib.error.URLError, OSError) as error:
            raise Broken(f"{url}: {error}") from error
        return self.open(urljoin(url, page.refresh)) if page.refresh else (url, page)

    def submit(self, url: str, page: Page, button: str | None, **typed: str) -> tuple[str, Page]:
        """Fills in the form that has the button of this name, or the fields that are typed, and sends it."""
        for action, fields, buttons in page.forms:
            if (button in buttons) if button else typed.keys() <= fields.keys():
                pressed = {button: buttons[button]} if button else {}
                return self.open(urljoin(url, action), fields | typed | pressed)
        raise Broken(f"{urlsplit(url).path} has no form for {button or ', '.join(typed)}")


def withdraw(origin: str, email: str) -> None:
    """Signs in there and withdraws the first connection."""
    browser = Browser()
    url, page = browser.open(f"{origin}/connections")
    url, page = browser.submit(url, page, None, email=email)
    if urlsplit(url).path != "/connections":
        raise Broken(f"the sign-in ended at {url}")
    browser.submit(url, page, "withdraw")
