"""Vitals of guests at one moment: state, processors, memory, disks and adapters."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.simulated.curves import Basis, Moment
from collectors.simulated.life import Life, Usage, floored
from collectors.simulated.looks.look import Look
from collectors.simulated.plans import GuestPlan, Pattern
from exporter.model import Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, GuestState, Traffic

_NOTHING = (0.0, 0.0, 0.0, 0.0, 0.0)
_READ_SECONDS, _WRITE_SECONDS, _FLUSH_SECONDS = 0.0016, 0.0009, 0.0004
_READ_SIZE, _WRITE_SIZE, _PACKET_SIZE = 16_384, 8_192, 900
_DAYS_TO_RENAME = 10
_REASONS = {
    GuestState.RUNNING: "booted",
    GuestState.STOPPED: "shutdown",
    GuestState.PAUSED: "io error",
    GuestState.SUSPENDED: "saved",
    GuestState.CRASHED: "panicked",
}


def display_name(guest: GuestPlan, at: float) -> str:
    """A guest's name; some change theirs every ten days, and change it back."""
    return guest.rename if guest.rename and int(at / 86_400 / _DAYS_TO_RENAME) % 2 else guest.name


class GuestVitals:
    """Makes the vitals of guests in one look. What the look does not deliver is not filled in."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._disks = tuple(look.words.disk(number) for number in range(8))
        has = self._has = frozenset(name.removeprefix("hypervisor_") for name in look.support if look.delivers(name))
        self._boots, self._agents = "guest_boot_timestamp_seconds" in has, "guest_agent_up" in has
        self._ready, self._costop = "guest_cpu_ready_seconds_total" in has, "guest_cpu_costop_seconds_total" in has
        self._packets = "guest_network_receive_packets_total" in has
        self._drops = "guest_network_receive_drops_total" in has
        self._errors = "guest_network_receive_errors_total" in has
        self._latency, self._flushes = "guest_disk_read_seconds_total" in has, "guest_disk_flushes_total" in has
        self._failures = "guest_disk_errors_total" in has

    def observe(self, guest: GuestPlan, life: Life, usage: Usage, moment: Moment) -> Guest:
        """One guest."""
        has, words, state, at = self._has, self._look.words, life.state, moment.at
        runs = life.seen and life.boot is not None
        template = guest.pattern is Pattern.TEMPLATE
        cpu, grown, ran = GuestCpu(vcpus=guest.vcpus), _NOTHING, 0.0
        disks: tuple[GuestDisk, ...] = ()
        nics: tuple[GuestNic, ...] = ()
        extra: Mapping[str, float] = {}
        if runs and life.boot is not None:
            grown, ran, waited = usage.since_boot(guest, life.boot, moment.basis(guest.rhythm))
            cpu = self._cpu(guest, ran, waited)
            disks, nics = self._busy_disks(guest, grown), self._busy_nics(guest, grown)
        if self._look.guest_extra is not None and runs:
            extra = self._look.guest_extra(guest, ran)
        if "guest_disk_error" in has and state is GuestState.PAUSED:
            disks = (GuestDisk(self._disks[0], error="no space"),)
        cluster = life.host.cluster
        return Guest(
            id=guest.id,
            name=display_name(guest, at) if guest.rename else guest.name,
            native_id=words.native(guest),
            host=life.host.name,
            host_id=life.host.id,
            compute_cluster="" if self._look.single_host else cluster.name,
            compute_cluster_id="" if self._look.single_host else words.cluster_id(cluster),
            compute_datacenter="" if self._look.single_host else cluster.datacenter,
            os=words.os(guest),
            kind="template" if template else "guest",
            role="replica" if guest.replica and "guest_replication_state" in has else "primary",
            tags=guest.tags,
            state=None if template else state,
            state_reason=_REASONS.get(state) if "guest_state_reason" in has and not template else None,
            migrating=self._migrating(life),
            persistent=True if "guest_persistent" in has else None,
            boot_timestamp_seconds=float(int(life.boot)) if runs and life.boot and self._boots else None,
            agent_up=guest.agent if self._agents and runs else None,
            io_error=state is GuestState.PAUSED if "guest_io_error" in has and life.seen else None,
            stats_complete=life.seen if "guest_stats_complete" in has and not template else None,
            cpu=cpu,
            memory=self._memory(guest, life, moment, grown[0]) if runs else self._rest(guest, life),
            disks=disks,
            nics=nics,
            extra=extra,
        )

    def _migrating(self, life: Life) -> bool | None:
        if "guest_migrating" not in self._has or not life.seen:
            return None
        # A daemon of one host learns of a copy that leaves only from its job.
        return None if self._look.single_host and life.boot is not None else life.migrating

    def _cpu(self, guest: GuestPlan, ran: float, waited: float) -> GuestCpu:
        has = self._has
        return GuestCpu(
            vcpus=guest.vcpus,
            seconds=floored(ran),
            ready_seconds=floored(waited) if self._ready else None,
            costop_seconds=floored(waited / 20) if self._costop and guest.vcpus > 1 else None,
            limit_cpus=guest.vcpus / 2 if guest.limited and "guest_cpu_limit_cpus" in has else None,
            reservation_cpus=guest.vcpus / 4 if guest.limited and "guest_cpu_reservation_cpus" in has else None,
        )

    def _busy_disks(self, guest: GuestPlan, grown: Basis) -> tuple[GuestDisk, ...]:
        active = 0.25 * grown[0] + 0.5 * grown[3] + 1.5 * grown[4]
        found = []
        for number in range(len(guest.disks)):
            read = int(active * guest.read_rate / (1 + number))
            written = int(active * guest.write_rate / (1 + number))
            reads, writes = read // _READ_SIZE, written // _WRITE_SIZE
            found.append(
                GuestDisk(
                    self._disks[number],
                    read,
                    written,
                    reads,
                    writes,
                    floored(reads * _READ_SECONDS) if self._latency else None,
                    floored(writes * _WRITE_SECONDS) if self._latency else None,
                    writes // 4 if self._flushes else None,
                    floored(writes // 4 * _FLUSH_SECONDS) if self._flushes else None,
                    writes // 10**8 if self._failures else None,
                )
            )
        return tuple(found)

    def _busy_nics(self, guest: GuestPlan, grown: Basis) -> tuple[GuestNic, ...]:
        active = 0.3 * grown[0] + 0.7 * grown[1]
        found = []
        for number in range(guest.nics):
            received = int(active * guest.network_rate / (1 + number))
            sent = int(active * guest.network_rate / (3 + number))
            packets, more = received // _PACKET_SIZE, sent // _PACKET_SIZE
            traffic = Traffic(
                received,
                sent,
                packets if self._packets else None,
                more if self._packets else None,
                0 if self._errors else None,
                0 if self._errors else None,
                packets // 10**6 if self._drops else None,
                more // 10**7 if self._drops else None,
            )
            found.append(GuestNic(self._look.words.nic(guest, number), traffic=traffic))
        return tuple(found)

    @staticmethod
    def _rest(guest: GuestPlan, life: Life) -> GuestMemory:
        """Of a guest that does not run."""
        kept = guest.memory if life.state is GuestState.PAUSED else None
        return GuestMemory(guest.memory, kept, None if kept is None else kept * guest.resident[0])

    def _memory(self, guest: GuestPlan, life: Life, moment: Moment, up_seconds: float) -> GuestMemory:
        has, whole = self._has, guest.memory
        always, beyond = guest.resident
        occupied = whole * (always + beyond * moment.levels[guest.rhythm.day])
        short = whole * life.host.pressure / 2
        balloon = short if "guest_memory_ballooned_bytes" in has else 0.0
        assigned = whole - balloon
        used = min(assigned, occupied) * 0.8
        swapped = short / 4 if "guest_memory_swapped_bytes" in has else None
        demand = occupied * (1 + life.host.pressure)
        # Swapped since the boot, at the pace of its home wherever it is: a move must not make a counter fall.
        moved = int(whole * guest.home.pressure / 1e6 * up_seconds)
        return GuestMemory(
            configured_bytes=whole,
            assigned_bytes=float(int(assigned)),
            host_used_bytes=float(int(min(occupied, assigned))),
            used_bytes=float(int(used)) if "guest_memory_used_bytes" in has else None,
            available_bytes=float(int(assigned - used)) if "guest_memory_available_bytes" in has else None,
            active_bytes=float(int(used / 2)) if "guest_memory_active_bytes" in has else None,
            ballooned_bytes=float(int(balloon)) if "guest_memory_ballooned_bytes" in has else None,
            swapped_bytes=float(int(swapped)) if swapped is not None else None,
            demand_bytes=float(int(demand)) if "guest_memory_demand_bytes" in has else None,
            pressure_ratio=round(demand / assigned, 4) if "guest_memory_pressure_ratio" in has else None,
            limit_bytes=whole if guest.limited and "guest_memory_limit_bytes" in has else None,
            reservation_bytes=whole / 4 if guest.limited and "guest_memory_reservation_bytes" in has else None,
            swap_in_bytes=moved // 2 if "guest_memory_swap_in_bytes_total" in has else None,
            swap_out_bytes=moved if "guest_memory_swap_out_bytes_total" in has else None,
            os_swap_in_bytes=0 if "guest_os_swap_in_bytes_total" in has else None,
            os_swap_out_bytes=0 if "guest_os_swap_out_bytes_total" in has else None,
        )
