"""Serves a file at any path over TLS on 127.0.0.1, with a certificate of an authority made for it.

    tls.py --answer keys.json --authority ca.pem

Writes the authority's certificate, then prints the port.
"""

import ssl
from argparse import ArgumentParser
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
NOW = datetime.now(timezone.utc)
Key = ec.EllipticCurvePrivateKey


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(name: str, key: Key, issuer: str, issuer_key: Key, extension: x509.ExtensionType) -> bytes:
    builder = x509.CertificateBuilder(named(issuer), named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(hours=1)).not_valid_after(NOW + timedelta(days=1))
    return builder.add_extension(extension, critical=True).sign(issuer_key, hashes.SHA256()).public_bytes(PEM)


def context(authority: Path, places: list[x509.GeneralName]) -> ssl.SSLContext:
    """Writes the certificate of an authority that vouches for a server at these places."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    authority.write_bytes(certificate("authority", authority_key, "authority", authority_key, is_authority))
    place = x509.SubjectAlternativeName(places)
    pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.write_bytes(pem + certificate("issuer", key, "authority", authority_key, place))
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(chain)
    return made


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--answer", type=Path, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    options = parser.parse_args()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = options.answer.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", 0), Answer)
    tls = context(options.authority, [x509.IPAddress(ip_address("127.0.0.1"))])
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
