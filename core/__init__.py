"""What Tunesmith knows and does, without an interface: each function serves a screen, a script and a notebook alike."""

__version__ = "0.1.0"
