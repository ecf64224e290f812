"""Picket with Microsoft's Node client for IoT Hub devices, with a token: all that goes to and fro."""

import base64
import json
import threading
import unittest

from node_device import NodeDevice
from picket_harness import EnrolledCase, wait_until


class NodeClient(EnrolledCase):
    def device(self, **options):
        device = NodeDevice(self.enrolled, self.picket, **options)
        self.addCleanup(device.close)
        return device

    def opened(self):
        device = self.device()
        device.do("open")
        return device

    def counter(self, name):
        return next(c["value"] for c in self.picket.json("status")["counters"] if c["name"] == name)

    def invoke(self, *arguments):
        def run():
            thread.result = self.picket.run("method", "invoke", self.name, *arguments, check=False)
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_events_are_acknowledged(self):
        device = self.opened()
        before = self.counter("hub_messages_taken")
        for n in range(5):
            device.do("event", payload=f"value {n}", properties={"a b": "v/1", "n": str(n)})
        self.assertEqual(self.counter("hub_messages_taken") - before, 5)

    def test_a_wrong_key_is_refused(self):
        device = self.device(key=base64.b64encode(b"x" * 32).decode())
        device.tell("open")
        self.assertIn(device.next("failed")["error"], ("NotConnectedError", "UnauthorizedError"))

    def test_the_secondary_key_is_as_good_and_stays_when_the_primary_one_goes(self):
        line = self.picket.run("device", "rotate-key", self.name, "--secondary").stdout
        device = self.device(key=line.partition("SharedAccessKey=")[2].strip())
        device.do("open")
        before = self.counter("hub_messages_taken")
        self.picket.run("device", "rotate-key", self.name, "--primary")
        device.do("event", payload="still here")
        self.assertEqual(self.counter("hub_messages_taken") - before, 1)
        self.picket.run("device", "rotate-key", self.name, "--secondary")
        device.tell("event", payload="not any more")
        self.assertEqual(device.next("failed")["failed"], "event")

    def with_renewed_tokens(self, life_s):
        """A device that has renewed its token thrice; None: one of them ended before, on a busy machine."""
        device = self.device(token_life_s=life_s, token_margin_s=life_s // 2)
        expired, taken, sent = self.counter("hub_ended_token_expired"), self.counter("hub_messages_taken"), 0
        try:
            device.do("open")
            device.do("messages")
            device.do("method", name="echo", status=200)
            for renewal in range(3):
                while not device.has_said("renewed"):
                    device.do("event", payload=f"value {sent}")
                    sent += 1
                device.next("renewed")
            device.do("event", payload="the last")
        except AssertionError:
            if self.counter("hub_ended_token_expired") == expired:
                raise
        if self.counter("hub_ended_token_expired") > expired:
            device.close()
            return None
        self.assertGreaterEqual(self.counter("hub_messages_taken") - taken, sent + 1)
        return device

    def test_tokens_are_renewed_without_a_gap(self):
        """By a connection with the new token before the old one ends; what is published meanwhile is acknowledged."""
        device = next(device for seconds in (8, 40, 160) if (device := self.with_renewed_tokens(seconds)))
        self.picket.run("c2d", "send", self.name, "after them")
        self.assertEqual(device.next("message")["message"], "after them")
        call = self.invoke("echo", "--payload", "7", "--json")
        self.assertEqual(device.next("method")["payload"], 7)
        call.join(300)
        self.assertEqual(json.loads(call.result.stdout), {"status": 200, "payload": 7})

    def test_a_module_has_events_a_twin_and_methods_of_its_own(self):
        module, device = self.device(module="vision"), self.opened()
        module.do("open")
        before = self.counter("hub_messages_taken")
        module.do("event", payload="seen", properties={"n": "1"})
        self.assertEqual(self.counter("hub_messages_taken") - before, 1)
        self.picket.run("twin", "set", self.name, "--module", "vision", "interval=30")
        self.assertEqual(module.do("twin")["desired"], {"interval": 30, "$version": 2})
        module.do("report", patch={"interval": 30})
        self.assertEqual(self.picket.json("twin", "show", self.name, "--module", "vision")["reported"]["interval"], 30)
        self.assertEqual(device.do("twin")["reported"], {"$version": 1})
        self.picket.run("twin", "set", self.name, "--module", "vision", "interval=60")
        self.assertEqual(module.next("desired")["desired"], {"interval": 60, "$version": 3})
        module.do("method", name="look", status=200)
        call = self.invoke("look", "--module", "vision", "--payload", '"left"', "--connect-timeout", "120", "--json")
        self.assertEqual(module.next("method")["payload"], "left")
        call.join(300)
        self.assertEqual(json.loads(call.result.stdout), {"status": 200, "payload": "left"})

    def test_the_twin_is_read_reported_and_changed(self):
        self.picket.run("twin", "set", self.name, "interval=30", "c.__t=c", "c.on=true")
        device = self.opened()
        twin = device.do("twin")
        self.assertEqual(twin["desired"], {"interval": 30, "c": {"__t": "c", "on": True}, "$version": 2})
        self.assertEqual(twin["reported"], {"$version": 1})
        device.do("report", patch={"interval": {"value": 30, "ac": 200, "av": 2}, "old": 1})
        device.do("report", patch={"old": None})
        shown = self.picket.json("twin", "show", self.name)["reported"]
        self.assertEqual((shown["interval"]["ac"], shown["$version"], "old" in shown), (200, 3, False))
        self.picket.run("twin", "set", self.name, "interval=60", "c.on=null")
        self.assertEqual(device.next("desired")["desired"], {"interval": 60, "c": {"on": None}, "$version": 3})

    def test_a_wrong_report_is_an_error_with_the_client(self):
        device = self.opened()
        device.do("twin")
        device.tell("report", patch={"a.b": 1})
        self.assertEqual(device.next("failed")["failed"], "report")

    def test_a_method_is_called_and_answered(self):
        device = self.opened()
        device.do("method", name="reboot", status=202)
        call = self.invoke("reboot", "--payload", '{"delay": [1, 2]}', "--connect-timeout", "120", "--json")
        self.assertEqual(device.next("method")["payload"], {"delay": [1, 2]})
        call.join(300)
        self.assertEqual(json.loads(call.result.stdout), {"status": 202, "payload": {"delay": [1, 2]}})

    def test_a_message_is_received_and_completed(self):
        self.picket.run("c2d", "send", self.name, "waited for you", "--message-id", "m1")
        device = self.opened()
        device.do("messages")
        self.assertEqual(device.next("message"), {"message": "waited for you", "id": "m1", "properties": {}})
        self.picket.run("c2d", "send", self.name, "v\u00e4rde", "--property", "p q=v&1")
        self.assertEqual(device.next("message"), {"message": "v\u00e4rde", "id": "", "properties": {"p q": "v&1"}})
        wait_until(lambda: self.picket.json("c2d", "list", self.name) == [], "both to be completed")

    def test_after_a_kill_the_client_comes_back_and_all_goes_on(self):
        device = self.opened()
        device.do("twin")
        device.do("messages")
        device.do("method", name="echo", status=200)
        device.do("event", payload="before")
        self.picket.kill()
        self.picket.start()
        call = self.invoke("echo", "--payload", "7", "--connect-timeout", "120", "--json")
        self.assertEqual(device.next("method")["payload"], 7)
        call.join(300)
        self.assertEqual(json.loads(call.result.stdout)["payload"], 7)
        self.picket.run("c2d", "send", self.name, "again")
        self.assertEqual(device.next("message")["message"], "again")
        self.picket.run("twin", "set", self.name, "interval=5")
        self.assertEqual(device.next("desired")["desired"], {"interval": 5, "$version": 2})
        device.do("report", patch={"interval": 5})
        device.do("event", payload="after")

    def test_a_client_that_closes_says_so(self):
        device = self.opened()
        before = self.counter("hub_ended_by_device")
        device.do("close")
        wait_until(lambda: self.counter("hub_ended_by_device") == before + 1, "its DISCONNECT")


if __name__ == "__main__":
    unittest.main()
