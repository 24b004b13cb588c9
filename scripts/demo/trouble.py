"""Why the demo ends before its time."""


class Trouble(Exception):
    """Something is wrong; the text says what, and what to do."""


class Interrupted(Exception):
    """A signal or a closed terminal ended the demo."""
