"""Runs the demo: `make demo`, or `.tools/venv/bin/python scripts/demo.py --help` once the tools are installed."""

import sys

sys.dont_write_bytecode = True  # the demo leaves nothing behind

try:
    from demo.main import main
except ModuleNotFoundError as error:
    sys.exit(
        f"demo: Python has no module {error.name}. Install it with `scripts/install-tools.sh demo`,"
        " then run `.tools/venv/bin/python scripts/demo.py`."
    )

if __name__ == "__main__":
    sys.exit(main())
