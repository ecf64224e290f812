"""kill -9 at random moments while twins are patched from both sides and messages to devices queued: what was answered is there.

A device (paho) reports a number that grows, an owner desires one (API), another owner queues numbered messages, and the device
acknowledges them; another device subscribes and unsubscribes all the time. A fleet publishes. Picket is killed at random moments and
started again. What was answered with 204, 200 or 201 is there; a message that was completed for good is never seen again, the others
are seen, in order, and nothing is seen that was not queued. A session is present if its last SUBACK or UNSUBACK said so. With
--power-cut, what was not synced is lost at each kill."""

import json
import ssl
import threading
import time

import paho.mqtt.client as mqtt

from kill_trial import Trial
from picket_harness import wait_until

DEADLINE_S = 60


class Owner(threading.Thread):
    """Desires a number that grows, or queues numbered messages."""

    def __init__(self, picket, device):
        super().__init__(daemon=True)
        self.picket, self.device = picket, device
        self.stopping = False
        self.tried = self.answered = 0
        self.start()

    def run(self):
        while not self.stopping:
            number = self.tried = self.tried + 1
            if self.act(number):
                self.answered = number
            else:
                time.sleep(0.02)

    def stop(self):
        self.stopping = True
        self.join(DEADLINE_S)


class Desirer(Owner):
    def act(self, number):
        status, _ = self.picket.call("PATCH", f"/v1/devices/{self.device.id}/twin", {"desired": {"n": number}})
        assert status in (0, 200, 503), status
        return status == 200


class Sender(Owner):
    """Its message's number may be queued although nobody said so: `answered_numbers` are those that must come."""

    def __init__(self, picket, device):
        self.answered_numbers = []
        super().__init__(picket, device)

    def act(self, number):
        status, _ = self.picket.call("POST", f"/v1/devices/{self.device.id}/messages",
                         {"payload": str(number), "expires_in_s": 86400})
        assert status in (0, 201, 429, 503), status
        if status == 201:
            self.answered_numbers.append(number)
        return status == 201


class Client:
    """A device whose thread connects again and again, however Picket vanishes; paho acknowledges what on_message has returned from."""

    def __init__(self, picket, device, clean_session):
        self.picket, self.device = picket, device
        self.stopping = threading.Event()
        self.failure = None
        self.client = mqtt.Client(client_id=device.id, clean_session=clean_session)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(device.user_name, device.token(6 * DEADLINE_S * DEADLINE_S))
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self.connected
        self.client.connect_async("localhost", picket.port, keepalive=30)

    def start(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        try:
            while not self.stopping.is_set():
                try:
                    self.client.loop_forever(retry_first_connection=True)
                except OSError:
                    time.sleep(0.1)
                    self._reconnect()
        except Exception as failure:
            self.failure = failure
            raise

    def _reconnect(self):
        while not self.stopping.wait(0.2):
            try:
                self.client.reconnect()
                return
            except OSError:
                pass

    def answers(self):
        """How many it got; fails if its thread has."""
        if self.failure:
            raise self.failure
        return self.answered

    def stop(self):
        self.stopping.set()
        self.client.disconnect()
        self.thread.join(DEADLINE_S)


class Reporter(Client):
    """Reports, one at a time, and takes messages."""

    def __init__(self, picket, device):
        super().__init__(picket, device, clean_session=True)
        self.tried = self.answered = 0
        self.seen = []  # numbers of messages, a list for each connection
        self.changed = []  # desired numbers that it was told of
        self.client.on_subscribe = lambda *_: self._report()
        self.client.on_message = self._message
        self.start()

    def connected(self, client, userdata, flags, code):
        assert code == 0, code
        self.seen.append([])
        client.subscribe([("$iothub/twin/res/#", 0), ("$iothub/twin/PATCH/properties/desired/#", 0),
                          (f"devices/{self.device.id}/messages/devicebound/#", 1)])

    def _report(self):
        if not self.stopping.is_set():
            self.tried += 1
            self.client.publish(f"$iothub/twin/PATCH/properties/reported/?$rid={self.tried}",
                                json.dumps({"n": self.tried}))

    def _message(self, client, userdata, message):
        if message.topic.startswith("$iothub/twin/res/204/"):
            rid = int(message.topic.partition("$rid=")[2].partition("&")[0])
            self.answered = max(self.answered, rid)
            self._report()
        elif message.topic.startswith("$iothub/twin/res/"):
            assert "/429/" in message.topic or "/5" in message.topic, message.topic
            self._report()
        elif message.topic.startswith("$iothub/twin/PATCH"):
            self.changed.append(json.loads(message.payload)["n"])
        else:
            self.seen[-1].append(int(message.payload))


class Subscriber(Client):
    """Subscribes to methods and unsubscribes, in turn: its session is present while it is subscribed, and not otherwise."""

    FILTER = "$iothub/methods/POST/#"

    def __init__(self, picket, device):
        super().__init__(picket, device, clean_session=False)
        self.answered = 0
        self.subscribed = self.asked_for = False
        self.holding = False  # it asks for nothing more: what its session is will be known
        self.checked = 0
        self.client.on_subscribe = lambda *_: self._answered(True)
        self.client.on_unsubscribe = lambda *_: self._answered(False)
        self.start()

    def connected(self, client, userdata, flags, code):
        assert code == 0, code
        present = flags["session present"] == 1
        assert present in (self.subscribed, self.asked_for), \
            f"session present: {present}, subscribed: {self.subscribed}, asked for: {self.asked_for}"
        self.checked += self.subscribed == self.asked_for
        self.subscribed = present
        self._ask()

    def _answered(self, subscribed):
        assert subscribed == self.asked_for
        self.subscribed = subscribed
        self.answered += 1
        if not self.holding:
            self._ask()

    def _ask(self):
        self.asked_for = not self.subscribed
        if self.asked_for:
            self.client.subscribe(self.FILTER, 0)
        else:
            self.client.unsubscribe(self.FILTER)


def check_messages(sender, seen):
    """Each connection's in order; none but those queued; all that were answered."""
    for numbers in seen:
        assert numbers == sorted(set(numbers)), numbers
    every = [number for numbers in seen for number in numbers]
    missing = set(sender.answered_numbers) - set(every)
    assert not missing, f"answered and never seen: {sorted(missing)[:20]}"
    assert set(every) <= set(range(1, sender.tried + 1))
    # Once a connection has gone on to later ones, what it had acknowledged long before does not come again.
    twice = len(every) - len(set(every))
    assert twice <= 17 * len(seen), f"{twice} messages came again over {len(seen)} connections"
    return every, twice


def check_twin(picket, device, reporter, desirer, reported, desired):
    """Answered so far: these numbers, or later ones."""
    _, twin = picket.call("GET", f"/v1/devices/{device.id}/twin")
    assert reported <= twin["reported"].get("n", 0) <= reporter.tried, (twin, reported, reporter.tried)
    assert desired <= twin["desired"].get("n", 0) <= desirer.tried, (twin, desired, desirer.tried)


def main():
    trial = Trial(__doc__.splitlines()[0])
    with trial.picket() as picket:
        picket.start()
        fleet = trial.fleet(picket)
        device = picket.add_device("pump-7")
        reporter, desirer, sender = Reporter(picket, device), Desirer(picket, device), Sender(picket, device)
        subscriber = Subscriber(picket, picket.add_device("pump-8"))

        def answered():
            return reporter.answers(), desirer.answered, sender.answered, subscriber.answers()

        for _ in range(trial.options.kills):
            before = answered()
            wait_until(lambda: all(now > then for now, then in zip(answered(), before)), "answers")
            subscriber.holding = trial.chance.random() < 0.5
            trial.kill(picket, fleet)
            subscriber.holding = False
            reported, desired, *_ = answered()  # nothing is answered any more
            picket.start()
            check_twin(picket, device, reporter, desirer, reported, desired)
        desirer.stop()
        sender.stop()
        subscriber.stop()
        wait_until(lambda: picket.call("GET", f"/v1/devices/{device.id}/messages")[1]["messages"] == [],
                   "all messages to be completed", 120)
        reporter.stop()
        check_twin(picket, device, reporter, desirer, reporter.answered, desirer.answered)
        every, twice = check_messages(sender, reporter.seen)
        fleet.finish()
        told = trial.told(picket, fleet)
        picket.stop()
        print(f"{trial.options.kills} kills: {reporter.answered} reports and {desirer.answered} changes answered, "
              f"{len(sender.answered_numbers)} messages queued, all seen, {twice} of {len(every)} deliveries were repetitions; "
              f"{subscriber.answered} changes of a subscription, {subscriber.checked} sessions as they were; {told}")


if __name__ == "__main__":
    main()
