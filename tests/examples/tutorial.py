#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tutorial.py PAGE PROGRAMS SOURCES HEADING: does what a step of the tutorial tells its reader to do.

Under HEADING of PAGE, a ```console block is what a terminal shows: a line `$ command` is typed, `# command` as root, and what
follows is what it prints. A command that starts a program of build/default/bin in front is the server, in a terminal of its
own; a ```text block is what that terminal shows from then on. A ```cpp block stands in a file of SOURCES that the step
names, as it is. Numbers may differ where a machine decides: times, ports, process ids. Ports of the page become free ones.
"""
import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time

PATIENCE = 30  # seconds, for each line that is waited for
SKIPPED = 77   # ctest's SKIP_RETURN_CODE
PROGRAMS_OF_THE_PAGE = "build/default/bin/"


class failed(Exception):
    pass


def blocks_under(page, heading):
    """(kind, lines) of every fenced block under a heading of the second level; and the text there."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    for title, body in zip(parts[1::2], parts[2::2]):
        if title.strip() == heading:
            return [(kind, lines.splitlines()) for kind, lines in re.findall(r"^```(\w+)\n(.*?)^```$", body, re.M | re.S)], body
    raise failed(f"{page} has no heading '## {heading}'")


def same(shown, seen):
    """Whether a line is as the page shows it; `...` stands for anything, and numbers that a machine decides may differ."""
    shown, seen = (re.sub(r"\s+", " ", line.rstrip()) for line in (shown, seen))
    pattern = re.escape(shown)
    pattern = pattern.replace(re.escape("..."), ".*")
    pattern = re.sub(r"(elapsed_us=|127\\\.0\\\.0\\\.1:|process\\ |read\\ |discarded=(?!0))\d+", r"\1\\d+", pattern)
    pattern = re.sub(r"(Linux\\ )[\w.\\-]+", r"\1\\S+", pattern)
    return re.fullmatch(pattern, seen) is not None


class lines_of:
    """The lines of a pipe, each waited for with a deadline."""

    def __init__(self, pipe):
        self.pipe, self.rest, self.ended = pipe, b"", False

    def next(self, wanted):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.rest and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.pipe], [], [], left)[0]:
                raise failed(f"waited {PATIENCE} s for: {wanted}")
            more = os.read(self.pipe.fileno(), 65536)
            self.ended = not more
            self.rest += more
        line, found, self.rest = self.rest.partition(b"\n")
        if not found and not line:
            raise failed(f"the output ended before: {wanted}")
        return line.decode(errors="replace")


class step:
    def __init__(self, programs, directory):
        self.programs, self.server, self.port, self.pid = os.path.abspath(programs), None, None, None
        self.processes = []
        self.shell = self.start(["sh"], directory, stdin=subprocess.PIPE)
        self.output = lines_of(self.shell.stdout)
        self.marks = 0

    def start(self, command, directory, **how):
        process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)
        self.processes.append(process)
        return process

    def type(self, command, directory, expected):
        in_front = command.split()[0].startswith(PROGRAMS_OF_THE_PAGE) and not command.rstrip().endswith("&")
        command = command.replace(PROGRAMS_OF_THE_PAGE, shlex.quote(self.programs) + "/")
        if in_front and expected and " on 127.0.0.1:" in expected[0]:
            self.server = lines_of(self.start(shlex.split(command) + ["0"], directory).stdout)
            first = self.expect(self.server, expected)[0]
            self.port = (re.search(r" on 127\.0\.0\.1:(\d+)", expected[0])[1], re.search(r" on 127\.0\.0\.1:(\d+)", first)[1])
            shown = re.search(r"process (\d+)", expected[0])
            self.pid = (shown[1], re.search(r"process (\d+)", first)[1]) if shown else None
            return
        for replaced in (self.port, self.pid):
            if replaced:
                command = re.sub(rf"\b{replaced[0]}\b", replaced[1], command)
        self.marks += 1
        mark = f"-- {self.marks} {os.getpid()} --"
        # What a command prints without a line end must not hide the mark.
        self.shell.stdin.write(f"{command}\nprintf '\\n%s\\n' '{mark}'\n".encode())
        self.shell.stdin.flush()
        seen = []
        while not seen or seen[-1] != mark:
            seen.append(self.output.next(f"the end of `{command}`, after {seen}"))
        seen.pop()
        while seen and not seen[-1]:
            seen.pop()
        if len(seen) != len(expected) or not all(map(same, expected, seen)):
            raise failed("`{}` printed\n  {}\nand the page says\n  {}".format(command, "\n  ".join(seen), "\n  ".join(expected)))

    def expect(self, source, expected):
        seen = []
        for line in expected:
            seen.append(source.next(line))
            if not same(line, seen[-1]):
                raise failed(f"the server printed\n  {seen[-1]}\nand the page says\n  {line}")
        return seen

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def commands_in(lines):
    """(command, whether root types it, what it prints)"""
    typed = []
    for line in lines:
        if line.startswith(("$ ", "# ")):
            typed.append((line[2:], line[0] == "#", []))
        elif typed:
            typed[-1][2].append(line)
        else:
            raise failed(f"a console block begins with what is no command: {line}")
    return typed


def check_code(code, body, sources):
    named = re.findall(r"\[([a-z_]+\.cpp)\]\(", body)
    for name in named:
        with open(os.path.join(sources, name), encoding="utf-8") as file:
            if "\n".join(code) in file.read():
                return
    raise failed(f"no file of {named} has these lines:\n" + "\n".join(code))


def main(page, programs, sources, heading):
    blocks, body = blocks_under(page, heading)
    missing = [p for p in ("curl", "nc", "openssl", "ss", "unshare", "sysctl") if re.search(rf"^[$#] .*\b{p} ", body, re.M) and
               subprocess.run(["sh", "-c", f"command -v {p}"], stdout=subprocess.DEVNULL, check=False).returncode]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} is not here")
        return SKIPPED
    with tempfile.TemporaryDirectory() as directory:
        done = 0
        running = step(programs, directory)
        try:
            for kind, lines in blocks:
                if kind == "cpp":
                    check_code(lines, body, sources)
                elif kind == "text":
                    running.expect(running.server, lines)
                elif kind == "console":
                    for command, as_root, expected in commands_in(lines):
                        if as_root and os.geteuid() != 0:
                            print(f"SKIPPED: only root can do `{command}`")
                            return SKIPPED
                        running.type(command, directory, expected)
                        done += 1
        finally:
            running.end()
    if done == 0:
        raise failed(f"nothing is typed under '{heading}'")
    print(f"{done} commands did what the page says")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except failed as why:
        sys.exit(f"tutorial.py: {why}")
