"""Records a libvirt daemon: `python -m tests.golden.libvirt.record URI FILE GUEST...`. Read-only.

Host names, and scratch directories of a lab, are replaced: the file is for everybody.
"""

import json
import re
import sys
from pathlib import Path

from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.endpoint import Endpoint, How, Listing, Stats
from collectors.libvirt.groups.vitals import RESTING_GROUPS, RUNNING_GROUPS
from exporter.contract import Meter


def record(uri: str, guests: list[str]) -> dict:
    endpoint = Endpoint(Connection.open(uri, Meter()))
    domains = [domain for domain in endpoint.domains() if domain.name in guests]
    filters = (Listing.TRANSIENT, Listing.MANAGED_SAVE, Listing.AUTOSTART, Listing.HAS_SNAPSHOT, Listing.HAS_CHECKPOINT)
    chosen = {domain.uuid for domain in domains}
    return {
        "node": record_node(endpoint),
        "online_cpus": endpoint.online_cpus(),
        "node_cpu": endpoint.node_cpu(),
        "node_memory": endpoint.node_memory(),
        "filters": {
            which.name: sorted(chosen & {domain.uuid for domain in endpoint.domains(which)}) for which in filters
        },
        "domains": [record_domain(endpoint, domain) for domain in domains],
        "pools": [
            {
                "uuid": pool.uuid,
                "name": pool.name,
                "info": endpoint.pool_info(pool),
                "xml": lines(endpoint.pool_xml(pool)),
            }
            for pool in endpoint.pools()
        ],
    }


def record_node(endpoint: Endpoint) -> dict:
    node = endpoint.node()
    host = re.sub(r"\n\s*<guest>.*</guest>", "", node.capabilities, flags=re.DOTALL)
    return {
        "product": node.product,
        "version": node.version,
        "libvirt_version": node.libvirt_version,
        "hostname": "kvm-7",
        "info": node.info,
        "capabilities": [line for line in lines(host) if "<feature" not in line],
        "sysinfo": node.sysinfo,
    }


def record_domain(endpoint: Endpoint, domain) -> dict:
    def bulk(groups, how=How.PLAIN):
        return dict(endpoint.bulk([domain], groups, how)[0].stats)

    return {
        "uuid": domain.uuid,
        "name": domain.name,
        "id": domain.id,
        "stats": bulk(RUNNING_GROUPS if domain.active else RESTING_GROUPS),
        "layers": bulk(Stats.BLOCK, How.BACKING) if domain.active else {},
        "disk_errors": {},
        "current_snapshot": endpoint.current_snapshot(domain),
        "snapshots": {each.name: lines(endpoint.snapshot_xml(each)) for each in endpoint.snapshots(domain)},
        "checkpoints": [lines(each) for each in endpoint.newest_checkpoints(domain)],
        "xml": lines(endpoint.xml(domain)),
    }


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    text = json.dumps(record(sys.argv[1], sys.argv[3:]), indent=1, ensure_ascii=False)
    Path(sys.argv[2]).write_text(re.sub(r"/tmp/lab-\w+", "/srv", text) + "\n", encoding="utf-8")
