"""What the tests that kill Picket have in common: their options, Picket with its outputs and a fleet, and the moments to kill it at."""

import argparse
import json
import random
import time

from fleet import Fleet
from picket_harness import Picket, wait_until
from power_cut import PowerCut


class Trial:
    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--kills", type=int, default=20)
        parser.add_argument("--devices", type=int, default=10, help="that publish meanwhile")
        parser.add_argument("--window", type=int, default=20, help="messages in flight of each")
        parser.add_argument("--power-cut", action="store_true", help="what was not synced is lost at a kill")
        parser.add_argument("--disk-lies", action="store_true", help="syncs do nothing: has to fail")
        parser.add_argument("--seed", type=int, default=time.time_ns())
        self.options = parser.parse_args()
        print(f"seed {self.options.seed}", flush=True)
        self.chance = random.Random(self.options.seed)

    def picket(self):
        picket = Picket()
        picket.data_folder = picket.folder / "data"
        picket.data_folder.mkdir()
        picket.extra_configuration = f"""
outputs:
  - {{name: alerts, kind: file, location: {picket.data_folder}/alerts.jsonl}}
routes:
  - {{name: telemetry, kind: file, location: {picket.data_folder}/telemetry.jsonl}}
"""
        if self.options.power_cut or self.options.disk_lies:
            picket.power_cut = PowerCut(picket.data_folder, self.chance, self.options.disk_lies)
        return picket

    def fleet(self, picket):
        return Fleet(picket, self.options.devices, self.options.window, picket.data_folder / "telemetry.jsonl")

    def kill(self, picket, fleet):
        """Three times of four not before all of the fleet are back."""
        before = fleet.acknowledged()
        wait_until(lambda: fleet.acknowledged() > before, "acknowledgements")
        if self.chance.random() < 0.75:
            wait_until(lambda: fleet.acknowledged() and fleet.all_are_connected(), "the fleet to come back")
        time.sleep(self.chance.uniform(0, 0.5))
        picket.kill()

    def rotate(self, fleet):
        """Now and then the file of the telemetry is renamed, and another begun."""
        if self.chance.random() < 0.5:
            rotated = fleet.routed_file.with_name(f"telemetry-{self.chance.randrange(10**9)}.jsonl")
            fleet.routed_file.rename(rotated)

    def told(self, picket, fleet):
        """Checks the fleet, and says what came of it."""
        events, messages, twice, broken = fleet.check()
        check_alerts(picket)
        lost = f"; {picket.power_cut.lost} pages and names lost that were not synced" if picket.power_cut else ""
        return (f"{self.options.devices} devices: {events} events acknowledged, each stored and counted once; "
                f"{messages} messages acknowledged, each routed, {twice} of them again, {broken} lines cut off{lost}")


def check_alerts(picket):
    """Each alert was sent."""
    sent = set()
    for line in (picket.data_folder / "alerts.jsonl").read_bytes().splitlines():
        try:
            sent.add(json.loads(line)["id"])
        except ValueError:
            pass  # cut off by a kill
    alerts = {alert["id"] for alert in picket.json("alert", "list")}
    assert alerts and alerts <= sent, f"alerts that were not sent: {sorted(alerts - sent)}"
