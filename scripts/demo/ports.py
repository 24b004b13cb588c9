"""Which port the proxy takes. All other parts take any free one."""

import errno
import random
import socket

from demo.trouble import Trouble

DEFAULT = 8080


def demand(port: int) -> int:
    """The port itself, when it can be listened on; else says how to choose another."""
    reason = _why_not(port)
    if reason is None:
        return port
    other = port + 1 if port + 1 < 65536 and _why_not(port + 1) is None else free()
    raise Trouble(f"Port {port} {reason}. Choose another one, for instance: make demo PORT={other}")


def free() -> int:
    """A free port below the range from which systems choose ports for outgoing connections."""
    for port in random.sample(range(20_000, 30_000), 1000):
        if _why_not(port) is None:
            return port
    raise Trouble("No free port was found between 20000 and 30000.")


def _why_not(port: int) -> str | None:
    """`localhost` means both addresses: on either one, another program would get the requests."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                # As the proxies do: connections of an earlier demo that linger do not matter.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((host, port))
                listener.listen()
        except PermissionError:
            return "is not open to this user"
        except OSError as error:
            if family == socket.AF_INET or _is_taken(error):
                return "is taken" if _is_taken(error) else f"cannot be used ({error.strerror})"
    return None


def _is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE
