"""The flaw: the vendor's library is imported with the platform."""

import broken_sdk  # noqa: F401

from broken_platforms.sound import Sample

eager = Sample("eager")
