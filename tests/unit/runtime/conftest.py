"""Examples of hypothesis take as long as they do: on a busy machine one may wait longer than it works."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
