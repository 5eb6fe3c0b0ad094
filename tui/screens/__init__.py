"""The wizard's screens: one file a screen, its style file beside it. The six steps live inside one shell."""
