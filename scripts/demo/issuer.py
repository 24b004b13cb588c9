"""A throw-away issuer inside the demo's own process: metadata (RFC 8414), one fresh key, and the two tokens."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME = 12 * 3600  # seconds; the demo lasts no longer than its tokens


class Issuer:
    """Serves from the start of a `with` block to its end. The private key never leaves the memory."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._web.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._web.server_port}"
        self.expires = int(time.time()) + LIFETIME
        self._web.documents = {  # type: ignore[attr-defined]
            "/.well-known/oauth-authorization-server": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/jwks",
                # Nobody can sign in here: the demo hands out its two tokens itself.
                "response_types_supported": [],
                "grant_types_supported": [],
            },
            "/jwks": {"keys": [self._public_key()]},
        }

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self._web.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()

    def token(self, name: str, resource: str) -> str:
        """A token for `name`, good for `resource` with the scope `mcp:read`."""
        claims = {
            "iss": self.url,
            "aud": resource,
            "sub": name,
            "client_id": "curl",
            "email": f"{name}@example.com",
            "email_verified": True,
            "scope": "mcp:read",
            "iat": self.expires - LIFETIME,
            "exp": self.expires,
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": "demo", "typ": "at+jwt"})

    def _public_key(self) -> dict[str, Any]:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key())
        return {**json.loads(public), "kid": "demo", "alg": "ES256", "use": "sig"}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        document = self.server.documents.get(self.path)  # type: ignore[attr-defined]
        body = json.dumps(document or {"error": "not_found"}).encode()
        self.send_response(200 if document else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal belongs to the demo."""
