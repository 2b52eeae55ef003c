"""Which of several daemons watches a target: a rendezvous hash of its name.

When a shard is added, only the targets that it takes over move. Prometheus scrapes all shards.
"""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass, replace

from exporter.config.model import Config


@dataclass(frozen=True, slots=True)
class Shard:
    """Number `index`, from 0, of `count` daemons."""

    index: int = 0
    count: int = 1

    def owns(self, target: str) -> bool:
        """Whether a target of this name is ours; exactly one shard of `count` says so."""
        return max(range(self.count), key=lambda index: _weight(index, target)) == self.index

    def own(self, config: Config) -> Config:
        """The configuration with our targets only."""
        if self.count == 1:
            return config
        return replace(config, targets=tuple(target for target in config.targets if self.owns(target.name)))


def _weight(index: int, target: str) -> bytes:
    return hashlib.sha256(f"{index}\0{target}".encode("utf-8", "surrogatepass")).digest()


def shard(index: int | None, count: int, hostname: str | None = None) -> Shard:
    """The shard that the flags mean; without an index the ordinal at the end of the host name, as StatefulSets have it.

    Raises ValueError with a sentence for the operator.
    """
    if count < 1:
        raise ValueError("--shard.count must be at least 1")
    if index is None and count > 1:
        name = socket.gethostname() if hostname is None else hostname
        ordinal = re.search(r"-(\d+)$", name)
        if ordinal is None:
            raise ValueError(f"--shard.index is missing, and the host name {name!r} ends in no ordinal (NAME-0)")
        index = int(ordinal.group(1))
    index = index or 0
    if not 0 <= index < count:
        raise ValueError(f"--shard.index must lie between 0 and {count - 1}, for --shard.count {count}; it is {index}")
    return Shard(index, count)
