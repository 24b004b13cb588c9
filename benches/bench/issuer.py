"""An issuer with a key for each algorithm, and tokens of the size that Keycloak makes."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

RESOURCE = "https://mcp.example.com/mcp"


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    def __init__(self) -> None:
        self._keys = {
            "RS256": _rsa(), "PS256": _rsa(),
            "ES256": ec.generate_private_key(ec.SECP256R1()), "ES384": ec.generate_private_key(ec.SECP384R1()),
            "ES512": ec.generate_private_key(ec.SECP521R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
        self._stranger = _rsa()
        self.fetches = 0
        document = json.dumps({"keys": [self.public(name) for name in self._keys]}).encode()

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # one packet: two would wait for each other

            def do_GET(handler) -> None:
                self.fetches += 1
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(document)))
                handler.end_headers()
                handler.wfile.write(document)

            def log_message(self, *_: object) -> None:
                pass

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._web.server_port}"

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()

    @property
    def algorithms(self) -> list[str]:
        return list(self._keys)

    def tokens(self, algorithm: str, count: int, kid: str | None = None, age: int = 7200, life: int = 43200) -> list[str]:
        key = self._keys[algorithm]
        return [self._token(key, algorithm, kid or algorithm, number, age, life) for number in range(count)]

    def expired(self, count: int) -> list[str]:
        return self.tokens("RS256", count, life=3600)

    def token(self, algorithm: str, number: int) -> str:
        return self._token(self._keys[algorithm], algorithm, algorithm, number)

    def forgeries(self, count: int) -> list[str]:
        """Signed by another key under the right name."""
        return [self._token(self._stranger, "RS256", "RS256", number) for number in range(count)]

    def _token(self, key, algorithm: str, kid: str, number: int, age: int = 7200, life: int = 43200) -> str:
        issued = int(time.time()) - age
        claims = {
            "iss": self.url, "aud": [RESOURCE, RESOURCE.replace("https:", "http:")],
            "sub": f"f3c1a6de-8f6e-4a34-b0c4-{number:012}",
            "client_id": "client", "azp": "client", "email": "alice@example.com", "email_verified": True,
            "preferred_username": "alice", "groups": ["staff", "dev"], "scope": "openid profile mcp:read mcp:write",
            "iat": issued, "exp": issued + life, "jti": "j" * 36, "sid": "s" * 36,
        }
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid, "typ": "at+jwt"})

    def public(self, algorithm: str) -> dict:
        kinds = {"RS": jwt.algorithms.RSAAlgorithm, "PS": jwt.algorithms.RSAAlgorithm, "ES": jwt.algorithms.ECAlgorithm,
                 "Ed": jwt.algorithms.OKPAlgorithm}
        written = kinds[algorithm[:2]].to_jwk(self._keys[algorithm].public_key())
        return {**json.loads(written), "kid": algorithm, "alg": algorithm}
