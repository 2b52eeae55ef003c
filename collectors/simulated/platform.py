"""The declarations: `simulated`, which shows every shared family, and a stand-in for each platform it can look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.simulated.demo import write_demo
from collectors.simulated.looks import LOOKS
from collectors.simulated.options import Look as Like
from collectors.simulated.options import SimulatedOptions, options_class
from collectors.simulated.session import opener
from exporter.contract import Platform

NAME = "simulated"


def check_address(address: str) -> str | None:
    """Any `simulated://NAME` will do; the name is only shown."""
    scheme, separator, rest = address.partition("://")
    if scheme == NAME and separator and rest and rest.isprintable() and " " not in rest:
        return None
    return "is no address of a simulated target; write simulated:// and any name, as in simulated://hamburg"


def _variant(options: Mapping[str, Any]) -> str:
    like = options.get("like")
    return NAME if like is None else f"{NAME}.{like}"


def _stand_in(like: Like) -> Platform:
    look = LOOKS[like]
    return Platform(
        name=f"{NAME}.{like}",
        title=look.title,
        support=look.support,
        open=opener(like),
        families=look.families,
        groups_of=look.groups_of,
        opt_in_groups=look.opt_in_groups,
        options=options_class(like),
        check_address=check_address,
        single_host=look.single_host,
        real=False,
    )


PLATFORM = Platform(
    name=NAME,
    title=LOOKS[None].title,
    support=LOOKS[None].support,
    open=opener(None),
    options=SimulatedOptions,
    check_address=check_address,
    variant=_variant,
    demo=write_demo,
    real=False,
)
VSPHERE = _stand_in("vsphere")
HYPERV = _stand_in("hyperv")
LIBVIRT = _stand_in("libvirt")
PROXMOX = _stand_in("proxmox")
