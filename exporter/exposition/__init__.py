"""Families to bytes: text 0.0.4 and OpenMetrics 1.0, escaping, negotiation, compression."""
