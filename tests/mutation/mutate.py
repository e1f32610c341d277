#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Changes the headers one small thing at a time, and runs the tests that cover them: a change that no test notices is a
hole in the tests, or makes no difference, which mutations.list then has to explain.

The tree itself is never changed: the header that is wrong lies in a directory that the compiler looks into first. What
has been judged is kept in build/mutation/results, so that a run can be stopped and goes on where it was."""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
INCLUDE = ROOT / "include" / "closeside"
BUILD = ROOT / "build" / "mutation"
LEAST = 100

# What every program of tests gets, in an archive: compiled once, since no mutation is in it.
SUPPORT = [
    "main.cpp",
    "host/config_trees.cpp",
    "host/config_trees_real.cpp",
    "fuzz/target.cpp",
    "../examples/tools/check/follow_address.cpp",
    "../examples/tools/check/follow_destroyed.cpp",
]
# The first of these has the main() of doctest, the second that of the corpus.
MAINS = {"doctest": "main.cpp", "fuzz": "fuzz/play_corpus.cpp"}


@dataclasses.dataclass
class Mutation:
    file: str
    name: str
    before: str
    after: str
    tests: list[str]
    equivalent: str = ""

    def mutated(self) -> str:
        text = (INCLUDE / self.file).read_text()
        if text.count(self.before) != 1:
            raise SystemExit(f"{self.file}: {self.name}: its anchor stands there {text.count(self.before)} times, "
                             f"not once: {self.before}")
        return text.replace(self.before, self.after)

    def fingerprint(self) -> str:
        h = hashlib.sha256(self.mutated().encode())
        for test in self.tests:
            h.update((TESTS / test).read_bytes())
        return h.hexdigest()[:16]


def read_list(path: pathlib.Path) -> list[Mutation]:
    """`file: tests`, then for each mutation its name, `-` the text, `+` what stands there instead, and `= why` where it
    makes no difference."""
    mutations: list[Mutation] = []
    file, tests = "", []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        kind, rest = line[:2], line[2:]
        if not line.strip() or line.startswith("#"):
            continue
        if header := re.fullmatch(r"(\S+\.[hi]pp): (.+)", line):
            file, tests = header[1], header[2].split()
        elif kind == "- ":
            mutations[-1].before += ("\n" if mutations[-1].before else "") + rest
        elif kind in ("+ ", "+"):
            mutations[-1].after += ("\n" if mutations[-1].after else "") + rest
        elif kind == "= ":
            mutations[-1].equivalent += (" " if mutations[-1].equivalent else "") + rest
        elif re.fullmatch(r"[a-z0-9 ,'-]+", line) and file:
            mutations.append(Mutation(file, line, "", "", tests))
        else:
            raise SystemExit(f"{path}:{number}: not understood: {line}")
    return mutations


def check(mutations: list[Mutation]) -> None:
    """The list fits the sources; costs nothing, so that it is an ordinary test."""
    seen = set()
    for m in mutations:
        if (m.file, m.name) in seen:
            raise SystemExit(f"{m.file}: {m.name}: stands there twice")
        seen.add((m.file, m.name))
        if not m.before or m.before == m.after:
            raise SystemExit(f"{m.file}: {m.name}: changes nothing")
        if m.equivalent and len(m.equivalent) < 20:
            raise SystemExit(f"{m.file}: {m.name}: its reason explains nothing: {m.equivalent}")
        m.fingerprint()
    if len(mutations) < LEAST:
        raise SystemExit(f"{len(mutations)} mutations, fewer than {LEAST}")
    explained = sum(1 for m in mutations if m.equivalent)
    print(f"{len(mutations)} mutations of {len({m.file for m in mutations})} files, {explained} of them explained")


class Programs:
    """Compiles and runs tests."""

    def __init__(self) -> None:
        self.flags = ["-std=c++20", "-O0", "-w", "-pthread", "-DASIO_STANDALONE", "-DASIO_NO_DEPRECATED",
                      "-DDOCTEST_CONFIG_USE_STD_HEADERS"]
        self.includes = [f"-I{ROOT / 'include'}", f"-I{TESTS}", f"-I{ROOT / 'examples' / 'tools'}"]
        self.compiler = [os.environ.get("CXX", "g++")]
        if subprocess.run(["which", "ccache"], capture_output=True, check=False).returncode == 0:
            self.compiler.insert(0, "ccache")
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(ROOT), CCACHE_NOHASHDIR="true")

    def compile(self, source: pathlib.Path, to: pathlib.Path, first: list[str], extra: list[str]) -> str:
        """Nothing, or the compiler's words."""
        done = subprocess.run(self.compiler + self.flags + extra + first + self.includes + ["-c", str(source), "-o", str(to)],
                              capture_output=True, text=True, env=self.environment, check=False)
        return "" if done.returncode == 0 else done.stderr

    def prepare(self) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        objects = []
        sources = SUPPORT + ["fuzz/play_corpus.cpp"]
        sources += [f"../examples/tools/observation/{p.name}" for p in (ROOT / "examples/tools/observation").glob("*.cpp")]
        for source in sources:
            to = BUILD / (source.replace("/", "_").replace("..", "") + ".o")
            if problem := self.compile(TESTS / source, to, [], []):
                raise SystemExit(problem)
            if source not in MAINS.values():
                objects.append(str(to))
        archive = BUILD / "support.a"
        archive.unlink(missing_ok=True)
        subprocess.run(["ar", "rcs", str(archive)] + objects, check=True)

    def run(self, test: str, place: pathlib.Path, first: list[str]) -> str:
        """How the tests of one file end: nothing if they pass."""
        is_model = test.startswith("model/")
        is_fuzz = test.startswith("fuzz/")
        name = test.replace("/", "_")
        if problem := self.compile(TESTS / test, place / f"{name}.o", first, ["-O2"] if is_model else []):
            return "the compiler: " + next((l for l in problem.splitlines() if "error" in l), problem)[:160]
        main = BUILD / (MAINS["fuzz" if is_fuzz else "doctest"].replace("/", "_") + ".o")
        program = place / name.removesuffix(".cpp")
        linked = subprocess.run(self.compiler + ["-pthread", str(main), str(place / f"{name}.o"), str(BUILD / "support.a"),
                                                 "-o", str(program)], capture_output=True, text=True, check=False)
        if linked.returncode != 0:
            return "the linker: " + linked.stderr[:160]
        arguments = [str(TESTS / "fuzz" / "corpus")] if is_fuzz else ["--test-case-exclude=network:*", "--minimal"]

        def limits() -> None:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (300, 300))

        try:
            ran = subprocess.run([str(program)] + arguments, capture_output=True, text=True, errors="replace", timeout=600,
                                 cwd=place, check=False, preexec_fn=limits)
        except subprocess.TimeoutExpired:
            return f"{test}: no end"
        if ran.returncode == 0:
            return ""
        title = re.search(r"TEST CASE:\s+(.*)", ran.stdout) or re.search(r"broken: (.*)", ran.stderr)
        return f"{test}: {title[1].strip() if title else f'status {ran.returncode}'}"


class Results:
    """A line for each that has been judged: fingerprint, file, name, what killed it (`-`: nothing)."""

    def __init__(self) -> None:
        self.path = BUILD / "results"
        self.lock = threading.Lock()
        self.known: dict[str, str] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                fingerprint, _, _, killer = line.split("\t")
                self.known[fingerprint] = killer

    def add(self, m: Mutation, killer: str) -> None:
        with self.lock:
            self.known[m.fingerprint()] = killer or "-"
            with self.path.open("a") as out:
                one_line = killer.replace("\t", " ").replace("\n", " ") or "-"
                out.write(f"{m.fingerprint()}\t{m.file}\t{m.name}\t{one_line}\n")

    def of(self, m: Mutation) -> str | None:
        return self.known.get(m.fingerprint())


class Judge:
    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.lock = threading.Lock()
        self.sound: dict[str, threading.Lock] = {}

    def require_sound(self, test: str) -> None:
        """Tests that fail by themselves would kill everything."""
        with self.lock:
            first = test not in self.sound
            turn = self.sound.setdefault(test, threading.Lock())
        with turn:
            if not first:
                return
            place = BUILD / ("sound_" + test.replace("/", "_"))
            place.mkdir(exist_ok=True)
            problem = self.programs.run(test, place, [])
            subprocess.run(["rm", "-rf", str(place)], check=False)
            if problem:
                print(f"without any mutation there fails {problem}", file=sys.stderr, flush=True)
                os._exit(2)

    def __call__(self, m: Mutation) -> str:
        """What notices it: the first of its tests that fails."""
        place = BUILD / hashlib.sha256(f"{m.file} {m.name}".encode()).hexdigest()[:12]
        mutated = place / "include" / "closeside" / m.file
        mutated.parent.mkdir(parents=True, exist_ok=True)
        mutated.write_text(m.mutated())
        try:
            for test in m.tests:
                self.require_sound(test)
                if killer := self.programs.run(test, place, [f"-I{place / 'include'}"]):
                    return killer
            return ""
        finally:
            subprocess.run(["rm", "-rf", str(place)], check=False)


def report(mutations: list[Mutation], results: Results) -> int:
    judged = [(m, results.of(m)) for m in mutations if results.of(m) is not None]
    survivors = [m for m, killer in judged if killer == "-" and not m.equivalent]
    revived = [(m, killer) for m, killer in judged if killer != "-" and m.equivalent]
    killed = sum(1 for _, killer in judged if killer != "-")
    explained = sum(1 for m, killer in judged if killer == "-" and m.equivalent)
    for m in survivors:
        print(f"SURVIVES  {m.file}: {m.name}")
    for m, killer in revived:
        print(f"NOT EQUIVALENT  {m.file}: {m.name}, killed by {killer}")
    print(f"{len(judged)} of {len(mutations)} judged: {killed} killed, {explained} explained, {len(survivors)} survive")
    return 1 if survivors or revived else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only: does the list fit the sources?")
    parser.add_argument("--list", action="store_true", help="print the mutations, and what is known of each")
    parser.add_argument("--only", metavar="FILE", help="those of the headers whose path holds this")
    parser.add_argument("--sample", type=int, metavar="N", help="so many, by chance (the seed is said)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    parser.add_argument("--again", action="store_true", help="also those that have been judged")
    parser.add_argument("--minutes", type=float, default=600, help="begin none after so many minutes")
    parser.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0))))
    asked = parser.parse_args()

    mutations = read_list(pathlib.Path(__file__).with_name("mutations.list"))
    if asked.check:
        check(mutations)
        return 0
    chosen = [m for m in mutations if not asked.only or asked.only in m.file]
    if not chosen:
        raise SystemExit(f"no header with mutations has '{asked.only}' in its path")
    if asked.sample:
        print(f"seed {asked.seed}")
        chosen = random.Random(asked.seed).sample(chosen, min(asked.sample, len(chosen)))
    results = Results() if BUILD.exists() else None
    if asked.list:
        for m in chosen:
            known = results.of(m) if results else None
            print(f"{m.file}: {m.name}: {known or 'not judged'}{' (explained)' if m.equivalent else ''}")
        return 0

    check(mutations)
    programs = Programs()
    programs.prepare()
    results = Results()
    pending = [m for m in chosen if asked.again or results.of(m) is None]
    judge = Judge(programs)
    until = time.monotonic() + asked.minutes * 60

    def one(m: Mutation) -> None:
        if time.monotonic() > until:
            return
        killer = judge(m)
        results.add(m, killer)
        print(f"{'killed' if killer else 'explained' if m.equivalent else 'SURVIVES'}: {m.file}: {m.name}"
              f"{': ' + killer if killer else ''}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        for done in [pool.submit(one, m) for m in pending]:
            done.result()
    return report(chosen, results)


if __name__ == "__main__":
    sys.exit(main())
