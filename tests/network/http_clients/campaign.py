# SPDX-License-Identifier: BSL-1.0
# What real HTTP clients and proxies see of the ends that servers give their connections: http_server beside nginx,
# HAProxy, Go and Node in one run, at a round trip of 20 ms. Prints Markdown; the exit status is 0 if http_server is as
# good as nginx. Needs root, for network namespaces of its own; whoever is not installed is left out.
#   campaign.py <http_server> [trials of each client in each row, 60 [queued|told|413|idle...]]
import concurrent.futures
import json
import math
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from delayed_link import SERVER, Link
from waiting import eventually, listens

HERE = pathlib.Path(__file__).resolve().parent
OURS = os.path.abspath(sys.argv[1])
TRIALS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
IDLE = 0.25  # seconds until a server ends an idle connection, where that is asked for
ROUND_TRIP = 0.02
LARGE = 500_000
PORT = 8080
link = Link(ROUND_TRIP / 2)
work = pathlib.Path(tempfile.mkdtemp(prefix="http_clients"))
failures = []


def has(program):
    return shutil.which(program) is not None


def build_go(name):
    if has("go"):
        environment = {**os.environ, "GOCACHE": str(work / "go"), "GOFLAGS": "-mod=mod", "HOME": str(work)}
        subprocess.run(["go", "build", "-o", str(work / name), str(HERE / f"{name}.go")], check=True, env=environment)
    return (work / name).exists()


# Servers: name -> (command for an idle time-out of so many seconds, path of the large reply, signal of an orderly stop)

def nginx_server(idle):
    (work / "large").write_text("x" * LARGE)
    (work / "nginx.conf").write_text(f"""user root; daemon off; worker_processes 1; pid {work}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_timeout {int(idle * 1000)}ms; keepalive_requests 1000000; client_max_body_size 1m;
server {{ listen {PORT} backlog=4096; location = / {{ return 200 "hello\\n"; }} location = /large {{ root {work}; }} }} }}
""")
    return ["nginx", "-c", str(work / "nginx.conf")]


def haproxy_server(idle):
    (work / "haproxy.cfg").write_text(f"""global
  tune.bufsize 1000000
defaults
  mode http
  timeout client 30s
  timeout http-keep-alive {int(idle * 1000)}ms
frontend f
  bind :{PORT}
  http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt 1048576 }}
  http-request return status 200 content-type text/plain file {work}/large if {{ path /large }}
  http-request return status 200 content-type text/plain string hello
""")
    (work / "large").write_text("x" * LARGE)
    return ["haproxy", "-db", "-f", str(work / "haproxy.cfg")]


def ours(idle):
    return [OURS, "--port", str(PORT), "--address", "0.0.0.0", "--idle", str(idle)]


servers = {"http_server": (ours, f"/bytes/{LARGE}", signal.SIGTERM)}
if has("nginx"):
    servers["nginx"] = (nginx_server, "/large", signal.SIGQUIT)
if has("haproxy"):
    servers["HAProxy"] = (haproxy_server, "/large", signal.SIGUSR1)
if build_go("server"):
    servers["Go"] = (lambda idle: [str(work / "server"), str(PORT), str(int(idle * 1000))], "/large", signal.SIGTERM)
if has("node"):
    servers["Node"] = (lambda idle: ["node", str(HERE / "server.js"), str(PORT), str(int(idle * 1000))], "/large",
                       signal.SIGTERM)


class Running:
    def __init__(self, name, idle=30.0):
        self.process = subprocess.Popen(servers[name][0](idle), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not eventually(lambda: listens(SERVER, PORT)):
            raise RuntimeError(f"{name} does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # Whoever comes next binds the same port.
        subprocess.run(["ss", "-K", "sport", f"= :{PORT}"], capture_output=True, check=False)


# Clients: name -> command in front of <mode> <host> <port> <n> ...

python = sys.executable
clients = {"Python http.client": [python, str(HERE / "client.py"), "http.client"]}
for package in ("urllib3", "requests"):
    if subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode == 0:
        clients[package] = [python, str(HERE / "client.py"), package]
if has("node"):
    clients["Node http.Agent"] = ["node", str(HERE / "client.js"), "agent"]
    clients["Node fetch"] = ["node", str(HERE / "client.js"), "fetch"]
if build_go("client"):
    clients["Go"] = [str(work / "client")]
if has("javac"):
    subprocess.run(["javac", "-d", str(work), str(HERE / "Client.java")], check=True)
    clients["Java"] = ["java", "-cp", str(work), "Client"]


def run(command, **options):
    return subprocess.run(link.client + command, capture_output=True, text=True, timeout=600, **options)


def by_script(command, mode, n, *more, port=PORT, host=SERVER):
    done = run([*command[:1], *command[1:], mode, host, str(port), str(n), *map(str, more)])
    return json.loads(done.stdout) if done.returncode == 0 else {"ok": 0, "failed": n, "hung": 0}


def by_front(port, low, high):
    return {method: by_script([python, str(HERE / "client.py"), "front"], "idle", TRIALS, method, low, high, port=port,
                              host="127.0.0.1") for method in ("GET", "POST")}


def by_curl(mode, n, *more):
    seen = {"ok": 0, "failed": 0, "hung": 0}
    url = f"http://{SERVER}:{PORT}/"
    for _ in range(n):
        wanted, out = "200", ["-o", "/dev/null"]
        if mode == "idle":
            method, low, high = more
            body = ["-d", "x"] if method == "POST" else []
            gap = low + (high - low) * int.from_bytes(os.urandom(2), "big") / 65536
            # So many transfers a minute: one begins so long after the one before has begun.
            arguments = [*body, "--rate", f"{int(60 / (gap + 2 * ROUND_TRIP))}/m", *out, url, *out, url]
            wanted = "200200"
        elif mode == "upload":
            arguments = [*out, "-H", "Expect:", "--data-binary", f"@{work}/upload", url]
            wanted = "413"
        else:
            arguments = [*out, "-H", "Connection: close", url]
        limit = "2.5" if mode == "idle" else "60"
        done = run(["curl", "-s", "--max-time", limit, "-w", "%{http_code}", *arguments])
        good = done.stdout == wanted and (done.returncode == 0 or mode == "upload")
        seen["ok" if good else "hung" if done.returncode == 28 else "failed"] += 1
    return seen


def start_proxies():
    """nginx and HAProxy as clients of the server, each on a port of the clients' host."""
    started, ports = [], {}
    if has("nginx"):
        (work / "front.conf").write_text(f"""user root; daemon off; worker_processes 1; pid {work}/front.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; upstream u {{ server {SERVER}:{PORT}; keepalive 16; }}
server {{ listen 127.0.0.1:9001; location / {{ proxy_pass http://u; proxy_http_version 1.1;
proxy_set_header Connection ""; }} }} }}
""")
        started.append(subprocess.Popen(link.client + ["nginx", "-c", str(work / "front.conf")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        ports["nginx, upstream keepalive"] = 9001
    if has("haproxy"):
        (work / "front.cfg").write_text(f"""defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
  retry-on conn-failure empty-response
frontend f
  bind 127.0.0.1:9002
  default_backend b
backend b
  server s {SERVER}:{PORT} check inter 500ms
""")
        started.append(subprocess.Popen(link.client + ["haproxy", "-db", "-f", str(work / "front.cfg")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        ports["HAProxy, retry-on, health checks"] = 9002
    for name, port in ports.items():
        there = [*link.client, "ss", "-Htln", f"( sport = :{port} )"]
        if not eventually(lambda: subprocess.run(there, capture_output=True, text=True, check=True).stdout):
            raise RuntimeError(f"{name} does not listen")
    return started, ports


def fails_more_often(a, b, c, d):
    """Fisher's exact test, one-sided: the chance of a or more failures of a + b here, where there c of c + d failed."""
    n, row, column = a + b + c + d, a + b, a + c
    total = math.comb(n, row)
    return sum(math.comb(column, k) * math.comb(n - column, row - k) for k in range(a, min(row, column) + 1)) / total


def table(title, rows, names):
    print(f"\n**{title}**\n")
    print("| client | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for row, cells in rows.items():
        print(f"| {row} | " + " | ".join(cells.get(name, "") for name in names) + " |")
    sys.stdout.flush()


def idle_kicks():
    # What reaches the server in a round trip before its FIN leaves, or is sent before that arrives, crosses it.
    low, high = IDLE - 1.5 * ROUND_TRIP, IDLE + 0.25 * ROUND_TRIP
    rows, sums, hung = {}, {}, 0
    for name in servers:
        with Running(name, IDLE):
            proxies, ports = start_proxies()
            jobs = {}
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                for method in ("GET", "POST"):
                    for client, command in clients.items():
                        jobs[client, method] = pool.submit(by_script, command, "idle", TRIALS, method, low, high)
                    if has("curl"):
                        jobs["curl", method] = pool.submit(by_curl, "idle", TRIALS, method, low, high)
                # One at a time: whoever else uses the proxy's connections, they are not idle.
                fronts = {client: pool.submit(by_front, port, low, high) for client, port in ports.items()}
            for p in proxies:
                p.terminate()  # not kill: nginx's worker would live on
                p.wait()
        total = [0, 0]
        results = {key: job.result() for key, job in jobs.items()}
        for client, job in fronts.items():
            results.update({(client, method): seen for method, seen in job.result().items()})
        for (client, method), seen in results.items():
            rows.setdefault(f"{client}, {method}", {})[name] = (
                f"{seen['failed']} of {sum(seen.values())}" + (f", {seen['hung']} **hung**" if seen["hung"] else ""))
            total[0] += seen["failed"] + seen["hung"]
            total[1] += seen["ok"]
            if name == "http_server":
                hung += seen["hung"]
        sums[name] = total
        rows.setdefault("all", {})[name] = f"{total[0]} of {sum(total)}"
    rows["all"] = rows.pop("all")
    table("Idle kick: failed requests that cross the server's FIN", rows, list(servers))
    if hung:
        failures.append(f"{hung} requests hung")
    if "nginx" in sums:
        p = fails_more_often(*sums["http_server"], *sums["nginx"])
        print(f"\nFisher's exact test, http_server fails more often than nginx: p = {p:.3f}")
        if p < 0.01:
            failures.append("idle kicks fail more often than with nginx")


def early_413():
    rows, sums = {}, {}
    for name in servers:
        with Running(name):
            for mebibytes, n in ((8, 10), (64, 3)):
                with open(work / "upload", "wb") as f:
                    f.truncate(mebibytes << 20)
                for client, command in {**clients, **({"curl": None} if has("curl") else {})}.items():
                    seen = (by_curl("upload", n) if client == "curl" else
                            by_script(command, "upload", n, mebibytes << 20))
                    rows.setdefault(f"{client}, {mebibytes} MiB", {})[name] = (
                        f"{seen['ok']} of {n}" + (f", {seen['hung']} **hung**" if seen["hung"] else ""))
                    of = sums.setdefault((name, mebibytes), [0, 0])
                    of[0] += seen["ok"]
                    of[1] += n
                    if name == "http_server" and seen["hung"]:
                        failures.append(f"{client} hung at a 413")
    for mebibytes in (8, 64):
        rows[f"all, {mebibytes} MiB"] = {name: "{} of {}".format(*sums[name, mebibytes]) for name in servers}
        if "nginx" in servers and sums["http_server", mebibytes][0] < sums["nginx", mebibytes][0]:
            failures.append(f"the 413 of {mebibytes} MiB is seen less often than with nginx")
    table("Early 413: seen, of so many uploads", rows, list(servers))


def time_waits(where):
    done = subprocess.run([*where, "ss", "-Htan", "state", "time-wait", f"( sport = :{PORT} or dport = :{PORT} )"],
                          capture_output=True, text=True, check=True)
    return {tuple(line.split()[2:4]) for line in done.stdout.splitlines()}


def nothing_closes():
    """The last FINs are through: what is left is TIME-WAIT, or open."""
    states = ["state", "fin-wait-1", "state", "fin-wait-2", "state", "close-wait", "state", "last-ack", "state", "closing"]
    end = f"( sport = :{PORT} or dport = :{PORT} )"
    return not any(subprocess.run([*where, "ss", "-Htan", *states, end], capture_output=True, text=True,
                                  check=True).stdout for where in (link.client, []))


def told_to_close():
    rows = {}
    at_clients = everywhere = 0
    everyone = dict(clients)
    for name in servers:
        with Running(name):
            jobs = [(client, lambda command=command: by_script(command, "close", 40)) for client, command in
                    everyone.items()]
            if has("curl"):
                jobs.append(("curl", lambda: by_curl("close", 40)))
            if has("wrk"):
                jobs.append(("wrk", lambda: run(["wrk", "-t1", "-c20", "-d2s", "-H", "Connection: close",
                                                 f"http://{SERVER}:{PORT}/"])))
            if has("ab"):
                jobs.append(("ab -k, HTTP/1.0", lambda: run(["ab", "-k", "-n500", "-c5", f"http://{SERVER}:{PORT}/"])))
            for client, job in jobs:
                before = time_waits(link.client), time_waits([])
                job()
                if not eventually(nothing_closes):
                    failures.append(f"{client} and {name} do not end their connections")
                there, here = len(time_waits(link.client) - before[0]), len(time_waits([]) - before[1])
                rows.setdefault(client, {})[name] = f"{there} / {here}"
                if name == "http_server" and not client.startswith("ab"):
                    at_clients += there
                    everywhere += there + here
    table("Told to close: TIME-WAIT at the client / at the server", rows, list(servers))
    print(f"\nhttp_server: {at_clients} of {everywhere} TIME-WAITs at the clients")
    if at_clients < 0.99 * everywhere:
        failures.append("TIME-WAIT stays at the server")


def read_to_the_end(connection):
    data = b""
    try:
        while True:
            part = connection.recv(1 << 20)
            if not part:
                return data
            data += part
    except OSError:
        return data


def queued_at_stop():
    """Replies that are queued when the signal comes are read afterwards; here, since only this host can wait that exactly."""
    cells = {}
    for name, (_, path, stop) in servers.items():
        with Running(name) as server:
            connections = []
            for _ in range(50):
                c = socket.create_connection((SERVER, PORT))
                c.settimeout(10)
                c.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                connections.append(c)
            if not eventually(lambda: all(select.select([c], [], [], 0)[0] for c in connections)):
                failures.append(f"{name} does not reply")
            server.process.send_signal(stop)
            eventually(lambda: not listens(SERVER, PORT) or server.process.poll() is not None, 2)
            whole = sum(read_to_the_end(c).count(b"x") >= LARGE for c in connections)
            for c in connections:
                c.close()
            try:
                server.process.wait(10)
                status = ""
            except subprocess.TimeoutExpired:
                status = ", does not end"
        cells[name] = f"{50 - whole} of 50{status}"
        if name == "http_server" and whole != 50:
            failures.append("queued replies are lost at the stop")
    table("Stopped by its own signal: replies lost of those that are queued", {"a raw client": cells}, list(servers))


def main():
    begin = time.monotonic()
    parts = {"queued": queued_at_stop, "told": told_to_close, "413": early_413, "idle": idle_kicks}
    for name in sys.argv[3:] or parts:
        parts[name]()
    print(f"\n{time.monotonic() - begin:.0f} s")
    for f in failures:
        print("FAILED:", f)
    shutil.rmtree(work)
    os.kill(link.process, signal.SIGTERM)
    sys.exit(1 if failures else 0)


main()
