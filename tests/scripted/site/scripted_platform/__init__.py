"""A platform for tests: its worlds and its faults are data (tests/scripted/build.py writes them).

A distribution of its own, found through PYTHONPATH, so that the workers of a real daemon have it as well.
"""
