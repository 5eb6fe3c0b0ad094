"""The embedded default: a small real language model and a table of invented employees.

Both lie beside this file, so the wizard can be walked through from end to end without a network, a GPU or a hub:

- ``MODEL_DIR``: a Hugging Face folder for ``AutoModelForCausalLM`` and ``AutoTokenizer``; its README.md is the model
  card. It was made by ``python -m tunesmith.core.practice.pretrain``.
- ``EMPLOYEES_CSV``: a table with a few planted flaws, made by ``python -m tunesmith.core.practice.employees``.

Importing this module loads nothing but the standard library.
"""

from pathlib import Path

PRACTICE = "practice"
"""The name of the built-in data and of the built-in model in a plan."""
MODEL_DIR: Path = Path(__file__).resolve().parent / "model"
EMPLOYEES_CSV: Path = Path(__file__).resolve().parent / "employees.csv"

__all__ = ["EMPLOYEES_CSV", "MODEL_DIR", "PRACTICE"]
