"""The same tiny model and runs as the tests of Evaluate, of which this stage is the next."""

from __future__ import annotations

import importlib.util
from pathlib import Path

# Test folders are no packages (import mode `importlib`), so the neighbour is loaded by its path.
_spec = importlib.util.spec_from_file_location("tiny_runs", Path(__file__).parents[1] / "evaluate" / "conftest.py")
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

tree, test_rows, tiny_model = _module.tree, _module.test_rows, _module.tiny_model
make_job, tuned_job = _module.make_job, _module.tuned_job
