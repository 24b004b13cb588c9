"""An issuer with one RSA and one elliptic-curve key, and tokens of the size that Keycloak makes."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

RESOURCE = "https://mcp.example.com/mcp"


class Issuer:
    def __init__(self) -> None:
        self._keys = {
            "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
        }
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        document = json.dumps({"keys": [self.public(name) for name in self._keys]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: object) -> None:
                pass

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._web.server_port}"

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()

    def tokens(self, algorithm: str, count: int, kid: str | None = None, expired: bool = False) -> list[str]:
        key = self._keys[algorithm]
        return [self._token(key, algorithm, kid or algorithm, number, expired) for number in range(count)]

    def token(self, algorithm: str, number: int) -> str:
        return self._token(self._keys[algorithm], algorithm, algorithm, number, False)

    def forgeries(self, count: int) -> list[str]:
        """Signed by another key under the right name."""
        return [self._token(self._stranger, "RS256", "RS256", number, False) for number in range(count)]

    def _token(self, key, algorithm: str, kid: str, number: int, expired: bool) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": [RESOURCE, "account"], "sub": f"f3c1a6de-8f6e-4a34-b0c4-{number:012}",
            "client_id": "client", "azp": "client", "email": "alice@example.com", "email_verified": True,
            "preferred_username": "alice", "groups": ["staff", "dev"], "scope": "openid profile mcp:read mcp:write",
            "iat": now - 7200, "exp": now - 3600 if expired else now + 36000, "jti": "j" * 36, "sid": "s" * 36,
        }
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid, "typ": "at+jwt"})

    def public(self, algorithm: str) -> dict:
        kind = jwt.algorithms.RSAAlgorithm if algorithm == "RS256" else jwt.algorithms.ECAlgorithm
        return {**json.loads(kind.to_jwk(self._keys[algorithm].public_key())), "kid": algorithm, "alg": algorithm}
