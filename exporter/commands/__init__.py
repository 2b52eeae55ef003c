"""What the commands do; `exporter.cli` has their flags."""
