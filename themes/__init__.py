"""Palettes and style files of the wizard."""
