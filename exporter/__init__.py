"""The core of hypervisor-exporter. It knows no hypervisor: platforms are found through entry points."""

__version__ = "0.1.0"
