# SPDX-License-Identifier: BSL-1.0
"""Waits for what holds sooner or later."""
import socket
import time


def eventually(holds, seconds=10.0):
    """Looks until it holds. False after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def listens(address, port):
    try:
        socket.create_connection((address, port)).close()
        return True
    except OSError:
        return False
