"""What dashboards are made of, and how they become Grafana's JSON (classic model, Grafana 10 to 13)."""
