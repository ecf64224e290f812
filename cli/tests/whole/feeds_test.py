"""Feeds from outside: settings, credentials, whom is trusted, what waits. usage: feeds_test.py PICKET HUB_TESTS"""

import http.server
import json
import os
import ssl
import sys
import threading
import unittest

sys.path.insert(0, sys.argv[2])

from running import CERTIFICATES, Running, setUpModule, tearDownModule  # noqa: E402, F401


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
        self.done("feed", "refresh", "ours", "--accept-shrink")
        self.assertFalse(self.knows("45.148.10.99"))
        self.assertFalse(self.feed("ours")["waits"])
        self.assertEqual(self.server.run("feed", "refresh", "--accept-shrink").returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
