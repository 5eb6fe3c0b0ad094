"""Prepare: from the person's file to rows of prompt and answer, split into train, validation and test.

The way of the data, one module a step: `read` → `columns` → `shape` → `findings` (together: `profile`), then
`repair` → `make` (with `templates` for tables) → `split` (together: `preview.rows_from_plan`). `recommend` fills the
plan's section, `job` writes the rows into a run. Everything but `job` is light.
"""
