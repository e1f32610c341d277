# SPDX-License-Identifier: BSL-1.0
# client.py <http.client|urllib3|requests|front> <mode> <host> <port> <n> ...: prints what the client has seen as JSON.
#   idle <method> <from> <to>  a request, a wait of so many seconds, and one more on the same connection
#   upload <bytes>             a body that the server refuses
#   close                      requests with Connection: close
# `front` talks to a proxy, and so has a connection of its own for each request.
import http.client
import json
import random
import socket
import sys
import time

kind, mode, host, port, n = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
url = f"http://{host}:{port}/"
LIMIT = 2  # seconds: longer is hung

if kind == "urllib3":
    import urllib3
elif kind == "requests":
    import requests


class Client:
    """One connection at a time, kept alive."""

    def __init__(self):
        if kind == "http.client":
            self.connection = http.client.HTTPConnection(host, port, timeout=LIMIT if mode == "idle" else 60)
        elif kind == "urllib3":
            self.pool = urllib3.HTTPConnectionPool(host, port, maxsize=1, timeout=LIMIT if mode == "idle" else 60,
                                                   retries=False)
        elif kind == "requests":
            self.session = requests.Session()

    def send(self, method, body=None, headers=None):
        headers = headers or {}
        if kind == "http.client":
            self.connection.request(method, "/", body, headers)
            reply = self.connection.getresponse()
            reply.read()
            return reply.status
        if kind == "urllib3":
            return self.pool.request(method, "/", body=body, headers=headers).status
        if kind == "requests":
            timeout = LIMIT if mode == "idle" else 60
            return self.session.request(method, url, data=body, headers=headers, timeout=timeout).status_code
        connection = http.client.HTTPConnection(host, port, timeout=LIMIT)
        try:
            connection.request(method, "/", body, {"Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()

    def close(self):
        for what in ("connection", "pool", "session"):
            if hasattr(self, what):
                getattr(self, what).close()


def is_late(error):
    return isinstance(error, (socket.timeout, TimeoutError)) or "imed out" in str(error) or "imeout" in str(error)


def main():
    seen = {"ok": 0, "failed": 0, "hung": 0}
    for _ in range(n):
        client = Client()
        try:
            if mode == "idle":
                method, low, high = sys.argv[6], float(sys.argv[7]), float(sys.argv[8])
                body = b"x" if method == "POST" else None
                if client.send(method, body) != 200:
                    continue  # a front whose connection was stale already
                time.sleep(random.uniform(low, high))
                seen["ok" if client.send(method, body) == 200 else "failed"] += 1
            elif mode == "upload":
                seen["ok" if client.send("POST", b"x" * int(sys.argv[6])) == 413 else "failed"] += 1
            else:
                seen["ok" if client.send("GET", None, {"Connection": "close"}) == 200 else "failed"] += 1
        except Exception as error:  # whatever a library raises, its user has lost the request
            seen["hung" if is_late(error) else "failed"] += 1
        client.close()
    print(json.dumps(seen))


main()
