"""A child process of the demo, with all of its own children."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from demo.interrupts import Interrupts
from demo.trouble import Trouble

PATIENCE = 60  # seconds to start; probed, so fast machines do not wait
RUN = 120  # seconds for a part that ends by itself
GRACE = 5  # seconds to end before a part is killed
TAIL = 15  # lines of a log that are shown

# The service's own settings, and outgoing proxies, which cannot reach this machine.
FOREIGN = re.compile(r"^MCP_FORWARD_AUTH|_proxy$", re.IGNORECASE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

Answer = TypeVar("Answer")


class Part:
    """Runs in `folder` with its output in a file there, in a process group of its own: the terminal's Ctrl-C reaches the
    demo only, which then ends the parts in order."""

    def __init__(self, name: str, command: Sequence[str | Path], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.log"
        with self.log.open("xb") as log:
            self._process = subprocess.Popen(
                [*_leash(), *command],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def demand_alive(self) -> None:
        """Says how the part ended, if it did."""
        status = self._process.poll()
        if status is None:
            return
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        raise Trouble(f"{self.name} {how}. {self._last_lines()}")

    def wait_for(self, what: str, probe: Callable[[], Answer | None], interrupts: Interrupts) -> Answer:
        """The first answer of `probe` that is not None."""
        deadline = time.monotonic() + PATIENCE
        while (answer := probe()) is None:
            interrupts.obey()
            self.demand_alive()
            if time.monotonic() > deadline:
                raise Trouble(f"{self.name} was not {what} within {PATIENCE} s. {self._last_lines()}")
            time.sleep(0.05)
        return answer

    def wait_for_end(self, interrupts: Interrupts) -> str:
        """What a part that ends by itself has written, whatever its status."""
        deadline = time.monotonic() + RUN
        try:
            while self._process.poll() is None:
                interrupts.obey()
                if time.monotonic() > deadline:
                    raise Trouble(f"{self.name} did not end within {RUN} s. {self._last_lines()}")
                time.sleep(0.05)
        finally:
            end([self])
        return self.log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Signals the part and everything that it started, whether it lives itself or not."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def is_gone(self) -> bool:
        """Whether the part and everything that it started has ended."""
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False

    def _last_lines(self) -> str:
        written = COLOUR.sub("", self.log.read_text(errors="replace"))
        lines = [line for line in written.splitlines() if line.strip()][-TAIL:]
        return "\n    ".join(["Its last lines:", *lines]) if lines else "It wrote nothing."


def end(parts: Sequence[Part]) -> None:
    """Ends all parts and waits until they are gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for part in parts:
            part.send(number)
        deadline = time.monotonic() + GRACE
        while not all(part.is_gone() for part in parts):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def _leash() -> list[str]:
    """Linux ends the parts when the demo is killed and cannot do it itself."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's configuration gets in, no file gets out of `folder`."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.search(name)}
    homes = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    return {**kept, **dict.fromkeys(homes, str(folder)), "PYTHONDONTWRITEBYTECODE": "1"}
