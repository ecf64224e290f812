"""kill -9 at random moments under load: what a device got an acknowledgement for is there, and nothing twice.

A fleet publishes security messages and telemetry; what was not acknowledged when the connection broke is sent again. Picket is killed
at random moments, now and then while the fleet still comes back, and started again. In the end every acknowledged event is in the store
exactly once, with its flow; its alert has counted it exactly once; every acknowledged message of telemetry is in the file that it is
routed to, which is renamed now and then, and every alert in its own. With --power-cut, what was not synced is lost at each kill."""

from kill_trial import Trial


def main():
    trial = Trial(__doc__.splitlines()[0])
    with trial.picket() as picket:
        picket.start()
        fleet = trial.fleet(picket)
        for _ in range(trial.options.kills):
            trial.rotate(fleet)
            trial.kill(picket, fleet)
            picket.start()
        fleet.finish()
        told = trial.told(picket, fleet)
        picket.stop()
        print(f"{trial.options.kills} kills, {told}")


if __name__ == "__main__":
    main()
