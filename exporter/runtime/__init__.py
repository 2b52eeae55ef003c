"""When things are collected, where, and what becomes of the answers: clock, supervisor, workers, ledger, store."""
