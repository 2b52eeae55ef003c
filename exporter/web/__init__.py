"""The HTTP side of the daemon: a bounded server, the paths it answers, its pages."""
