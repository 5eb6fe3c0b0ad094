"""Stage 6, a model that can be served and passed on."""
