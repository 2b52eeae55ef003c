"""The only modules that import the WinRM libraries and that talk to a host. What leaves them is rows of text."""
