"""Who is calling, proven: checks the identity assertion of a request as docs/identity-assertion.md shows it."""

import os
from collections.abc import Iterable
from typing import Any

import jwt
from mcp.server.mcpserver.exceptions import ToolError

HEADER = b"x-identity-assertion"
TYPE = "identity-assertion+jwt"


class Verifier:
    """Knows the keys of one issuer, and believes what it says to one audience."""

    def __init__(self, key_set: str, issuer: str, audience: str) -> None:
        self._keys = jwt.PyJWKClient(key_set)
        self._checks = {"issuer": issuer, "audience": audience, "leeway": 30}

    def caller(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
        """What the one assertion says; a ToolError unless there is one and it is good."""
        values = [value.decode("latin-1") for name, value in headers if name.lower() == HEADER]
        if len(values) != 1 or not values[0]:
            raise ToolError("there must be exactly one identity assertion")
        try:
            return self._claims(values[0])
        except jwt.PyJWTError as error:
            raise ToolError(f"the identity assertion is no good: {error}") from error

    def _claims(self, assertion: str) -> dict[str, Any]:
        key = self._keys.get_signing_key_from_jwt(assertion)
        required = {"require": ["exp", "iat", "sub"]}
        token = jwt.decode_complete(assertion, key, algorithms=["ES256"], options=required, **self._checks)
        if token["header"].get("typ") != TYPE:
            raise jwt.InvalidTokenError("it has another type")
        return token["payload"]


def verifier_from_environment() -> Verifier | None:
    """Nobody is asked for an assertion unless these variables say where the keys are."""
    key_set = os.environ.get("IDENTITY_ASSERTION_JWKS")
    if not key_set:
        return None
    return Verifier(key_set, os.environ["IDENTITY_ASSERTION_ISSUER"], os.environ["IDENTITY_ASSERTION_AUDIENCE"])
