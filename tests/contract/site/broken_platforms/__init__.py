"""Platforms with one flaw each, which one check of the contract suite must find and no other."""
