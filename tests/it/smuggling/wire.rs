//! One connection for one attack.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::Attack;
use crate::support::http::Response;

/// What came back until the server closed, or until nothing more was to be waited for.
pub fn exchange(port: u16, attack: &Attack) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // Who hangs up need not be answered: what runs late all the same is in the servers' record at the end.
    // Framing may well never be answered; anything else is, however busy the machine.
    let patience = if attack.hangs_up {
        2
    } else if attack.is_framing {
        5
    } else {
        30
    };
    stream.set_read_timeout(Some(Duration::from_secs(patience))).unwrap();
    // A server that refuses early may close before all is written.
    let _ = stream.write_all(&attack.wire);
    if attack.hangs_up {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let mut block = [0; 16 * 1024];
    while !is_complete(&answer, attack) {
        match stream.read(&mut block) {
            Ok(length @ 1..) => answer.extend(&block[..length]),
            Ok(0) | Err(_) => break,
        }
    }
    answer
}

/// Servers keep connections open whatever they are asked, so the end of the last answer has to be found.
fn is_complete(answer: &[u8], attack: &Attack) -> bool {
    let starts: Vec<usize> = (0..answer.len()).filter(|start| answer[*start..].starts_with(b"HTTP/1.")).collect();
    let answers: Vec<Response> = starts.iter().filter_map(|start| Response::parse(&answer[*start..])).collect();
    let finals = answers.iter().filter(|answer| answer.status >= 200).count();
    let Some(last) = answers.last().filter(|last| finals >= attack.answers && last.status >= 200) else { return false };
    let length = last.all("content-length").first().and_then(|length| length.parse::<usize>().ok());
    attack.head_only || answer.ends_with(b"0\r\n\r\n") || length.is_some_and(|length| last.body.len() >= length)
}

/// The statuses of all answers.
pub fn statuses(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    text.split("HTTP/1.").skip(1).filter_map(|answer| Some(answer.get(2..5)?.to_owned())).collect()
}
