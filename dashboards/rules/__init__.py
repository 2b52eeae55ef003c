"""Recording rules and alerts as data: from `Settings` to groups of `Record` and `Alert`."""
