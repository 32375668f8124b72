"""What carries out one run of anything that begins, is watched, and ends or hangs, whatever it is that runs."""
