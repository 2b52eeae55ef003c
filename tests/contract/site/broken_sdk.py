"""Stands for a vendor's library."""
