"""The platform `hyperv`: Hyper-V hosts and failover clusters, watched over WinRM."""
