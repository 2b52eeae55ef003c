"""The only modules that import pyVmomi and that talk to an endpoint. What leaves them is plain data."""
