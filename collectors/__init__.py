"""Platforms, one folder each; the core finds them through entry points and names none of them."""
