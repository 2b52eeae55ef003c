"""Virtual network adapters of a domain."""

from __future__ import annotations

from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestNic, Traffic


def guest_nics(stats: Stats) -> tuple[GuestNic, ...]:
    """Counters of a running domain's adapters, from the INTERFACE group; libvirt already counts as the guest sees it.

    Adapters without a device on the host (user-mode, passed through) have no entry. One name twice would be one series
    twice: the first counts.
    """
    nics = {}
    for _, net in stats.each("net", "count"):
        name = net.text("name")
        if name and name not in nics:
            nics[name] = GuestNic(nic=name, traffic=_traffic(net))
    return tuple(nics.values())


def _traffic(net: Stats) -> Traffic:
    return Traffic(
        receive_bytes=net.number("rx.bytes"),
        transmit_bytes=net.number("tx.bytes"),
        receive_packets=net.number("rx.pkts"),
        transmit_packets=net.number("tx.pkts"),
        receive_errors=net.number("rx.errs"),
        transmit_errors=net.number("tx.errs"),
        receive_drops=net.number("rx.drop"),
        transmit_drops=net.number("tx.drop"),
    )
