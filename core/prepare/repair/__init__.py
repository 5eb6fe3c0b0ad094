"""The plan's recipe: steps that mend the records or set them aside, in their order. The file itself is never changed.

`apply.apply` runs a recipe over records and gives a `view.View` of what is kept. Each kind of step is a mender in the
file of its family; `words` tells what a step does, and `needs` what it must be given. Those two and `aside` are light;
all others load pyarrow and belong to jobs.
"""

from tunesmith.core.prepare.repair.aside import SetAside

__all__ = ["SetAside"]
