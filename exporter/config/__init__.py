"""The configuration: `model` is what the program works with, `loading` makes it from YAML and refuses mistakes.

Nothing is imported here: worker processes unpickle `model` and must load neither pydantic nor a YAML parser.
"""
