"""Stage 3, which model, which method, which settings, and whether they fit."""
