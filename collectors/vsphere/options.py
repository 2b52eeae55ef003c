"""What an operator may set for a vSphere target."""

from __future__ import annotations

from pydantic import Field

from exporter.contract import Options


class VsphereOptions(Options):
    """`options` of a vSphere target."""

    system_guests: bool = True
    """Whether vCenter's own agents (vCLS) get series; they count in their hosts' sums either way."""
    custom_attributes: list[str] = Field(default_factory=list)
    """Names of the custom attributes of guests and hosts that are shown; of guests also as `tags`."""
