"""What a run will take: units counted from the config, times the seconds that one takes on this machine."""
