"""Hash speed of Bartizan beside model_signing, openssl and b3sum, on the same files in the same run.

    tools/peers/hashing BINARY [--runs N] [--only NAME,…] [--skip-small]

Wall time and CPU time of the whole process, start included, but for model_signing (its import is not counted) and for the
engine, which is the Go benchmark of attest/hashing. Of the runs the quickest counts: the machine may be busy. Everything is in
the page cache. GB are 10^9 bytes; x is how many times slower than `bartizan sign` in that column.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

LARGE, ONE, SMALL = "large-8-268435456", "large-1-2147483648", "small-100000"
SHARD = 64 << 20
SIZE = 2 << 30
COLUMNS = ("sha256 8 files", "sha256 1 file", "blake3 8 files", "blake3 1 file", "small sha256", "small blake3")


def files_below(folder):
    return sorted(os.path.join(d, f) for d, _, files in os.walk(folder) for f in files)


def timed(command, stdin=None, env=None):
    """Seconds, those of CPU, peak MiB and output of a command; ends the run where it fails."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env)
        if stdin:
            process.stdin.write(stdin)
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    if process.returncode:
        sys.exit("%s: exit %d: %s" % (" ".join(command[:4]), process.returncode, text[-300:]))
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def child(algorithm, shard, path):
    """model_signing's hashing alone; prints its seconds, and those of CPU."""
    import pathlib

    import theirs
    config = theirs.hashing_config(algorithm, shard)
    start, cpu = time.perf_counter(), time.process_time()
    config.hash(pathlib.Path(path))
    print("%.6f %.6f" % (time.perf_counter() - start, time.process_time() - cpu))


class Bench:
    def __init__(self, args):
        self.args = args
        self.data = os.path.join(args.work, "hashing")
        self.scratch = tempfile.mkdtemp(dir=args.work)
        self.best = collections.defaultdict(dict)  # row -> column -> seconds
        self.cpu = collections.defaultdict(dict)
        self.peak = collections.defaultdict(float)  # (row, small or not) -> MiB
        self.env = {**os.environ, "BARTIZAN_BENCH_DIR": self.data, "BARTIZAN_BENCH_GB": "2"}
        key = os.path.join(self.scratch, "key")
        subprocess.run([args.bartizan, "key", "generate", "-o", key], check=True, capture_output=True)
        self.key = key

    def at(self, name):
        return os.path.join(self.data, name)

    def note(self, row, column, seconds, cpu, mib):
        self.best[row][column] = min(seconds, self.best[row].get(column, seconds))
        if cpu:
            self.cpu[row][column] = min(cpu, self.cpu[row].get(column, cpu))
        of = (row, "small" in column)
        self.peak[of] = max(self.peak[of], mib)

    def make(self):
        """The benchmarks make the files where they are missing."""
        os.makedirs(self.data, exist_ok=True)
        timed([self.args.engine, "-test.run", "^$", "-test.bench", "Sum/sha256/(8files|1file)$|Small/walk$", "-test.benchtime", "1x"], env=self.env)
        for path in files_below(self.at(LARGE)) + files_below(self.at(ONE)):  # into the page cache
            with open(path, "rb", buffering=0) as f:
                while f.read(1 << 24):
                    pass

    def engine(self):
        _, _, mib, text = timed([self.args.engine, "-test.run", "^$", "-test.bench", "Sum/(sha256|blake3)/|Small/walk.(sha256|blake3)$", "-test.benchtime", "2x"], env=self.env)
        of = {"Sum/sha256/8files": COLUMNS[0], "Sum/sha256/1file-shards": COLUMNS[1], "Sum/blake3/8files": COLUMNS[2],
              "Sum/blake3/1file": COLUMNS[3], "Small/walk+sha256": COLUMNS[4], "Small/walk+blake3": COLUMNS[5]}
        for name, nanoseconds in re.findall(r"^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(\d+(?:\.\d+)?) ns/op", text, re.M):
            if name in of:
                self.note("engine", of[name], float(nanoseconds) / 1e9, None, mib)

    def sign(self):
        for column, name, flags in (
                (0, LARGE, ["--hash", "sha256"]), (1, ONE, ["--hash", "sha256", "--shards", str(SHARD)]), (2, LARGE, ["--hash", "blake3"]),
                (3, ONE, ["--hash", "blake3"]), (4, SMALL, ["--hash", "sha256"]), (5, SMALL, ["--hash", "blake3"])):
            command = [self.args.bartizan, "sign", self.at(name), "--key", self.key, "--bundle", os.path.join(self.scratch, "b.sig"), *flags]
            self.measure("bartizan sign", column, command)

    def manifest(self):
        for column, name in ((0, LARGE), (1, ONE), (4, SMALL)):
            command = [self.args.bartizan, "manifest", "create", self.at(name), "-o", os.path.join(self.scratch, "m.json")]
            self.measure("bartizan manifest, both", column, command)

    def measure(self, row, column, command, stdin=None):
        if column >= 4 and self.args.skip_small:
            return
        seconds, cpu, mib, _ = timed(command, stdin)
        self.note(row, COLUMNS[column], seconds, cpu, mib)

    def model_signing(self):
        for column, name, algorithm, shard in ((0, LARGE, "sha256", 0), (1, ONE, "sha256", SHARD), (2, LARGE, "blake3", 0),
                                               (3, ONE, "blake3", 0), (4, SMALL, "sha256", 0), (5, SMALL, "blake3", 0)):
            if column >= 4 and self.args.skip_small:
                continue
            _, _, mib, text = timed([sys.executable, os.path.abspath(__file__), "--child", algorithm, str(shard), self.at(name)])
            seconds, cpu = map(float, text.split()[-2:])
            self.note("model_signing 1.1.1", COLUMNS[column], seconds, cpu, mib)

    def command(self, row, command, columns, parallel=False):
        """A command that takes paths: all at once, or with one process for each processor."""
        for column, name in columns:
            paths = "\0".join(files_below(self.at(name))).encode()
            each = ["xargs", "-0", "-P", str(os.cpu_count()), "-n", str(1 if name == LARGE else 2000)] if parallel else ["xargs", "-0"]
            self.measure(row, column, each + command, stdin=paths)

    def rows(self):
        yield "engine", self.engine
        yield "sign", self.sign
        yield "manifest", self.manifest
        yield "model_signing", self.model_signing
        for tool, columns in (("openssl", ((0, LARGE), (1, ONE), (4, SMALL))), ("b3sum", ((2, LARGE), (3, ONE), (5, SMALL)))):
            if not shutil.which(tool):
                print("SKIPPED: no %s here: it was NOT measured%s" % (tool, "; tools/deps installs it" if tool == "b3sum" else ""))
                continue
            if tool == "openssl":
                yield tool, lambda c=columns: self.command("openssl dgst", ["openssl", "dgst", "-sha256"], c)
                yield tool, lambda c=columns: self.command("openssl, all processors", ["openssl", "dgst", "-sha256"], ((0, LARGE), (4, SMALL)), True)
            else:
                yield tool, lambda c=columns: self.command("b3sum", ["b3sum"], c)

    def run(self):
        only = set(filter(None, self.args.only.split(",")))
        self.make()
        rows = [(name, work) for name, work in self.rows() if not only or name in only]
        for _ in range(self.args.runs):  # in turn, so that a busy minute hits everybody
            for _, work in rows:
                work()
        self.table()
        shutil.rmtree(self.scratch)

    def table(self):
        self.one_table("wall time", self.best)
        print("")
        self.one_table("CPU time (a busy machine changes it little)", self.cpu)
        print("1 file: sha256 in shards of 64 MiB for bartizan and model_signing, whole for openssl; blake3 whole. manifest makes both")
        print("digests and the chunk tree in one read. peak: resident, of the largest process; the engine's is of the Go test.")

    def one_table(self, title, rows):
        count = len(files_below(self.at(SMALL)))
        print(title)
        print("%-24s" % "" + "".join("%22s" % c for c in COLUMNS) + "%16s" % "peak MiB")
        print("%-24s" % "" + "".join("%22s" % ("files/s       x" if "small" in c else "GB/s       x") for c in COLUMNS) + "%16s" % "large  small")
        base = rows.get("bartizan sign", {})
        for row, cells in rows.items():
            line = "%-24s" % row
            for column in COLUMNS:
                if column not in cells:
                    line += "%22s" % "-"
                    continue
                seconds = cells[column]
                value = "%.0f" % (count / seconds) if "small" in column else "%.2f" % (SIZE / 1e9 / seconds)
                line += "%14s %7s" % (value, "%.2f" % (seconds / base[column]) if column in base else "-")
            print(line + "%9s %6s" % tuple("%.0f" % self.peak[row, small] if (row, small) in self.peak else "-" for small in (False, True)))


def main():
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), sys.argv[4])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bartizan", required=True)
    parser.add_argument("--engine", required=True, help="the test binary of attest/hashing")
    parser.add_argument("--work", required=True, help="folder of hashing/, and for what is written")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="engine, sign, manifest, model_signing, openssl, b3sum, by commas")
    parser.add_argument("--skip-small", action="store_true")
    Bench(parser.parse_args()).run()


if __name__ == "__main__":
    main()
