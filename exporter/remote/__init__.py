"""What collectors of endpoints beyond a network share: deadlines on sockets, TLS, and what went wrong there."""
