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
    received_bytes, received, receive_errors, receive_drops, sent_bytes, sent, transmit_errors, transmit_drops = (
        net.numbers("rx.bytes", "rx.pkts", "rx.errs", "rx.drop", "tx.bytes", "tx.pkts", "tx.errs", "tx.drop")
    )
    return Traffic(
        receive_bytes=received_bytes,
        transmit_bytes=sent_bytes,
        receive_packets=received,
        transmit_packets=sent,
        receive_errors=receive_errors,
        transmit_errors=transmit_errors,
        receive_drops=receive_drops,
        transmit_drops=transmit_drops,
    )
