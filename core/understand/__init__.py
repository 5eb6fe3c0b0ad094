"""Stage 1, what is wanted, and whether fine-tuning is the way to it."""
