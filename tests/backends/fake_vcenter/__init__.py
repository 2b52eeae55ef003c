"""A vCenter in Python for what govmomi's simulator cannot do: limits, faults, poison, a sick network, other versions.

It speaks over real sockets (web.py), encodes by pyVmomi's own knowledge of types (service.py), and is no measure for
what a real vCenter answers: the simulated one of `tests.backends.vcenter` and the API reference are.
"""

from tests.backends.fake_vcenter.service import FakeVCenter, fault, html
from tests.backends.fake_vcenter.web import Reply, Request, Web, chunked, dripping, dying, silent, took

__all__ = [
    "FakeVCenter",
    "Reply",
    "Request",
    "Web",
    "chunked",
    "dripping",
    "dying",
    "fault",
    "html",
    "silent",
    "took",
]
