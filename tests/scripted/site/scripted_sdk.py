"""Stands for a vendor's library: the scripted platform imports it when a session first connects, and not before."""

PRODUCT, VERSION = "Scripted hypervisor", "1.0"
