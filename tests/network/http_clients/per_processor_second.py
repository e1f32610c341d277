# SPDX-License-Identifier: BSL-1.0
# Requests and connections that http_server and nginx serve in a second of their own processor time, under wrk. Both have
# one thread, the same reply of 6 bytes and no log.
#   per_processor_second.py <http_server> [rounds, 5 [seconds, 4]]
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from waiting import eventually, listens

OURS = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
work = pathlib.Path(tempfile.mkdtemp(prefix="per_processor_second"))
(work / "nginx.conf").write_text(f"""user root; daemon off; master_process off; pid {work}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; default_type text/plain;
server {{ listen 127.0.0.1:18081 backlog=4096; location / {{ return 200 "hello\\n"; }} }} }}
""")
servers = {"http_server": ([OURS, "--address", "127.0.0.1", "--port", "18080"], 18080),
           "nginx": (["nginx", "-c", str(work / "nginx.conf")], 18081)}
loads = {"requests": [], "connections": ["-H", "Connection: close"]}


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


running = {}
for name, (command, port) in servers.items():
    running[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not eventually(lambda: listens("127.0.0.1", port)):
        sys.exit(f"{name} does not listen on port {port}")
rates = {(load, name): [] for load in loads for name in servers}
walls = {(load, name): [] for load in loads for name in servers}
for _ in range(ROUNDS):
    for load, options in loads.items():
        for name, (_, port) in servers.items():
            before = processor_seconds(running[name])
            said = subprocess.run(["wrk", "-t1", "-c64", f"-d{SECONDS}s", *options, f"http://127.0.0.1:{port}/"],
                                  capture_output=True, text=True, check=True).stdout
            if "Socket errors" in said or "Non-2xx" in said:
                print(name, load, said)
            served = int(re.search(r"(\d+) requests in", said).group(1))
            rates[load, name].append(served / (processor_seconds(running[name]) - before))
            walls[load, name].append(served / SECONDS)
for process in running.values():
    process.terminate()
    process.wait()
print("| in a second of the server's processor time | " + " | ".join(servers) + " |")
print("|---|" + "---|" * len(servers))
for load in loads:
    print(f"| {load}, median of {ROUNDS} (least, most) | " + " | ".join(
        f"{statistics.median(r):,.0f} ({min(r):,.0f}, {max(r):,.0f})" for r in (rates[load, n] for n in servers)) + " |")
    print(f"| {load} in a second of time | " + " | ".join(
        f"{statistics.median(walls[load, n]):,.0f}" for n in servers) + " |")
shutil.rmtree(work)
