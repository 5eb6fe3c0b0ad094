"""`python -m tunesmith.core.productionize.job_server PARENT serve ...`: transformers' command line, bound to a process.

It ends when the process PARENT does, however that ended (kill −9 too): a job that asks its endpoint one question
must not leave a server behind that holds a GPU. Linux only; elsewhere it runs unbound.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""`man 2 prctl`: the signal that the kernel sends to this process when its parent dies."""


def main() -> int:
    """Run the command line after the parent's process id."""
    parent = int(sys.argv.pop(1))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return 1  # the parent was gone before the kernel was told
    from transformers.cli.transformers import main as command_line

    sys.argv[0] = "transformers"
    command_line()
    return 0


if __name__ == "__main__":
    sys.exit(main())
