"""The vSphere platform: vCenter and ESXi over their SOAP API, read only, one session per target."""
