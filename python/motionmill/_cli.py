"""The ``motionmill`` command: the same as the Rust binary, in the wheel's own environment."""

from __future__ import annotations

import signal
import sys

from . import _native, _runtime


def main() -> int:
    """Run the command line of this process; return its exit code."""
    # Python would only note the signal and wait for Rust to come back.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _runtime.announce()
    return _native.main(["motionmill", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
