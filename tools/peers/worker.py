"""Runs one scanner in its own process: worker.py NAME SECONDS < paths, one a line.

Prints one JSON line a file: verdict ("clean", "review", "block", "skipped", "error", "timeout") and CPU seconds.
The import of the scanner is not counted. What a scanner calls certain or severe is a block, what it calls suspicious
or less severe is review; both maps are below, next to the scanner.
"""

import json
import logging
import os
import resource
import signal
import sys
import time

MEMORY = 6 << 30


class Timeout(BaseException):
    pass


def on_alarm(signum, frame):
    raise Timeout()


def picklescan():
    from picklescan.scanner import SafetyLevel, scan_file_path

    def scan(path):
        result = scan_file_path(path)
        levels = {g.safety for g in result.globals}
        if result.issues_count or SafetyLevel.Dangerous in levels:
            return "block"
        if result.scan_err:
            return "error"
        if SafetyLevel.Suspicious in levels:
            return "review"
        return "clean" if result.scanned_files else "skipped"
    return scan


def modelscan():
    from modelscan.modelscan import ModelScan

    def scan(path):
        result = ModelScan().scan(path)
        found = result["summary"]["total_issues_by_severity"]
        if found["CRITICAL"] or found["HIGH"]:
            return "block"
        if found["MEDIUM"] or found["LOW"]:
            return "review"
        if result["errors"]:
            return "error"
        return "clean" if result["summary"]["scanned"]["total_scanned"] else "skipped"
    return scan


def fickling():
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    def scan(path):
        with open(path, "rb") as f:
            head = f.read(8)
            if not looks_like_pickle(head):
                return "skipped"  # it takes bare pickles; its torch module needs torch
            f.seek(0)
            worst = Severity.LIKELY_SAFE
            for pickled in StackedPickle.load(f):
                worst = max(worst, check_safety(pickled).severity)
        if worst >= Severity.LIKELY_UNSAFE:
            return "block"
        return "clean" if worst == Severity.LIKELY_SAFE else "review"
    return scan


def looks_like_pickle(head):
    """Neither zip, gzip, JSON, numpy, safetensors nor text formats: what fickling's own reader is for."""
    foreign = (b"PK", b"\x1f\x8b", b"\x93NUMPY", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x04\"M\x18", b"GGUF", b"\x89HDF")
    return bool(head) and not head.startswith(foreign) and not head.lstrip().startswith((b"{\"", b"<"))


def modelaudit():
    os.environ["PROMPTFOO_DISABLE_TELEMETRY"] = "1"
    logging.disable(logging.CRITICAL)
    from modelaudit.core import scan_model_directory_or_file

    def scan(path):
        result = scan_model_directory_or_file(path, cache_enabled=False)
        levels = {str(getattr(i.severity, "value", i.severity)) for i in result.issues}
        if "critical" in levels:
            return "block"
        if "warning" in levels:
            return "review"
        if getattr(result, "has_errors", False):
            return "error"
        return "clean" if result.files_scanned else "skipped"
    return scan


def main():
    name, limit = sys.argv[1], float(sys.argv[2])
    out = os.fdopen(os.dup(1), "w")  # scanners print what they like to stdout
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    scan = {"picklescan": picklescan, "modelscan": modelscan, "fickling": fickling, "modelaudit": modelaudit}[name]()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, on_alarm)
    for path in sys.stdin.read().splitlines():
        start = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            verdict = scan(path)
        except Timeout:
            verdict = "timeout"
        except Exception:  # noqa: BLE001: a scanner that raises has not scanned the file
            verdict = "error"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({"verdict": verdict, "seconds": time.process_time() - start}), file=out, flush=True)


main()
