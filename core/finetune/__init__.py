"""Stage 4, the training itself, watched."""
