"""What the request's headers say about the caller."""

from collections.abc import Iterable
from typing import Any

IDENTITY_HEADERS = (
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Scopes",
    "X-Auth-Subject",
    "X-Auth-Issuer",
    "X-Auth-Client",
    "X-Auth-Resource",
)
_BY_LOWER_NAME = {name.lower(): name for name in IDENTITY_HEADERS}


def seen_identity(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Each identity header: None when it is missing, a list when it came more than once.

    `lookalikes` holds the headers that many web frameworks would read as one of these (`X_Forwarded_User`,
    `x.forwarded.user`): a proxy that only replaces the real names lets a client forge them.
    """
    identity: dict[str, Any] = dict.fromkeys(IDENTITY_HEADERS)
    lookalikes: dict[str, Any] = {}
    authorization_present = False
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() == "authorization":
            authorization_present = True
        elif name.lower() in _BY_LOWER_NAME:
            _add(identity, _BY_LOWER_NAME[name.lower()], value)
        elif name.lower().replace("_", "-").replace(".", "-") in _BY_LOWER_NAME:
            _add(lookalikes, name, value)
    return {**identity, "authorization_present": authorization_present, "lookalikes": lookalikes}


def _add(seen: dict[str, Any], name: str, value: str) -> None:
    earlier = seen.get(name)
    if earlier is None:
        seen[name] = value
    elif isinstance(earlier, list):
        earlier.append(value)
    else:
        seen[name] = [earlier, value]
