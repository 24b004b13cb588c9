//! The older transport: calls go to another path than the stream, and are answered on the stream.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::rules::Siege;
use super::{Target, legacy};
use crate::support::attacked::Sdk;
use crate::support::http::Request;
use crate::support::process::eventually;
use crate::support::proxies::{Kind, with_body};

#[test]
fn rules_hold_for_the_message_path_of_the_older_transport() {
    for sdk in [Sdk::TypeScriptV1, Sdk::Python] {
        for kind in [Kind::Traefik, Kind::Envoy] {
            let siege = Siege::start(sdk, kind, &with_body);
            let open = Session::open(&siege, "/open-sse");
            assert_eq!(open.send("write"), 202, "{sdk:?} {kind:?}");
            eventually("the call without rules", || siege.server.ran() == ["/open-sse write"]);
            let ruled = Session::open(&siege, "/sse");
            assert_eq!(ruled.send("write"), 403, "{sdk:?} {kind:?}");
            // Messages of a session are handled in order, so what runs before this one would be in the record.
            assert_eq!(ruled.send("read"), 202, "{sdk:?} {kind:?}");
            eventually("the allowed call", || siege.server.ran().len() > 1);
            assert_eq!(siege.server.ran(), ["/open-sse write", "/sse read"], "{sdk:?} {kind:?}");
        }
    }
}

/// A stream that is open, and where its messages go.
struct Session {
    _stream: TcpStream,
    port: u16,
    messages: String,
    target: Target,
}

impl Session {
    fn open(siege: &Siege, path: &'static str) -> Self {
        let target = siege.target(path);
        let mut stream = TcpStream::connect(("127.0.0.1", siege.proxy.port)).unwrap();
        stream.write_all(&target.request("GET").bytes_as_given()).unwrap();
        let messages = endpoint(&mut stream);
        let session = Self { _stream: stream, port: siege.proxy.port, messages, target };
        let begin = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
        assert_eq!(session.post(begin), 202);
        assert_eq!(session.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), 202);
        session
    }

    fn send(&self, tool: &str) -> u16 {
        self.post(&legacy(tool))
    }

    fn post(&self, body: &str) -> u16 {
        let target = self.messages.clone().into_bytes();
        Request { target, ..self.target.post(body) }.send(self.port).status
    }
}

/// The first event names the path for messages.
fn endpoint(stream: &mut TcpStream) -> String {
    let (mut text, mut block) = (String::new(), [0; 1024]);
    loop {
        if let Some((_, rest)) = text.split_once("data: ")
            && let Some((path, _)) = rest.split_once(['\r', '\n'])
        {
            return path.to_owned();
        }
        let length = stream.read(&mut block).unwrap();
        assert!(length > 0, "no endpoint: {text}");
        text.push_str(&String::from_utf8_lossy(&block[..length]));
    }
}
