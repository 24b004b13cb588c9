//! What is read, and what is refused because somebody reads it differently.

use proptest::prelude::*;

use super::*;

fn read_text(body: &str) -> Result<Vec<(String, Option<String>)>, BodyFault> {
    let owned = |operation: Operation<'_>| (operation.method().to_owned(), operation.name().map(ToOwned::to_owned));
    read(body.as_bytes()).map(|operations| operations.into_iter().map(owned).collect())
}

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn every_method_of_the_protocol_is_read_with_what_names_it() {
    for method in KNOWN_METHODS {
        let params = r#"{"name":"n","uri":"u","taskId":"t","arguments":{"name":{"Name":1}},"_meta":{}}"#;
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let name = match method {
            "tools/call" | "prompts/get" => Some("n"),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some("u"),
            "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => Some("t"),
            _ => None,
        };
        assert_eq!(read_text(&body), Ok(vec![(method.to_owned(), name.map(ToOwned::to_owned))]), "{method}");
    }
}

#[test]
fn notifications_responses_and_batches_are_read() {
    for (body, methods) in [
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, vec!["notifications/initialized"]),
        (r#"{"jsonrpc":"2.0","id":"a","result":{"x":[1,null,true,1.5]}}"#, vec![Operation::RESPONSE]),
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#, vec![Operation::RESPONSE]),
        (
            r#" [{"jsonrpc":"2.0","method":"ping","id":1},{"jsonrpc":"2.0","method":"tools/list","id":2}] "#,
            vec!["ping", "tools/list"],
        ),
    ] {
        let read: Vec<String> = read_text(body).unwrap().into_iter().map(|(method, _)| method).collect();
        assert_eq!(read, methods, "{body}");
    }
}

#[test]
fn escapes_are_resolved_before_anything_is_compared() {
    let body = r#"{"jsonrpc":"2.0","id":1,"m\u0065thod":"tools\/call","params":{"n\u0061me":"del\u0065te_user"}}"#;
    assert_eq!(read_text(body), Ok(vec![("tools/call".into(), Some("delete_user".into()))]));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases is one function")]
fn what_two_readers_could_see_differently_is_refused() {
    use BodyFault::{Batch, LookalikeKey, Method, Nameless, NotJson, NotJsonRpc, RepeatedKey};
    let deep = call(&format!(r#"{{"name":"a","arguments":{}{}}}"#, "[".repeat(200), "]".repeat(200)));
    let many = format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; 65].join(","));
    let table: Vec<(String, BodyFault)> = [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"a"}}"#, RepeatedKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","m\u0065thod":"tools/call"}"#, RepeatedKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","param\u017f":{}}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params\u0000":{}}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"," params":{}}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"METHOD":"tools/list"}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params\u0000x":{}}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","\u0131d":1,"method":"tools/list"}"#, LookalikeKey),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{}}"#, NotJsonRpc),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, NotJsonRpc),
        (r#"{"jsonrpc":"2.0","result":{}}"#, NotJsonRpc),
        (r#"{"jsonrpc":"2.0","id":1}"#, NotJsonRpc),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, NotJsonRpc),
        (r#"{"id":1,"method":"ping"}"#, NotJsonRpc),
        (r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call"}"#, Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call "}"#, Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000"}"#, Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Nameless),
        (r#"{"jsonrpc":"2.0","id":1,"method":1}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":NaN,"method":"ping"}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1e999,"method":"ping"}"#, NotJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping\ud800"}"#, NotJson),
        ("{'jsonrpc':'2.0'}", NotJson),
        ("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NotJson),
        ("[]", Batch),
        ("[[]]", NotJson),
        ("\"tools/list\"", NotJson),
        ("", NotJson),
    ]
    .into_iter()
    .map(|(body, fault)| (body.to_owned(), fault))
    .chain([
        (call(r#"{"name":"read","name":"write"}"#), RepeatedKey),
        (call(r#"{"name":"read","Name":"write"}"#), LookalikeKey),
        (call(r#"{"name":"read","NAME\u0000":"write"}"#), LookalikeKey),
        (call(r#"{"name":"a","ur\u0131":"file:///b"}"#), LookalikeKey),
        (call(r#"{"name":"a","ur\u0130":"file:///b"}"#), LookalikeKey),
        (call(r#"{"name":"a","arguments":{"x":{"y":1,"y":2}}}"#), RepeatedKey),
        (call(r#"{"name":["a"]}"#), NotJson),
        (call(r#"{"name":null}"#), NotJson),
        (call(r#"{"name":""}"#), Nameless),
        (call(r#"{"uri":"a"}"#), Nameless),
        (call(r#"{"name":"a""#), NotJson),
        (deep, NotJson),
        (many, Batch),
    ])
    .collect();
    let wrong: Vec<String> = table
        .iter()
        .filter(|(body, fault)| read(body.as_bytes()).err() != Some(*fault))
        .map(|(body, fault)| format!("{body:.120}: {:?}, not {fault:?}", read(body.as_bytes()).err()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Members that mean nothing here are no reason to refuse; what is in them is looked through all the same.
#[test]
fn members_that_nobody_knows_are_passed_over_but_not_unseen() {
    for (key, inner) in [("a", "x"), ("xy", "abc"), ("extra", "args"), ("member", "abcdef"), ("strange", "abcdefghi")] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","{key}":{{"k":1}},"params":{{"{inner}":2,"name":"n"}}}}"#
        );
        assert_eq!(read_text(&body), Ok(vec![("tools/call".into(), Some("n".into()))]), "{body}");
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","extra":{"k":1,"k":2}}"#;
    assert_eq!(read(body.as_bytes()), Err(BodyFault::RepeatedKey));
}

#[test]
fn no_member_that_counts_has_a_lookalike() {
    for key in ["jsonrpc", "id", "method", "params", "result", "error"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","{}":{{}}}}"#, key.to_uppercase());
        assert_eq!(read(body.as_bytes()), Err(BodyFault::LookalikeKey), "{body}");
    }
    for key in ["name", "uri", "taskId", "_meta", "arguments"] {
        let body = call(&format!(r#"{{"name":"n","{}":{{}}}}"#, key.to_uppercase()));
        assert_eq!(read(body.as_bytes()), Err(BodyFault::LookalikeKey), "{body}");
    }
}

#[test]
fn names_that_a_server_could_read_otherwise_are_refused_wherever_they_stand() {
    let read_uri =
        |uri: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{{"uri":"{uri}"}}}}"#);
    for body in [call(r#"{"name":"delete_note\u0000"}"#), call(r#"{"name":" n"}"#), read_uri("file:///a/../b")] {
        assert_eq!(read(body.as_bytes()), Err(BodyFault::Name), "{body}");
    }
}

#[test]
fn as_much_as_is_read_is_read_and_no_more() {
    let batch = |count: usize| format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; count].join(","));
    assert_eq!(read(batch(64).as_bytes()).map(|operations| operations.len()), Ok(64));
    assert_eq!(read(batch(65).as_bytes()), Err(BodyFault::Batch));
    assert_eq!(check_method(&"m".repeat(128)), Ok(()));
    assert_eq!(check_method(&"m".repeat(129)), Err(BodyFault::Method));
}

#[test]
fn other_character_sets_than_utf_8_are_no_json() {
    let utf16: Vec<u8> = call(r#"{"name":"a"}"#).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1 = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"\xfc\"}}";
    let hidden = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":\"\xff\"}}";
    for body in [&utf16[..], latin1, hidden] {
        assert_eq!(read(body), Err(BodyFault::NotJson));
    }
}

#[test]
fn only_plain_json_in_utf_8_is_read() {
    for sound in [
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json;",
        "application/json; charset=utf-8; charset=utf-8",
    ] {
        assert_eq!(check_type(Occurrence::Once(sound.as_bytes())), Ok(()), "{sound}");
    }
    for other in [
        "text/plain",
        "application/json-rpc",
        "application/json; charset=utf-16",
        "application/json; profile=x",
        "application/json; charset=utf-8; profile=x",
        "application/json; profile=utf-8",
        "application/json; charset",
        "",
        "application/jsonx",
        "multipart/form-data",
    ] {
        assert_eq!(check_type(Occurrence::Once(other.as_bytes())), Err(BodyFault::ContentType), "{other}");
    }
    assert_eq!(check_type(Occurrence::Absent), Err(BodyFault::ContentType));
    assert_eq!(check_type(Occurrence::Repeated), Err(BodyFault::ContentType));
    assert_eq!(check_encoding(Occurrence::Once(b"identity")), Ok(()));
    for encoding in [Occurrence::Once(&b"gzip"[..]), Occurrence::Once(b""), Occurrence::Repeated] {
        assert_eq!(check_encoding(encoding), Err(BodyFault::Encoded));
    }
}

#[test]
fn a_flood_of_keys_is_read_in_time_that_grows_with_its_length() {
    // Quadratic comparison of 50,000 keys would take minutes in a build for tests.
    let members: Vec<String> = (0..50_000).map(|number| format!("\"k{number}\":0")).collect();
    let body = call(&format!(r#"{{"name":"a","arguments":{{{}}}}}"#, members.join(",")));
    assert_eq!(read_text(&body).unwrap().len(), 1);
}

proptest! {
    /// Whatever is read is what the common reader of the language reads as well.
    #[test]
    fn what_is_read_agrees_with_serde_json(name in ".*", method in "[a-z]{1,8}/[a-z]{1,8}", extra in ".*") {
        let body = serde_json::json!({"jsonrpc":"2.0","id":1,"method":method,"params":{"name":name,"arguments":{extra: 1}}});
        let text = body.to_string();
        let read = read(text.as_bytes()).unwrap();
        prop_assert_eq!(read.first().unwrap().method(), method);
    }

    /// Arbitrary bytes never panic, and never yield nothing.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(operations) = read(&bytes) {
            prop_assert!(!operations.is_empty());
        }
    }

    /// Cut anywhere, a body is refused.
    #[test]
    fn a_cut_body_is_refused(name in "[a-z]{1,20}", keep in 0.0..1.0_f64) {
        let text = call(&format!("{{\"name\":\"{name}\"}}"));
        let cut: String = text.chars().take((f64::from(u32::try_from(text.len()).unwrap()) * keep).floor().to_string().parse().unwrap()).collect();
        prop_assert!(read(cut.as_bytes()).is_err());
    }
}
