"""Simulates the memory of a training step: the step itself with tensors that have a shape and no content."""
