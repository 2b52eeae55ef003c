"""The only modules that import libvirt: opening, calling, timing, translating errors, closing."""
