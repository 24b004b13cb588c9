//! How long an answer may be kept, in its own words (RFC 9111 §4.2.1). The caller sets bounds.

use std::time::Duration;

/// `None` when the answer says nothing. `header` gives the value of a header, lines joined by commas.
pub(super) fn fresh_for(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let control = header("cache-control").unwrap_or_default();
    let directives: Vec<(String, &str)> = control.split(',').map(directive).collect();
    let says = |name: &str| directives.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    if says("no-store").or(says("no-cache")).is_some() {
        return Some(Duration::ZERO);
    }
    let age = header("age").and_then(|age| seconds(&age)).unwrap_or_default();
    match says("s-maxage").or(says("max-age")) {
        // What cannot be read counts as stale (RFC 9111 §4.2.1).
        Some(value) => Some(seconds(value).unwrap_or_default().saturating_sub(age)),
        None => expires(&header).map(|lifetime| lifetime.saturating_sub(age)),
    }
}

fn directive(text: &str) -> (String, &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'))
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

/// `Expires` minus `Date`: both by the other side's clock, so ours does not matter.
fn expires(header: &impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let expires = header("expires")?;
    let date = httpdate::parse_http_date(&header("date")?).ok()?;
    let lifetime = httpdate::parse_http_date(&expires).ok().and_then(|expires| expires.duration_since(date).ok());
    Some(lifetime.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_say_about_keeping() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, expected) in [
            (&[][..], None),
            (&[("cache-control", "max-age=600")], Some(600)),
            (&[("cache-control", "public, Max-Age=\"600\", immutable")], Some(600)),
            (&[("cache-control", "max-age=600, s-maxage=60")], Some(60)),
            (&[("cache-control", "max-age=600"), ("age", "100")], Some(500)),
            (&[("cache-control", "max-age=600"), ("age", "700")], Some(0)),
            (&[("cache-control", "max-age=600, no-store")], Some(0)),
            (&[("cache-control", "no-cache")], Some(0)),
            (&[("cache-control", "max-age=soon")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=99999999999999999999")], Some(0)),
            (&[("cache-control", "public")], None),
            (&[DATE, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60)),
            (&[DATE, ("expires", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[DATE, ("expires", "0")], Some(0)),
            (&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], None),
        ] {
            let header =
                |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(fresh_for(header), expected.map(Duration::from_secs), "{headers:?}");
        }
    }
}
