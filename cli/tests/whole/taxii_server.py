"""A TAXII 2.1 server for tests (OASIS TAXII 2.1): one API root, collections in memory, pages, and its moods."""

import json
import urllib.parse

MEDIA_TYPE = "application/taxii+json;version=2.1"
ROOT = "/api1/"
EMPTY_ROOT = "/api2/"


def indicator(number, pattern, version=0, **more):
    """With an id and times that the number and version make."""
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
            "created": "2026-01-01T00:00:00.000Z", "modified": f"2026-01-01T00:00:{version:02d}.000Z",
            "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z", **more}


def address(number, text, version=0, **more):
    return indicator(number, f"[ipv4-addr:value = '{text}']", version, **more)


class Taxii:
    """To be a Web's `answer`. Objects have the time at which they were added: the number of the addition."""

    def __init__(self, page=2, authorization=None, one_name=False):
        """one_name: as medallion does, call all further pages the same, and remember how far the reader came."""
        self.page = page
        self.one_name = one_name
        self.reached = 0
        self.authorization = authorization
        self.objects = []  # (date added, object)
        self.added = 0
        self.mood = None  # called with (path, query, answer) before it is sent

    def add(self, *objects):
        for item in objects:
            self.added += 1
            self.objects.append((f"2026-02-01T00:00:00.{self.added:06d}Z", item))

    def __call__(self, path, headers):
        if self.authorization and headers["Authorization"] != self.authorization:
            return self.error(401, "no")
        if headers["Accept"] != MEDIA_TYPE:
            return self.error(406, "The media type provided in the Accept header is invalid")
        parts = urllib.parse.urlsplit(path)
        query = urllib.parse.parse_qs(parts.query)
        answer = self.route(parts.path, query)
        return self.mood(parts.path, query, answer) if self.mood else answer

    def route(self, path, query):
        if path == "/taxii2/":
            return self.ok({"title": "test", "api_roots": [EMPTY_ROOT, ROOT]})
        if path == EMPTY_ROOT + "collections/":
            return self.ok({})
        if path == ROOT:
            return self.ok({"title": "root", "versions": [MEDIA_TYPE], "max_content_length": 1000})
        if path == ROOT + "collections/":
            return self.ok({"collections": [{"id": "c1", "title": "Bad hosts", "can_read": True, "can_write": False,
                                             "media_types": ["application/stix+json;version=2.1"]},
                                            {"id": "c2", "title": "Secret", "can_read": False, "can_write": True}]})
        if path == ROOT + "collections/c1/objects/":
            return self.objects_page(query)
        return self.error(404, "The API Root, Collection ID and/or Object ID are not found")

    def objects_page(self, query):
        after = query.get("added_after", [""])[0]
        types = query.get("match[type]", ["indicator"])[0].split(",")
        found = [pair for pair in self.objects if pair[0] > after and pair[1]["type"] in types]
        newest = {item["id"]: item["modified"] for _, item in found}
        found = [pair for pair in found if newest[pair[1]["id"]] == pair[1]["modified"]]
        start = int(query.get("next", ["0"])[0]) if not self.one_name else self.reached if "next" in query else 0
        page = found[start:start + self.page]
        envelope = {"objects": [item for _, item in page]} if page else {}
        if start + self.page < len(found):
            self.reached = start + self.page
            envelope.update(more=True, next="the rest" if self.one_name else str(self.reached))
        headers = {"X-TAXII-Date-Added-First": page[0][0], "X-TAXII-Date-Added-Last": page[-1][0]} if page else {}
        return self.ok(envelope, headers)

    @staticmethod
    def ok(value, headers=None):
        return 200, {"Content-Type": MEDIA_TYPE, **(headers or {})}, json.dumps(value).encode()

    @staticmethod
    def error(status, title):
        return status, {"Content-Type": MEDIA_TYPE}, json.dumps({"title": title, "http_status": str(status)}).encode()
