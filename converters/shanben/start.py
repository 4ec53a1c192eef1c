"""Where the command begins: `--version` is answered at once, for all else the command line is loaded."""

from __future__ import annotations

import sys

from shanben import __version__

INTERRUPTED = 130


def main() -> None:
    """Run `shanben` with the arguments of this process. An interruption while it loads ends it without a traceback."""
    try:
        if sys.argv[1:] == ["--version"] and _is_told():
            return
        from shanben.cli import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


def _is_told() -> bool:
    """Print the version; where that fails, the command line has words for it."""
    try:
        print(f"shanben, version {__version__}", flush=True)  # noqa: T201 - `click.echo` is what takes long to load
    except OSError:
        return False
    return True
