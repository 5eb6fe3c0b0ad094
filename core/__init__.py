"""What Tunesmith knows and does, without any interface: each function serves a screen, a script and a notebook alike."""

__version__ = "0.1.0"
