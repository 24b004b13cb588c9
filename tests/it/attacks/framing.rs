//! Request smuggling: lengths and codings that two readers take differently. A request hidden in a body stays a body,
//! or is judged as a request of its own; the request around it is forwarded as it was judged, or refused.

use super::raw::try_each_raw;
use crate::support::proxies::Kind;

through_each_proxy!(
    lengths_have_one_reading,
    codings_have_one_reading,
    chunks_have_one_reading,
    header_lines_have_one_reading,
    requests_on_one_connection_are_judged_one_by_one,
);

const CODING: &str = "POST /echo-request/x HTTP/1.1\r\n{head}Connection: close\r\n";

fn with_body(kind: Kind, headers: &[&str], body: &str) {
    let templates: Vec<String> = headers.iter().map(|lines| format!("{CODING}{lines}\r\n\r\n{body}")).collect();
    try_each_raw(kind, &templates);
}

fn lengths_have_one_reading(kind: Kind) {
    let headers = [
        "Content-Length: 0",
        "Content-Length: {length}",
        "Content-Length: 0\r\nContent-Length: {length}",
        "Content-Length: {length}\r\nContent-Length: 0",
        "Content-Length: {length}\r\nContent-Length: {length}",
        "Content-Length: 0, {length}",
        "Content-Length: {length}, {length}",
        "Content-Length: +{length}",
        "Content-Length: -1",
        "Content-Length: 0x10",
        "Content-Length: 0 {length}",
        "Content-Length: {length}x",
        "Content-Length:",
        "Content-Length: 00{length}",
        "Content-Length: 1_0",
        "Content-Length: 18446744073709551616",
        "Content-Length : {length}",
        "Content_Length: {length}",
        "Content-Length: \u{b2}",
        "Content-Length\u{b}: {length}",
        "X: y\nContent-Length: {length}",
        "Content-Length: {length}\r\nConnection: Content-Length",
        "Content-Length: {length}\r\nExpect: 100-continue",
        "Expect: 100-continue",
        "X: y",
    ];
    with_body(kind, &headers, "{hidden}");
}

fn codings_have_one_reading(kind: Kind) {
    let headers = [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: {length}",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: xchunked",
        "Content-Length: {length}\r\nTransfer-Encoding: identity",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked, identity",
        "Content-Length: {length}\r\nTransfer-Encoding: identity, chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: gzip, chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked, chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: {length}\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: CHUNKED",
        "Content-Length: {length}\r\nTransfer-Encoding: \"chunked\"",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked;q=1",
        "Content-Length: {length}\r\nTransfer-Encoding : chunked",
        "Content-Length: {length}\r\nTransfer-Encoding:\tchunked",
        "Content-Length: {length}\r\nTransfer-Encoding:\u{b}chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked\u{b}",
        "Content-Length: {length}\r\n Transfer-Encoding: chunked",
        "Content-Length: {length}\r\nTransfer-Encoding:\r\n chunked",
        "Content-Length: {length}\r\nX: y\nTransfer-Encoding: chunked",
        "Content-Length: {length}\r\nX: y\rTransfer-Encoding: chunked",
        "Content-Length: {length}\r\nTransfer_Encoding: chunked",
        "Content-Length: {length}\r\nTransfer.Encoding: chunked",
        "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
        "Content-Length: {length}\r\nTransfer-Encoding:",
    ];
    with_body(kind, &headers, "0\r\n\r\n{hidden}");
    with_body(kind, &headers, "{size}\r\n{hidden}\r\n0\r\n\r\n");
}

fn chunks_have_one_reading(kind: Kind) {
    let bodies = [
        "0\r\n\r\n{hidden}",
        "00\r\n\r\n{hidden}",
        "0;x=y\r\n\r\n{hidden}",
        "0;\n\r\n{hidden}",
        "0\n\n{hidden}",
        "0\r\r{hidden}",
        "0 \r\n\r\n{hidden}",
        " 0\r\n\r\n{hidden}",
        "0x0\r\n\r\n{hidden}",
        "+0\r\n\r\n{hidden}",
        "-1\r\n\r\n{hidden}",
        "g\r\n\r\n{hidden}",
        "\r\n{hidden}",
        "1\r\nZ{hidden}",
        "1\r\nZ\n0\r\n\r\n{hidden}",
        "2;\nxx\r\n0\r\n\r\n{hidden}",
        "10000000000000000\r\n\r\n{hidden}",
        "{size}\r\n{hidden}\r\n0\r\n\r\n",
        "{size};x=\"\r\n\"\r\n{hidden}\r\n0\r\n\r\n",
        "{size}\r\n{hidden}\r\n0\r\nX-Forwarded-User: root\r\nAuthorization: Bearer x\r\n\r\n",
        "{size}\r\n{hidden}0\r\n\r\n",
        "0\r\nX-Forwarded-User: root\r\nContent-Length: 99\r\n\r\n{hidden}",
    ];
    let templates: Vec<String> =
        bodies.iter().map(|body| format!("{CODING}Transfer-Encoding: chunked\r\n\r\n{body}")).collect();
    try_each_raw(kind, &templates);
}

fn header_lines_have_one_reading(kind: Kind) {
    let lines = [
        "X-Forwarded-User : root",
        "X-Forwarded-User\t: root",
        " X-Forwarded-User: root",
        "X: y\nX-Forwarded-User: root",
        "X: y\rX-Forwarded-User: root",
        "X: y\r\r\nX-Forwarded-User: root",
        "X: y\r\n X-Forwarded-User: root",
        "X: y\u{0}\r\nX-Forwarded-User: root",
        "X-Forwarded-User\u{0}: root",
        "X-Forwarded-User:root",
        ": root",
        "X-Forwarded-User",
        "X-Forwarded-User=root",
        "\u{feff}X-Forwarded-User: root",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade",
        "Upgrade: websocket, h2c\r\nConnection: Upgrade",
    ];
    with_body(kind, &lines, "{hidden}");
}

fn requests_on_one_connection_are_judged_one_by_one(kind: Kind) {
    let heads = ["", "Connection: keep-alive\r\n", "Keep-Alive: timeout=5\r\n"];
    let templates: Vec<String> =
        heads.iter().map(|head| format!("GET /echo-request/x HTTP/1.1\r\n{{head}}{head}\r\n{{hidden}}")).collect();
    try_each_raw(kind, &templates);
}
