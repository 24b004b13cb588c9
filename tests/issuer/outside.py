"""The outside world on 127.0.0.1: an HTTP proxy that answers for the hosts it is told, and reaches nothing else.

    outside.py --authority ca.pem --host accounts.google.com=20001 [--host …]

Takes `CONNECT`, speaks TLS with a certificate of an authority made for it, and hands what comes out on to a port of this
machine. Writes the authority's certificate, then prints the port. Hosts that are not named are refused with 403.
"""

import socket
import socketserver
import ssl
import threading
from argparse import ArgumentParser
from pathlib import Path

from cryptography import x509

from tls import context

LONGEST_HEAD = 8 * 1024
TIMEOUT_SECONDS = 60


def read_head(connection: socket.socket) -> bytes:
    """Not a byte more than the head: the next one belongs to TLS."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < LONGEST_HEAD:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(64 * 1024):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        try:
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(hosts: dict[str, int], tls: ssl.SSLContext) -> socketserver.ThreadingTCPServer:
    class Tunnel(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(TIMEOUT_SECONDS)
            method, _, rest = read_head(self.request).decode("latin-1").partition(" ")
            port = hosts.get(rest.split(" ")[0])
            if method != "CONNECT" or port is None:
                self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            try:
                secured = tls.wrap_socket(self.request, server_side=True)
            except (ssl.SSLError, OSError):
                return
            with secured, socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as behind:
                up = threading.Thread(target=pump, args=(secured, behind), daemon=True)
                up.start()
                pump(behind, secured)
                up.join()

    socketserver.ThreadingTCPServer.daemon_threads = True
    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--host", action="append", required=True, metavar="NAME=PORT")
    options = parser.parse_args()
    named = dict(host.split("=") for host in options.host)
    tls = context(options.authority, [x509.DNSName(name) for name in named])
    server = serve({f"{name}:443": int(port) for name, port in named.items()}, tls)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
