"""Feeds from outside: settings, credentials, whom is trusted, what waits. usage: feeds_test.py PICKET HUB_TESTS"""

import http.server
import json
import os
import shutil
import ssl
import sys
import threading
import unittest

sys.path.insert(0, sys.argv[2])

from running import CERTIFICATES, Running, setUpModule, tearDownModule  # noqa: E402, F401
from taxii_server import ROOT, Taxii, address  # noqa: E402


class Web:
    """http on loopback, or https with the hub's certificate: answer(path, headers) -> (status, headers, bytes)."""

    def __init__(self, answer, secure=False):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append((self.path, dict(self.headers)))
                status, headers, body = answer(self.path, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                else:
                    self.close_connection = True
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"{'https' if secure else 'http'}://localhost:{self.server.server_port}"
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{CERTIFICATES}/hub.crt", f"{CERTIFICATES}/hub.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def end(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Fetching(Running):
    def web(self, answer, secure=False):
        web = Web(answer, secure)
        self.addCleanup(web.end)
        return web

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.server.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(path, mode)
        return path

    def feed(self, name):
        return self.server.json("feed", "show", name)

    def knows(self, address):
        return self.server.run("intel", "lookup", address).returncode == 0

    def until_known(self, address, known=True):
        self.server.wait_for(lambda: self.knows(address) == known)


class Credentials(Fetching):
    def test_a_key_in_a_header_opens_the_feed_and_is_shown_nowhere(self):
        web = self.web(lambda path, headers: (200, {}, b"45.148.10.7\n") if headers["Auth-Key"] == "s3cret-key"
                       else (403, {}, b"no"))
        self.assertIn("403: the credentials are missing or wrong",
                      self.refused("feed", "add", "keyed", web.address))
        key = self.write("key", "s3cret-key\n")
        self.done("feed", "add", "keyed", web.address, "--header", "Auth-Key", "--header-file", key)
        self.assertTrue(self.knows("45.148.10.7"))
        shown = self.done("feed", "show", "keyed")
        self.assertIn(key, shown)
        seen = shown + self.done("feed", "list") + json.dumps(self.server.json("audit", "list")) + \
            json.dumps(self.server.json("status"))
        self.assertNotIn("s3cret-key", seen)
        for name in os.listdir(os.path.join(self.server.folder, "data")):
            path = os.path.join(self.server.folder, "data", name)
            if os.path.isfile(path):
                with open(path, "rb") as stream:
                    self.assertNotIn(b"s3cret-key", stream.read(), name)

    def test_user_and_password(self):
        web = self.web(lambda path, headers: (200, {}, b"45.148.10.7\n")
                       if headers["Authorization"] == "Basic bWU6b3BlbiBzZXNhbWU=" else (401, {}, b""))
        password = self.write("password", "open sesame\n")
        self.done("feed", "add", "ours", web.address, "--user", "me", "--password-file", password)
        self.assertTrue(self.knows("45.148.10.7"))

    def test_an_authority_of_ones_own_is_trusted_when_the_feed_says_so(self):
        web = self.web(lambda path, headers: (200, {}, b"45.148.10.7\n"), secure=True)
        self.assertIn("certificate", self.refused("feed", "add", "tls", web.address))
        self.done("feed", "add", "tls", web.address, "--ca", f"{CERTIFICATES}/ca.crt")
        self.assertEqual(self.feed("tls")["ca_file"], f"{CERTIFICATES}/ca.crt")

    def test_what_does_not_go_together_is_refused_before_anything_is_fetched(self):
        secret = self.write("key", "k\n")
        for arguments, expected in [
                (("http://192.0.2.1/list", "--token-file", secret), "credentials would go over plain http"),
                (("https://me:word@example.test/",), "password_file"),
                (("https://example.test/", "--user", "me"), "user and password_file go together"),
                (("https://example.test/", "--header", "a b", "--header-file", secret), "no header's name"),
                (("/list.txt", "--token-file", secret), "are for feeds of servers"),
                (("https://example.test/", "--pattern", "*.txt"), "a pattern is for folders"),
                (("https://example.test/", "--columns", "what"), "what"),
                (("taxii+https://example.test/", "--format", "csv"), "is stix"),
                (("misp+https://example.test/", "--columns", "address=ip"), "is misp"),
                (("taxii+ftp://example.test/",), "expected taxii+https://"),
                (("misp+ftp://example.test/",), "expected a path, http://"),
                (("ftp://example.test/",), "ftp://example.test/")]:
            self.assertIn(expected, self.refused("feed", "add", "x", *arguments), arguments)
        self.assertEqual(self.server.json("feed", "list"), [])
        self.assertNotIn("me:word", json.dumps(self.server.json("audit", "list")))


class Settings(Fetching):
    def test_settings_change_and_since_when_stays(self):
        ours = self.write("ours.txt", "45.148.10.7\nnonsense\n")
        self.done("feed", "add", "ours", ours, "--refresh", "1h")
        since = self.server.json("intel", "lookup", "45.148.10.7")[0]["matches"][0]["since"]
        other = self.write("other.csv", "ioc,when\n45.148.10.7,x\n45.148.10.8,y\n")
        self.done("feed", "set", "ours", "--source", other, "--confidence", "77", "--columns", "address=ioc")
        self.until_known("45.148.10.8")
        match = self.server.json("intel", "lookup", "45.148.10.7")[0]["matches"][0]
        self.assertEqual((match["since"], match["confidence"]), (since, 77))
        shown = self.feed("ours")
        self.assertEqual((shown["columns"], shown["last"]["added"], shown["problems"]), ("address=ioc", 1, []))
        self.done("feed", "set", "ours", "--columns", "")
        self.assertIsNone(self.feed("ours")["columns"])
        self.assertIn("max_bytes", self.refused("feed", "set", "ours", "--max-bytes", "600M"))
        self.assertIn("there is no feed", self.refused("feed", "set", "none", "--refresh", "2h"))
        self.assertEqual(self.server.run("feed", "set", "ours").returncode, 2)
        acts = [entry["act"] for entry in self.server.json("audit", "list")]
        self.assertIn("feed.set", acts)

    def test_the_problems_of_the_last_reading_are_shown_later(self):
        self.done("feed", "add", "ours", self.write("ours.txt", "45.148.10.7\nnonsense\n"), "--refresh", "2h")
        shown = self.done("feed", "show", "ours")
        self.assertRegex(shown, r"line 2: .*nonsense")
        self.assertRegex(shown, r"every 2 h, next 20")

    def test_a_feed_that_loses_most_waits_for_a_yes(self):
        many = "".join(f"45.148.10.{i}\n" for i in range(100))
        ours = self.write("ours.txt", many)
        self.done("feed", "add", "ours", ours, "--refresh", "never")
        self.write("ours.txt", "45.148.10.1\n")
        self.assertIn("holds 1 indicators, of 100", self.refused("feed", "refresh", "ours"))
        self.assertTrue(self.knows("45.148.10.99"))
        feed = self.feed("ours")
        self.assertEqual((feed["waits"], feed["would_hold"], feed["indicators"]), (True, 1, 100))
        self.assertIn("WAITS", self.done("feed", "show", "ours"))
        self.assertIn("holds 1 indicators, of 100", self.done("status"))
        alerts = lambda: [(alert["type"], alert["subject"], alert["status"]) for alert in self.server.json("alert", "list")]
        self.server.wait_for(lambda: alerts() == [("Picket_FeedWaitsForYes", "ours", "new")])
        self.done("feed", "refresh", "ours", "--accept-shrink")
        self.server.wait_for(lambda: alerts() == [("Picket_FeedWaitsForYes", "ours", "resolved")])
        self.assertFalse(self.knows("45.148.10.99"))
        self.assertFalse(self.feed("ours")["waits"])
        self.assertEqual(self.server.run("feed", "refresh", "--accept-shrink").returncode, 2)


class Collections(Fetching):
    """TAXII 2.1."""

    def taxii(self, **how):
        taxii = Taxii(**how)
        self.server_of_feeds = self.web(taxii)
        return taxii

    def source(self, collection="c1"):
        return f"taxii+{self.server_of_feeds.address}{ROOT}collections/{collection}/"

    def pages(self):
        return [path for path, _ in self.server_of_feeds.requests if "/objects/" in path]

    def report(self, *arguments):
        return self.server.json("feed", "refresh", "hosts", *arguments)[0]

    def refreshed(self):
        """By itself: only what is new."""
        before = self.feed("hosts")["tried"]
        self.done("feed", "set", "hosts", "--max-bytes", "1M")
        self.server.wait_for(lambda: self.feed("hosts")["tried"] != before)
        return self.feed("hosts")

    def test_what_collections_there_are_is_shown(self):
        self.taxii()
        for start in ("", "/", "/taxii2/", ROOT, ROOT + "collections/"):
            shown = self.server.json("feed", "collections", self.server_of_feeds.address + start)["collections"]
            self.assertEqual([(item["source"], item["title"], item["can_read"]) for item in shown],
                             [(self.source("c1"), "Bad hosts", True), (self.source("c2"), "Secret", False)], start)
        self.assertIn("Bad hosts", self.done("feed", "collections", self.server_of_feeds.address))
        self.assertIn("there is nothing to read there",
                      self.refused("feed", "collections", self.server_of_feeds.address + "/elsewhere/"))

    def test_all_pages_are_one_feed(self):
        taxii = self.taxii(page=2)
        taxii.add(*(address(i, f"45.148.10.{i}") for i in range(1, 8)))
        self.done("feed", "add", "hosts", self.source())
        self.assertEqual(self.feed("hosts")["indicators"], 7)
        self.assertEqual(len(self.pages()), 4)
        match = self.server.json("intel", "lookup", "45.148.10.7")[0]["matches"][0]
        self.assertEqual(match["reference"], "indicator--00000000-0000-4000-8000-000000000007")

    def test_pages_may_all_have_one_name(self):
        taxii = self.taxii(page=2, one_name=True)
        taxii.add(*(address(i, f"45.148.10.{i}") for i in range(1, 8)))
        self.done("feed", "add", "hosts", self.source())
        self.assertEqual((self.feed("hosts")["indicators"], len(self.pages())), (7, 4))

    def test_later_only_what_is_new_is_fetched_and_takes_the_place_of_what_it_was(self):
        taxii = self.taxii(page=10)
        taxii.add(address(1, "45.148.10.1"), address(2, "45.148.10.2"), address(3, "45.148.10.2"),
                  address(4, "45.148.10.4"))
        self.done("feed", "add", "hosts", self.source(), "--refresh", "1h")
        taxii.add(address(1, "45.148.10.9", 1), address(2, "45.148.10.2", 1, revoked=True),
                  address(4, "45.148.10.4", 1, revoked=True))
        feed = self.refreshed()
        self.assertIn("added_after=2026-02-01T00%3A00%3A00.000004Z", self.pages()[-1])
        self.assertTrue(self.knows("45.148.10.9"))
        self.assertFalse(self.knows("45.148.10.1"))
        self.assertTrue(self.knows("45.148.10.2"))  # another object says the same
        self.assertFalse(self.knows("45.148.10.4"))
        self.assertEqual(feed["last"], dict(feed["last"], added=1, removed=2, kept=1))
        count = len(self.pages())
        feed = self.refreshed()  # nothing new
        self.assertEqual((len(self.pages()), feed["indicators"], feed["problem"]), (count + 1, 2, None))

    def test_read_whole_what_the_server_has_not_any_more_goes(self):
        taxii = self.taxii()
        taxii.add(address(1, "45.148.10.1"), address(2, "45.148.10.2"))
        self.done("feed", "add", "hosts", self.source())
        del taxii.objects[0]
        self.assertEqual(self.report()["removed"], 1)
        self.assertFalse(self.knows("45.148.10.1"))

    def test_a_page_that_is_cut_off_or_fails_changes_nothing(self):
        taxii = self.taxii(page=2)
        taxii.add(*(address(i, f"45.148.10.{i}") for i in range(1, 6)))
        self.done("feed", "add", "hosts", self.source())
        taxii.add(address(6, "45.148.10.6"))

        def cut(path, query, answer):
            status, headers, body = answer
            return (status, {**headers, "Content-Length": str(len(body))}, body[:-20]) if "next" in query else answer

        def half_json(path, query, answer):
            return (*answer[:2], answer[2][:-20]) if "next" in query else answer

        for mood, expected in [(cut, ""), (half_json, "no JSON"),
                               (lambda path, query, answer: taxii.error(500, "x") if "next" in query else answer, "500"),
                               (lambda path, query, answer: taxii.error(416, "x") if "next" in query else answer, "416"),
                               (lambda path, query, answer: taxii.ok({"more": True, "next": "1"}), "same page"),
                               (lambda path, query, answer: taxii.ok({"more": True}), "and not where"),
                               (lambda path, query, answer: taxii.ok({"objects": 1}), "is no array"),
                               (lambda path, query, answer: (200, {}, b"<html>"), "no JSON"),
                               (lambda path, query, answer: (200, {}, b'{"objects": [] "more": true}'), "a comma"),
                               (lambda path, query, answer: (200, {}, b'{"objects": [{"id": 1, "id": 2}]}'), "no JSON"),
                               (lambda path, query, answer: taxii.error(406, "x"), "another version of TAXII"),
                               (lambda path, query, answer: taxii.error(401, "x"), "credentials are missing")]:
            taxii.mood = mood
            self.assertIn(expected, self.refused("feed", "refresh", "hosts"))
            self.assertFalse(self.knows("45.148.10.6"))
            self.assertEqual(self.feed("hosts")["indicators"], 5, expected)
        taxii.mood = None
        self.assertEqual(self.report()["added"], 1)

    def test_a_server_that_wants_credentials_gets_them_on_each_page(self):
        taxii = self.taxii(page=1, authorization="Basic bWU6b3BlbiBzZXNhbWU=")
        taxii.add(address(1, "45.148.10.1"), address(2, "45.148.10.2"))
        password = self.write("password", "open sesame\n")
        self.assertIn("401", self.refused("feed", "add", "hosts", self.source()))
        self.done("feed", "add", "hosts", self.source(), "--user", "me", "--password-file", password)
        self.assertEqual(self.feed("hosts")["indicators"], 2)
        self.assertIn("401", self.refused("feed", "collections", self.server_of_feeds.address))
        self.done("feed", "collections", self.server_of_feeds.address, "--user", "me", "--password-file", password)

    def test_a_collection_is_still_known_after_a_restart(self):
        taxii = self.taxii()
        taxii.add(address(1, "45.148.10.1"), address(2, "45.148.10.2"))
        self.done("feed", "add", "hosts", self.source())
        self.server.stop()
        taxii.add(address(3, "45.148.10.3"))
        self.server.start()
        self.refreshed()
        self.assertEqual(self.feed("hosts")["indicators"], 3)
        self.assertIn("added_after", self.pages()[-1])


class Events(Fetching):
    """MISP feeds."""

    def setUp(self):
        super().setUp()
        self.events = {}
        self.manifest = None  # instead of the true one
        self.web_of_events = self.web(self.answer)

    def put(self, number, timestamp, *addresses):
        uuid = f"00000000-0000-4000-8000-{number:012d}"
        attributes = [{"uuid": f"10000000-0000-4000-8000-{number:06d}{i:06d}", "type": "ip-dst", "value": text,
                       "to_ids": True, "timestamp": str(timestamp)} for i, text in enumerate(addresses)]
        self.events[uuid] = {"Event": {"uuid": uuid, "info": f"event {number}", "timestamp": str(timestamp),
                                       "Attribute": attributes}}
        return uuid

    def manifest_text(self):
        return self.manifest or json.dumps({uuid: {"timestamp": event["Event"]["timestamp"], "info": "x"}
                                            for uuid, event in self.events.items()})

    def answer(self, path, headers):
        if path == "/feed/manifest.json":
            return 200, {}, self.manifest_text().encode()
        event = self.events.get(path[len("/feed/"):-len(".json")])
        return (200, {}, json.dumps(event).encode()) if event else (404, {}, b"")

    def asked(self):
        paths = [path for path, _ in self.web_of_events.requests if "manifest" not in path]
        self.web_of_events.requests.clear()
        return [path[-8:-5] for path in paths]

    def add(self):
        self.done("feed", "add", "misp", f"misp+{self.web_of_events.address}/feed/", "--refresh", "1h")

    def refreshed(self):
        before = self.feed("misp")["tried"]
        self.done("feed", "set", "misp", "--max-bytes", "1M")
        self.server.wait_for(lambda: self.feed("misp")["tried"] != before)
        return self.feed("misp")

    def test_only_events_that_changed_are_fetched_again(self):
        self.put(1, 1700000000, "45.148.10.1", "45.148.10.2")
        self.put(2, 1700000000, "45.148.10.2", "45.148.10.3")
        third = self.put(3, 1700000000, "45.148.10.4")
        self.add()
        self.assertEqual((self.asked(), self.feed("misp")["indicators"]), (["001", "002", "003"], 4))
        self.put(1, 1700000001, "45.148.10.9")
        self.put(4, 1700000001, "45.148.10.5")
        del self.events[third]
        feed = self.refreshed()
        self.assertEqual(self.asked(), ["001", "004"])
        self.assertEqual((feed["indicators"], feed["last"]["added"], feed["last"]["removed"]), (4, 2, 2))
        self.assertTrue(self.knows("45.148.10.2"))  # event 2 says so, too
        self.assertFalse(self.knows("45.148.10.4"))
        self.server.stop()
        self.server.start()
        self.refreshed()
        self.assertEqual(self.asked(), [])
        self.done("feed", "set", "misp", "--confidence", "77")
        confidence = lambda: self.server.json("intel", "lookup", "45.148.10.2")[0]["matches"][0]["confidence"]
        self.server.wait_for(lambda: confidence() == 77)
        self.assertEqual(self.asked(), [])
        self.done("feed", "refresh", "misp")  # on request all are
        self.assertEqual(self.asked(), ["001", "002", "004"])

    def test_all_events_or_none(self):
        self.put(1, 1700000000, "45.148.10.1")
        self.add()
        self.put(1, 1700000001, "45.148.10.8")
        second = self.put(2, 1700000001, "45.148.10.2")
        manifest = self.manifest_text()
        event = self.events.pop(second)
        for manifest, expected in [(manifest, "404"),
                                   ('{"../../etc/passwd": {"timestamp": "1"}}', "is no UUID"),
                                   ('{"%s": {}}' % second, "has no timestamp"),
                                   ("[]", "no manifest"), ("<html>", "no JSON"), ("{}", "holds 0 indicators")]:
            self.manifest = manifest
            self.assertIn(expected, self.refused("feed", "refresh", "misp"))
            self.assertTrue(self.knows("45.148.10.1"))
            self.assertFalse(self.knows("45.148.10.8"))
        self.manifest = None
        self.events[second] = event
        self.done("feed", "refresh", "misp")
        self.assertTrue(self.knows("45.148.10.8"))

    def test_a_folder_with_a_manifest_is_read_when_the_manifest_changes(self):
        folder = os.path.join(self.server.folder, "misp")

        def write_all():
            for uuid, event in self.events.items():
                self.write(f"misp/{uuid}.json", json.dumps(event))
            self.write("misp/manifest.json", self.manifest_text())

        self.put(1, 1700000000, "45.148.10.1")
        write_all()
        self.done("feed", "add", "misp", f"misp+file://{folder}", "--refresh", "1h")
        self.put(2, 1700000000, "45.148.10.2")
        write_all()
        self.until_known("45.148.10.2")
        self.assertEqual(self.server.json("intel", "lookup", "45.148.10.2")[0]["matches"][0]["reference"][:36],
                         list(self.events)[1])


class Folders(Fetching):
    def test_a_file_is_read_as_soon_as_it_is_written(self):
        self.write("lists/a.txt", "45.148.10.1\n")
        folder = os.path.join(self.server.folder, "lists")
        self.done("feed", "add", "ours", folder, "--pattern", "*.txt", "--refresh", "1h")
        self.write("lists/b.txt", "45.148.10.2\nnonsense\n")
        self.until_known("45.148.10.2")
        self.assertEqual(self.feed("ours")["problems"][0]["file"], "b.txt")
        match = self.server.json("intel", "lookup", "45.148.10.2")[0]["matches"][0]
        self.assertEqual((match["reference"], match["line"]), ("b.txt", 1))
        os.unlink(f"{folder}/b.txt")
        self.until_known("45.148.10.2", False)

    def add_folder(self):
        self.write("lists/a.txt", "45.148.10.1\n")
        folder = os.path.join(self.server.folder, "lists")
        self.done("feed", "add", "ours", folder, "--refresh", "1h")
        self.until_watched("lists")
        return folder

    def until_watched(self, folder):
        self.write(f"{folder}/watched.txt", "45.148.10.250\n")
        self.until_known("45.148.10.250")

    def test_a_folder_in_anothers_place_is_read_and_watched(self):
        folder = self.add_folder()
        self.write("new/a.txt", "45.148.10.2\n")
        os.rename(folder, folder + ".old")
        os.rename(os.path.join(self.server.folder, "new"), folder)
        self.until_known("45.148.10.2")
        self.assertFalse(self.knows("45.148.10.1"))
        self.until_watched("lists")
        self.write("lists.old/b.txt", "45.148.10.3\n")
        self.write("lists/c.txt", "45.148.10.4\n")
        self.until_known("45.148.10.4")
        self.assertFalse(self.knows("45.148.10.3"))

    def test_a_folder_that_is_made_anew_is_read_and_watched(self):
        folder = self.add_folder()
        shutil.rmtree(folder)
        self.write("lists/a.txt", "45.148.10.2\n")
        self.until_known("45.148.10.2")
        self.until_watched("lists")

    def test_a_folder_below_one_that_is_replaced_is_found(self):
        self.write("above/lists/a.txt", "45.148.10.1\n")
        self.done("feed", "add", "ours", os.path.join(self.server.folder, "above/lists"), "--refresh", "1h")
        os.rename(os.path.join(self.server.folder, "above"), os.path.join(self.server.folder, "gone"))
        self.assertIn("No such file", self.refused("feed", "refresh", "ours"))
        self.write("above/lists/a.txt", "45.148.10.2\n")
        self.until_known("45.148.10.2")  # within half a minute by itself

    def test_a_file_in_anothers_place_is_read_though_its_time_and_size_are_the_same(self):
        path = self.write("ours.txt", "45.148.10.1\n")
        os.utime(path, (1700000000, 1700000000))
        self.done("feed", "add", "ours", path, "--refresh", "1h")
        new = self.write("new.txt", "45.148.10.2\n")
        os.utime(new, (1700000000, 1700000000))
        os.rename(new, path)
        self.until_known("45.148.10.2")

    def test_a_file_that_cannot_be_looked_at_refuses_the_folder(self):
        folder = self.add_folder()
        os.symlink("loop.txt", f"{folder}/loop.txt")
        self.assertIn("loop.txt: Too many levels", self.refused("feed", "refresh", "ours"))
        self.assertTrue(self.knows("45.148.10.1"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
