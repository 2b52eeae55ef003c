"""The libvirt platform: QEMU/KVM and every other driver of libvirt, over one read-only connection per lane."""
