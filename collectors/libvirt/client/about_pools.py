"""Questions about storage pools and their volumes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from collectors.libvirt.answers import Pool
from collectors.libvirt.client.asking import Asking
from collectors.libvirt.client.errors import Gone


class AboutPools(Asking):
    """Lists pools, and asks single ones."""

    def pools(self) -> list[Pool]:
        """The storage pools of the host by name, active or not."""
        pools = [Pool(each.UUIDString(), each.name(), each) for each in self._ask(self._host, "listAllStoragePools", 0)]
        return sorted(pools, key=lambda pool: pool.name)

    def pool_info(self, pool: Pool) -> Sequence[int]:
        """State, capacity, allocation, free space in bytes, as of the pool's last refresh."""
        answer: Sequence[int] = self._ask(pool.handle, "info")
        return answer

    def pool_xml(self, pool: Pool) -> str:
        """The description of a pool."""
        answer: str = self._ask(pool.handle, "XMLDesc", 0)
        return answer

    def volumes(self, pool: Pool) -> list[str]:
        """The descriptions of a pool's volumes; libvirt opens each of them for it."""
        found: list[str] = []
        for volume in self._ask(pool.handle, "listAllVolumes", 0):
            with suppress(Gone):
                found.append(self._ask(volume, "XMLDesc", 0))
        return found
