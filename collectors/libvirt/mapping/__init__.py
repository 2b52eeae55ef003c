"""Pure functions from libvirt's words to the model, one file per topic: no I/O, no clock, no metric names."""
