"""Why the demo ends before its time, or its check fails."""


class Trouble(Exception):
    """Something is wrong; the text says what, and what to do."""


class Interrupted(Exception):
    """A signal or a closed terminal ended the demo."""


class Broken(Exception):
    """A promise of the demo that was not kept; the text says how."""
