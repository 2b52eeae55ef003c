"""What an operator may set for a libvirt target, and what a collection reads of it."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from exporter.config.model import DEFAULT_IMAGE_BASE_PATTERNS, Target
from exporter.contract import Options

Annotation = Literal["title", "openstack", "ovirt"]


class LibvirtOptions(Options):
    """`options` of a libvirt target."""

    refresh_pools: bool = False
    """Let libvirt look at its active pools anew before each storage collection: needs a read-write connection."""
    volumes: bool = False
    """Read every volume of the active pools for the provisioned space: libvirt opens their files."""
    tags: list[Annotation] = Field(default_factory=list)
    """What of a guest's title and metadata becomes `tags` of `hypervisor_guest_info`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a target with what its profile says to this platform."""

    refresh_pools: bool = False
    volumes: bool = False
    tags: tuple[str, ...] = ()
    image_base_patterns: tuple[str, ...] = DEFAULT_IMAGE_BASE_PATTERNS
    included: tuple[str, ...] = ()

    @classmethod
    def of(cls, target: Target) -> Settings:
        """The settings of one target."""
        options = LibvirtOptions.model_validate(dict(target.options))
        return cls(
            refresh_pools=options.refresh_pools,
            volumes=options.volumes,
            tags=tuple(options.tags),
            image_base_patterns=target.profile.image_base_patterns,
            included=target.profile.family_include,
        )

    def wants(self, family: str) -> bool:
        """Whether a family that is off by default is turned on: what it needs is not asked otherwise."""
        return any(fnmatch.fnmatchcase(family, glob) for glob in self.included)
