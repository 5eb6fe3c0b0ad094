"""Stage 5, what it was worth, on rows that no model has seen."""
