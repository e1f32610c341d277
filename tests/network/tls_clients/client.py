# SPDX-License-Identifier: BSL-1.0
# client.py <port> <requests> keep|close|end: fetches /large and prints how many bytes came. Any exception is a failure.
import http.client
import socket
import ssl
import sys

port, requests, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def fetch(connection, headers):
    connection.request("GET", "/large", headers=headers)
    return len(connection.getresponse().read())


def read_to_the_end(number):
    """With SSLEOFError where the connection ends without close_notify."""
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with context.wrap_socket(plain, suppress_ragged_eofs=False) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
        if number % 2:
            connection.unwrap()
    return len(reply) - reply.index(b"\r\n\r\n") - 4


total = 0
if how == "keep":
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    total = sum(fetch(connection, {}) for _ in range(requests))
    connection.close()
for number in range(0 if how == "keep" else requests):
    if how == "end":
        total += read_to_the_end(number)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        total += fetch(connection, {"Connection": "close"})
        connection.close()
print(total)
