"""Processor time that the threads of a running program have taken."""

import os
import pathlib


def thread_times(pid):
    """Seconds by thread name; threads of one name together."""
    times = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        ticks = sum(map(int, fields.split()[11:13]))
        times[name] = times.get(name, 0) + ticks / os.sysconf("SC_CLK_TCK")
    return times
