"""Property tests on machines that are shared with other work: an example may take its time."""

from hypothesis import settings

settings.register_profile("tunesmith", deadline=None)
settings.load_profile("tunesmith")
