//! Bodies that one reader takes for harmless and another for a call of `write`.

use super::packed::{gzip, zlib};
use super::{Attack, Target, legacy, modern};

pub fn attacks(target: &Target) -> Vec<Attack> {
    let plain = |(name, body): (&str, Vec<u8>)| Attack::new(name, &target.post(body));
    let mut attacks: Vec<Attack> = [batches(), keys(), texts(), sizes()].into_iter().flatten().map(plain).collect();
    let versioned = |name: &str, version: &str, body: &str| {
        Attack::new(name, &target.post(body).header("MCP-Protocol-Version", version))
    };
    let batch = format!("[{LIST},{}]", legacy("write"));
    attacks.push(versioned("batch of 2025-03-26", "2025-03-26", &batch));
    attacks.push(versioned("batch of 2025-11-25", "2025-11-25", &format!("[{}]", legacy("write"))));
    let lying = |name: &str, body: String| Attack::new(name, &target.modern_post("read", body));
    attacks.push(lying(
        "a newer batch with the headers of its first",
        format!("[{},{}]", modern("read"), modern("write")),
    ));
    attacks.push(lying(
        "a newer name twice, headers as the first",
        twice(&modern("read"), r#""name":"read""#, r#""name":"write""#),
    ));
    attacks.push(lying(
        "a newer name twice, headers as the last",
        twice(&modern("write"), r#""name":"write""#, r#""name":"read""#),
    ));
    attacks.extend(typed(target));
    attacks.extend(compressed(target));
    attacks
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#;

type Body = (&'static str, Vec<u8>);

/// `body` with `second` right after `first`.
fn twice(body: &str, first: &str, second: &str) -> String {
    body.replace(first, &format!("{first},{second}"))
}

fn batches() -> Vec<Body> {
    let (read, write) = (legacy("read"), legacy("write"));
    let many = format!("[{}{write}]", format!("{read},").repeat(64));
    [
        ("plain", write.clone()),
        ("batch of one", format!("[{write}]")),
        ("batch, harmless first", format!("[{LIST},{write}]")),
        ("batch, harmless last", format!("[{write},{LIST}]")),
        ("batch in a batch", format!("[[{write}]]")),
        ("long batch", many),
        ("batch with null", format!("[null,{write}]")),
        ("notification", write.replace(r#""id":1,"#, "")),
        ("call and answer in one", write.replace(r#""id":1"#, r#""id":1,"result":{}"#)),
        ("two values", format!("{read}{write}")),
        ("two lines", format!("{read}\n{write}")),
        ("trailing bracket", format!("{write}]")),
        ("trailing comma", format!("{write},")),
        ("trailing word", format!("{write} x")),
        ("trailing NUL", format!("{write}\0")),
        ("leading comma", format!(",{write}")),
        ("comment", format!("/* {read} */ {write}")),
        ("event of a stream", format!("data: {write}\n\n")),
        ("white space around", format!("\r\n\t {write} \r\n")),
        ("other white space around", format!("\u{a0}\u{feff}{write}\u{2028}")),
    ]
    .map(|(name, body)| (name, body.into_bytes()))
    .to_vec()
}

fn keys() -> Vec<Body> {
    let (read, write) = (legacy("read"), legacy("write"));
    let method = |second: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list",{second},"params":{{"name":"write","arguments":{{}}}}}}"#
        )
    };
    let named = |second: &str| twice(&read, r#""name":"read""#, second);
    [
        ("method twice", method(r#""method":"tools/call""#)),
        ("method twice, once escaped", method(r#""m\u0065thod":"tools/call""#)),
        ("method in another case", method(r#""Method":"tools/call""#)),
        ("method with NUL", method(r#""method\u0000":"tools/call""#)),
        ("name twice", named(r#""name":"write""#)),
        ("name twice, once escaped", named(r#""n\u0061me":"write""#)),
        ("name in another case", named(r#""Name":"write""#)),
        ("name with NUL", named(r#""name\u0000":"write""#)),
        ("name with white space", named(r#""name ":"write""#)),
        ("name with an underscore", named(r#""_name":"write","tool":"write","toolName":"write""#)),
        (
            "params twice",
            read.replace(r#""params""#, r#""params":{"name":"read"},"params""#)
                .replace(r#""arguments""#, r#""name":"write","arguments""#),
        ),
        (
            "params twice, whole",
            twice(&read, r#""params":{"name":"read","arguments":{}}"#, r#""params":{"name":"write","arguments":{}}"#),
        ),
        (
            "params with a long s",
            twice(&read, r#""params":{"name":"read","arguments":{}}"#, r#""param\u017f":{"name":"write"}"#),
        ),
        ("version twice", twice(&write, r#""jsonrpc":"2.0""#, r#""jsonrpc":"2.0""#)),
        ("id twice", twice(&write, r#""id":1"#, r#""id":2"#)),
        ("arguments twice", twice(&write, r#""arguments":{}"#, r#""arguments":{"x":1}"#)),
        (
            "prototype of the message",
            format!(r#"{{"__proto__":{write},"jsonrpc":"2.0","id":1,"method":"tools/list"}}"#),
        ),
        ("prototype of the params", named(r#""__proto__":{"name":"write"}"#)),
        ("params as a list", write.replace(r#"{"name":"write","arguments":{}}"#, r#"["write",{}]"#)),
        ("params as text", write.replace(r#"{"name":"write","arguments":{}}"#, r#""{\"name\":\"write\"}""#)),
        ("name as a list", write.replace(r#""write""#, r#"["write"]"#)),
        ("method as a list", write.replace(r#""tools/call""#, r#"["tools/call"]"#)),
        ("no version", write.replace(r#""jsonrpc":"2.0","#, "")),
        ("another version", write.replace("2.0", "1.0")),
        ("version as a number", write.replace(r#""2.0""#, "2.0")),
        ("more members", write.replace(r#""id":1"#, r#""id":1,"x":{"method":"tools/list"}"#)),
        ("as a task", write.replace(r#""arguments":{}"#, r#""arguments":{},"task":{"ttl":1000}"#)),
    ]
    .map(|(name, body)| (name, body.into_bytes()))
    .to_vec()
}

fn texts() -> Vec<Body> {
    let write = legacy("write");
    let tool = |name: &str| write.replace(r#""write""#, &format!("\"{name}\""));
    let method = |name: &str| write.replace("tools/call", name);
    let wide = |big: bool| {
        write
            .encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect::<Vec<u8>>()
    };
    let marked = |big: bool| [if big { [0xfe, 0xff] } else { [0xff, 0xfe] }.to_vec(), wide(big)].concat();
    let mut bodies: Vec<Body> = [
        ("escaped name", tool("wr\\u0069te")),
        ("escaped method", method("tools\\/c\\u0061ll")),
        ("name with trailing space", tool("write ")),
        ("name with leading space", tool(" write")),
        ("name in capitals", tool("WRITE")),
        ("name with trailing NUL", tool("write\\u0000")),
        ("name with an invisible space", tool("wri\\u200bte")),
        ("name in full width", tool("\u{ff57}\u{ff52}\u{ff49}\u{ff54}\u{ff45}")),
        ("name with half a surrogate", tool("write\\ud800")),
        ("empty name", tool("")),
        ("method in capitals", method("TOOLS/CALL")),
        ("method with trailing space", method("tools/call ")),
        ("method with trailing slash", method("tools/call/")),
        ("method with two slashes", method("tools//call")),
        ("byte order mark", format!("\u{feff}{write}")),
        ("single quotes", write.replace('"', "'")),
    ]
    .map(|(name, body)| (name, body.into_bytes()))
    .to_vec();
    bodies.push(("UTF-16, little end first", wide(false)));
    bodies.push(("UTF-16, big end first", wide(true)));
    bodies.push(("UTF-16, marked, little end first", marked(false)));
    bodies.push(("UTF-16, marked, big end first", marked(true)));
    bodies.push((
        "bytes that are no UTF-8",
        [write
            .replace(r#""id":1"#, r#""id":1,"x":"?""#)
            .as_bytes()
            .iter()
            .map(|byte| if *byte == b'?' { 0xff } else { *byte })
            .collect::<Vec<u8>>()]
        .concat(),
    ));
    bodies.push((
        "overlong UTF-8",
        write
            .replace("write", "wr?te")
            .bytes()
            .flat_map(|byte| if byte == b'?' { vec![0xc1, 0xa9] } else { vec![byte] })
            .collect(),
    ));
    bodies
}

fn sizes() -> Vec<Body> {
    let write = legacy("write");
    let with = |argument: String| write.replace(r#""arguments":{}"#, &format!(r#""arguments":{{"x":{argument}}}"#));
    let late = |size: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{{"x":"{}"}},"name":"write"}}}}"#,
            "x".repeat(size)
        )
    };
    [
        ("a number out of range", with("1e999".to_owned())),
        ("an id out of range", write.replace(r#""id":1"#, r#""id":1e999"#)),
        ("a number of 5000 digits", with("9".repeat(5000))),
        ("minus zero", with("-0".to_owned())),
        ("a number with a leading zero", with("01".to_owned())),
        ("not a number", with("NaN".to_owned())),
        ("100 levels", with(format!("{}{}", "[".repeat(100), "]".repeat(100)))),
        ("200 levels", with(format!("{}{}", "[".repeat(200), "]".repeat(200)))),
        ("5000 levels", with(format!("{}{}", "[".repeat(5000), "]".repeat(5000)))),
        ("name after 60 KB", late(60_000)),
        ("name after 90 KB", late(90_000)),
        ("name after 1.5 MB", late(1_500_000)),
        (
            "10,000 members",
            with(format!(
                "{{{}\"z\":1}}",
                (0..10_000).map(|number| format!("\"k{number}\":1,")).collect::<Vec<_>>().concat()
            )),
        ),
    ]
    .map(|(name, body)| (name, body.into_bytes()))
    .to_vec()
}

/// Types that are not `application/json`, yet read as JSON somewhere.
fn typed(target: &Target) -> Vec<Attack> {
    let wide: Vec<u8> = legacy("write").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut attacks: Vec<Attack> = [
        "text/plain",
        "text/plain; x=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-rpc",
        "application/jsonrequest",
        "application/problem+json",
        "text/json",
        "application/json, text/plain",
        "text/plain, application/json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json;; charset=\"utf-8\"",
        "APPLICATION/JSON",
        "application/json\u{a0}",
        "",
    ]
    .map(|content_type| {
        Attack::new(format!("type {content_type:?}"), &target.bare().body(content_type, legacy("write")))
    })
    .into();
    let in_utf_16 = target.bare().body("application/json; charset=utf-16le", wide);
    attacks.push(Attack::new("UTF-16 that is declared", &in_utf_16));
    let untyped = target.bare().header("Content-Length", legacy("write").len().to_string());
    let untyped = crate::support::http::Request { body: legacy("write").into_bytes(), ..untyped };
    attacks.push(Attack::new("no type", &untyped));
    attacks
}

/// Bytes that a server unpacks before it reads them.
fn compressed(target: &Target) -> Vec<Attack> {
    let write = legacy("write");
    let sent = |name: &str, coding: &str, body: Vec<u8>| {
        Attack::new(name, &target.post(body).header("Content-Encoding", coding))
    };
    vec![
        sent("gzip", "gzip", gzip(write.as_bytes())),
        sent("gzip under its old name", "x-gzip", gzip(write.as_bytes())),
        sent("gzip in capitals", "GZIP", gzip(write.as_bytes())),
        sent("deflate", "deflate", zlib(write.as_bytes())),
        sent("gzip twice", "gzip, gzip", gzip(&gzip(write.as_bytes()))),
        sent("identity and gzip", "identity, gzip", gzip(write.as_bytes())),
        sent("compressed in name only", "gzip", write.clone().into_bytes()),
        sent("identity", "identity", write.clone().into_bytes()),
        sent("an unknown coding", "x", write.clone().into_bytes()),
        sent("an empty coding", "", write.clone().into_bytes()),
        Attack::new("gzip that is not declared", &target.post(gzip(write.as_bytes()))),
    ]
}
