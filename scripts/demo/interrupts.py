"""Ctrl-C and its relatives."""

import select
import signal
import sys

from demo.trouble import Interrupted


class Interrupts:
    """Notes signals instead of obeying them at once: no child process is started or ended only half."""

    def __init__(self) -> None:
        self._came = False
        # Also told of a closed terminal or pipe: not everyone in it gets a signal then.
        self._output = select.poll()
        self._output.register(sys.stdout.fileno(), 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self._came = True

    def obey(self) -> None:
        """Ends what is going on, if a signal came or nobody can read any more."""
        if self._came or self._output.poll(0):
            raise Interrupted
