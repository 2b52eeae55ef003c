"""Dashboards, recording rules, alerts and runbooks, made from the catalogue's names and one table of thresholds."""
