"""``python -m tunesmith.core.practice.pretrain OUT_DIR [--seed 0]`` makes the practice model from nothing."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from tunesmith.core.practice.pretrain.train import Schedule, train


def main() -> None:
    """Read the command line and pre-train."""
    parser = argparse.ArgumentParser(prog="python -m tunesmith.core.practice.pretrain", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    parser.add_argument("--seed", type=int, default=0, help="seed of the text and of the weights (default 0)")
    parser.add_argument("--threads", type=int, default=2, help="processor threads for torch (default 2)")
    parser.add_argument("--fuse", action="store_true", help="compile the layers; faster, needs a C++ compiler")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    train(given.out, Schedule(seed=given.seed), fuse=given.fuse)


if __name__ == "__main__":
    main()
