//! Redirect URIs that attackers would like, and those that real clients register.

use proptest::prelude::*;

use super::RedirectUriError::*;
use super::*;

fn parse(text: &str) -> Result<RedirectUri, RedirectUriError> {
    RedirectUri::parse(text, &CustomSchemes::default())
}

fn registered(text: &str) -> RedirectUri {
    parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn takes_what_real_clients_register_and_shows_where_the_answer_goes() {
    for (text, shown) in [
        ("https://claude.ai/api/mcp/auth_callback", "claude.ai"),
        ("https://chatgpt.com/connector/oauth/aB3_x-9", "chatgpt.com"),
        ("https://vscode.dev/redirect", "vscode.dev"),
        ("https://www.cursor.com/agents/mcp/oauth/callback", "www.cursor.com"),
        ("https://app.example.com", "app.example.com"),
        ("https://App.Example.com/cb", "app.example.com"),
        ("https://app.example.com:443/cb", "app.example.com"),
        ("https://app.example.com:8443/cb?tenant=a%2Fb&x", "app.example.com:8443"),
        ("https://xn--bcher-kva.example/cb", "xn--bcher-kva.example"),
        ("https://192.0.2.7/cb", "192.0.2.7"),
        ("https://[2001:db8::7]:8443/cb", "[2001:db8::7]:8443"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor"),
        ("vscode://vscode.github-authentication/did-authenticate", "vscode"),
        ("vscode-insiders:/callback", "vscode-insiders"),
        ("http://localhost/callback", "this computer"),
        ("http://localhost:6274/oauth/callback", "this computer"),
        ("http://127.0.0.1", "this computer"),
        ("http://127.0.0.1:33418/", "this computer"),
        ("http://[::1]:1/cb?x=1", "this computer"),
    ] {
        assert_eq!(parse(text).map(|uri| uri.shown_host()), Ok(shown.to_owned()), "{text}");
        assert_eq!(registered(text).as_str(), text);
        assert!(registered(text).matches(text), "{text}");
    }
}

/// What attackers would like to register, in every form that parsers, browsers or people misread.
const REFUSED: &[(&str, RedirectUriError)] = &[
    // Schemes that are programs, documents or plain text, in every case.
    ("javascript:alert(1)", Scheme),
    ("javascript://app.example.com/%0aalert(1)", Scheme),
    ("JavaScript:alert(1)", Scheme),
    ("data:text/html,x", Scheme),
    ("file:///etc/passwd", Scheme),
    ("blob:https://app.example.com/1", Scheme),
    ("about:blank", Scheme),
    ("vbscript:x", Scheme),
    ("view-source:https://app.example.com/", Scheme),
    ("ftp://app.example.com/", Scheme),
    ("com.evil.app://cb", Scheme),
    ("HTTPS://app.example.com/cb", Scheme),
    ("Cursor://anysphere.cursor-mcp/oauth/callback", Scheme),
    ("", Scheme),
    ("/cb", Scheme),
    ("//app.example.com/cb", Scheme),
    ("app.example.com/cb", Scheme),
    // Plain http that is not this computer, however much it looks like it.
    ("http://app.example.com/cb", PlainHttp),
    ("http://localhost.evil.example/cb", PlainHttp),
    ("http://127.0.0.1.evil.example/cb", PlainHttp),
    ("http://localhost@evil.example/cb", PlainHttp),
    ("http://127.0.0.1:80@evil.example/cb", PlainHttp),
    ("http://evil.example/localhost", PlainHttp),
    ("http://LOCALHOST/cb", PlainHttp),
    ("http://localhost./cb", PlainHttp),
    ("http://localhost:0/cb", PlainHttp),
    ("http://localhost:080/cb", PlainHttp),
    ("http://localhost:65536/cb", PlainHttp),
    ("http://localhost:+80/cb", PlainHttp),
    ("http://localhost:/cb", PlainHttp),
    ("http://127.0.0.2/cb", PlainHttp),
    ("http://127.1/cb", PlainHttp),
    ("http://2130706433/cb", PlainHttp),
    ("http://0x7f000001/cb", PlainHttp),
    ("http://0177.0.0.1/cb", PlainHttp),
    ("http://[0:0:0:0:0:0:0:1]/cb", PlainHttp),
    ("http://[::ffff:127.0.0.1]/cb", PlainHttp),
    ("http://0.0.0.0/cb", PlainHttp),
    ("http:localhost/cb", PlainHttp),
    ("http:/localhost/cb", PlainHttp),
    ("http:///localhost/cb", PlainHttp),
    // User names.
    ("https://app.example.com@evil.example/cb", UserInfo),
    ("https://user:pass@app.example.com/cb", UserInfo),
    ("https://@app.example.com/cb", UserInfo),
    ("cursor://anysphere.cursor-mcp@evil/cb", UserInfo),
    // Fragments and wildcards.
    ("https://app.example.com/cb#x", Fragment),
    ("https://app.example.com/cb#", Fragment),
    ("http://localhost/cb#x", Fragment),
    ("https://*.example.com/cb", Wildcard),
    ("https://app.example.com/*", Wildcard),
    ("http://localhost:*/cb", Wildcard),
    // Bytes that every program repairs in its own way.
    ("https://app.example.com\\@evil.example/cb", NotUri),
    ("https:\\\\evil.example/cb", NotUri),
    ("http://localhost\\@evil.example/cb", NotUri),
    ("https://app.example.com/\tcb", NotUri),
    ("https://app.example.com/cb\n", NotUri),
    ("https://app.example.com/cb\r\nx: y", NotUri),
    (" https://app.example.com/cb", NotUri),
    ("java\nscript:alert(1)", NotUri),
    ("https://app.example.com/\u{202e}bc", NotUri),
    ("https://b\u{fc}cher.example/cb", NotUri),
    ("https://app.example\u{3002}com/cb", NotUri),
    ("https://\u{ff4c}ocalhost/cb", NotUri),
    ("https://app.example.com/\0", NotUri),
    ("https://app.example.com/<script>", NotUri),
    ("https://app.example.com/\"", NotUri),
    ("https://app.example.com/%", NotUri),
    ("https://app.example.com/%4", NotUri),
    ("https://app.example.com/%zz", NotUri),
    // More than one reading.
    ("https:app.example.com/cb", Ambiguous),
    ("https:/app.example.com/cb", Ambiguous),
    ("https:///app.example.com/cb", Ambiguous),
    ("https://", Ambiguous),
    ("https:///", Ambiguous),
    ("https://app.example.com./cb", Ambiguous),
    ("https://app..example.com/cb", Ambiguous),
    ("https://app.example.com:/cb", Ambiguous),
    ("https://app.example.com:0/cb", Ambiguous),
    ("https://app.example.com:99999/cb", Ambiguous),
    ("https://app.example.com:80:80/cb", Ambiguous),
    ("https://2130706433/cb", Ambiguous),
    ("https://0x7f.1/cb", Ambiguous),
    ("https://0177.0.0.1/cb", Ambiguous),
    ("https://[2001:0db8::7]/cb", Ambiguous),
    ("https://app%2eexample.com/cb", Ambiguous),
    ("https://app.example.com/a/../cb", Ambiguous),
    ("https://app.example.com/a/%2e%2e/cb", Ambiguous),
    ("https://app.example.com/..", Ambiguous),
    ("https://app.example.com//evil.example", Ambiguous),
    ("https://app.example.com/a%2fb", Ambiguous),
    ("https://app.example.com/a%5cb", Ambiguous),
    ("https://app.example.com/a%252fb", Ambiguous),
    ("https://app.example.com/%0d%0ax", Ambiguous),
    ("http://localhost/a/../cb", Ambiguous),
    ("http://localhost//evil.example", Ambiguous),
    ("cursor:alert(1)", Ambiguous),
    ("cursor:", Ambiguous),
    ("cursor://", Ambiguous),
    ("cursor:///cb", Ambiguous),
    ("cursor://a/../b", Ambiguous),
];

#[test]
fn refuses_every_form_in_which_an_attacker_would_register() {
    let accepted = REFUSED.iter().filter(|(text, why)| parse(text) != Err(*why));
    let wrong: Vec<_> = accepted.map(|(text, why)| (text, why, parse(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(parse(&format!("https://app.example.com/{}", "a".repeat(RedirectUri::MAX_LENGTH))), Err(TooLong));
}

#[test]
fn only_schemes_on_the_list_receive_answers() {
    let own = CustomSchemes::parse(["com.example.app"]).unwrap();
    assert!(RedirectUri::parse("com.example.app:/oauth", &own).is_ok());
    assert_eq!(RedirectUri::parse("cursor://anysphere.cursor-mcp/oauth/callback", &own), Err(Scheme));
}

#[test]
fn a_loopback_uri_is_met_at_any_port_also_when_registered_without_one() {
    for (registered_as, presented) in [
        ("http://localhost/callback", "http://localhost:3118/callback"),
        ("http://localhost:6274/callback", "http://localhost:50000/callback"),
        ("http://localhost:6274/callback", "http://localhost/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:65535/callback"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1:1/"),
        ("http://[::1]/callback?x=1", "http://[::1]:9/callback?x=1"),
        ("http://localhost", "http://localhost:9"),
    ] {
        assert!(registered(registered_as).matches(presented), "{registered_as} {presented}");
    }
}

#[test]
fn everything_but_a_loopback_port_is_compared_as_an_exact_string() {
    for (registered_as, presented) in [
        ("http://localhost/callback", "http://127.0.0.1/callback"),
        ("http://127.0.0.1/callback", "http://localhost:1/callback"),
        ("http://127.0.0.1/callback", "http://[::1]:1/callback"),
        ("http://localhost/callback", "https://localhost:1/callback"),
        ("http://localhost/callback", "http://localhost:1/callback/"),
        ("http://localhost/callback", "http://localhost:1/Callback"),
        ("http://localhost/callback", "http://localhost:1/callback?x=1"),
        ("http://localhost/callback?x=1", "http://localhost:1/callback"),
        ("http://localhost/callback", "http://localhost:1/callback#x"),
        ("http://localhost/callback", "http://localhost:1"),
        ("http://localhost/callback", "http://localhost:0/callback"),
        ("http://localhost/callback", "http://localhost:01/callback"),
        ("http://localhost/callback", "http://localhost:1@evil.example/callback"),
        ("http://localhost/callback", "http://localhost:@evil.example/callback"),
        ("http://localhost/callback", "http://localhost.evil.example/callback"),
        ("http://localhost/callback", "http://localhost\\@evil.example/callback"),
        ("http://localhost/callback", "http://LOCALHOST:1/callback"),
        ("http://localhost/callback", "HTTP://localhost:1/callback"),
        ("http://localhost/callback", " http://localhost:1/callback"),
        ("http://localhost/callback", "http://localhost:1/call\tback"),
        ("http://localhost", "http://localhost:80.evil.example"),
        ("https://localhost:8080/cb", "https://localhost:8081/cb"),
        ("https://app.example.com/cb", "https://app.example.com:443/cb"),
        ("https://app.example.com/cb", "https://app.example.com/cb/"),
        ("https://app.example.com/cb", "https://app.example.com/cb?x"),
        ("https://app.example.com/cb", "https://app.example.com/cb/../evil"),
        ("https://app.example.com/cb", "https://app.example.com.evil.example/cb"),
        ("https://app.example.com/cb", "https://app.example.com@evil.example/cb"),
        ("https://app.example.com/cb", "https://APP.example.com/cb"),
        ("https://app.example.com/cb", "http://app.example.com/cb"),
        ("https://app.example.com/cb", "https://app.example.com/c%62"),
        ("cursor://anysphere.cursor-mcp/cb", "cursor://anysphere.cursor-mcp:1/cb"),
        ("cursor://anysphere.cursor-mcp/cb", "cursor://evil/cb"),
    ] {
        assert!(!registered(registered_as).matches(presented), "{registered_as} {presented}");
    }
}

/// What parsers stumble over.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "http:",
        "https:",
        "cursor:",
        "javascript:",
        "//",
        "/",
        "\\",
        "@",
        ":",
        ":80",
        ":1",
        "?",
        "#",
        ".",
        "..",
        "%2e",
        "%2f",
        "%",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "evil.example",
        "app.example.com",
        "cb",
        "a",
        "*",
        "\t",
        "\n",
        " ",
        "0x7f",
        "2130706433",
        "x=1",
        "&",
        "\u{202e}",
        "\u{ff0e}",
    ])
}

/// URIs made of such pieces, most of them after a good start.
fn uri_like() -> impl Strategy<Value = String> {
    let start =
        prop::sample::select(vec!["", "https://app.example.com", "http://localhost", "http://[::1]:1", "cursor://a"]);
    (start, prop::collection::vec(piece(), 0..6)).prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

/// A text with one piece put over some characters of it.
fn altered(text: &str, piece: &str, place: usize, length: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = place % (characters.len() + 1);
    let end = (start + length).min(characters.len());
    characters[..start].iter().copied().chain(piece.chars()).chain(characters[end..].iter().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_registered_has_the_scheme_and_host_that_browsers_see(text in uri_like()) {
        let Ok(uri) = parse(&text) else { return Ok(()) };
        let url = Url::parse(&text).unwrap();
        prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        match url.scheme() {
            "https" => prop_assert!(uri.shown_host().starts_with(url.host_str().unwrap())),
            "http" => prop_assert!(LOOPBACK_HOSTS.contains(&url.host_str().unwrap()) && uri.is_loopback()),
            "cursor" => prop_assert_eq!(uri.shown_host(), "cursor"),
            other => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn what_matches_leads_to_the_same_place_but_for_a_loopback_port(
        own in uri_like(), piece in piece(), place in 0_usize..60, length in 0_usize..4,
    ) {
        let Ok(uri) = parse(&own) else { return Ok(()) };
        let presented = altered(&own, piece, place, length);
        if uri.matches(&presented) && own != presented {
            let without_port = |text: &str| {
                let mut url = Url::parse(text).unwrap();
                url.set_port(None).unwrap();
                url
            };
            prop_assert!(uri.is_loopback());
            prop_assert_eq!(without_port(&own), without_port(&presented));
        }
    }

    #[test]
    fn a_character_more_anywhere_is_no_match(place in 0_usize..40, more in any::<char>()) {
        for own in ["https://app.example.com/cb", "http://localhost:1/cb", "http://[::1]/cb?x=1", "cursor://a/cb"] {
            let mut presented: Vec<char> = own.chars().collect();
            presented.insert(place.min(presented.len()), more);
            let presented: String = presented.into_iter().collect();
            let port_only = registered(own).is_loopback() && more.is_ascii_digit();
            prop_assert!(port_only || !registered(own).matches(&presented), "{}", presented);
        }
    }

    #[test]
    fn no_input_makes_the_parser_stumble(text in any::<String>()) {
        let _ = parse(&text);
        prop_assert!(!registered("http://localhost/cb").matches(&text));
    }
}
