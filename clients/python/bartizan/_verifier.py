"""Finds and runs bartizan-verify."""
import json
import os
import subprocess

from ._errors import CouldNotVerify, VerificationError

PROGRAM = "bartizan-verify"


def find(verifier=None):
    """Gives the absolute path of the program: as named, by the environment
    variable BARTIZAN_VERIFY, or from PATH. The variable must hold an absolute
    path, a bare name is refused, and relative folders in PATH are passed over:
    they would mean whatever lies in the current folder."""
    if verifier is not None:
        named = os.fsdecode(os.fspath(verifier))
        if os.sep not in named:
            raise CouldNotVerify("verifier=%r has no folder: name its path, such as /usr/bin/%s" % (named, PROGRAM))
        return _runnable(os.path.abspath(named))
    named = os.environ.get("BARTIZAN_VERIFY")
    if named:
        if not os.path.isabs(named):
            raise CouldNotVerify("BARTIZAN_VERIFY=%s is not an absolute path: it would mean a file of the current folder" % named)
        return _runnable(named)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, PROGRAM)
        if os.path.isabs(folder) and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise CouldNotVerify("%s was not found: put it into PATH, or name it in BARTIZAN_VERIFY" % PROGRAM)


def _runnable(path):
    if os.access(path, os.X_OK) and os.path.isfile(path):
        return path
    raise CouldNotVerify("%s is no program that can be run" % path)


def trust_options(bundle, key, certificate_chain, refuse_legacy, accept_hash):
    """Gives the options that say who is believed."""
    if (key is None) == (certificate_chain is None):
        raise ValueError("name one of key and certificate_chain")
    options = ["--format=json", "--bundle=" + absolute(bundle)]
    if key is not None:
        options.append("--key=" + absolute(key))
    else:
        if isinstance(certificate_chain, (str, os.PathLike)):
            certificate_chain = [certificate_chain]
        if not certificate_chain:
            raise ValueError("certificate_chain is empty")
        options += ["--certificate-chain=" + absolute(path) for path in certificate_chain]
    if refuse_legacy:
        options.append("--refuse-legacy")
    if isinstance(accept_hash, str):
        accept_hash = [accept_hash]
    return options + ["--accept-hash=" + name for name in accept_hash]


def absolute(path):
    return os.path.abspath(os.fsdecode(os.fspath(path)))


def run(arguments, pass_fds=()):
    """Runs the program and gives the subject of its report. It raises where the
    verdict is anything but clean."""
    environment = {"TMPDIR": os.environ.get("TMPDIR", "")}  # nothing else concerns it
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            env={k: v for k, v in environment.items() if v},
        )
    except OSError as error:
        raise CouldNotVerify("%s: %s" % (arguments[0], error))
    try:
        out, err = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode not in (0, 1):
        said = err.decode("utf-8", "replace").strip()
        raise CouldNotVerify(said or "%s ended with code %d" % (PROGRAM, process.returncode))
    subject = _subject(out)
    clean = subject.get("verdict") == "clean" and subject.get("coverage") == "complete"
    if process.returncode == 0 and clean:
        return subject
    reasons = [str(reason) for reason in subject.get("reasons") or []]
    if process.returncode == 1 and not clean and reasons:
        raise VerificationError(reasons[0].split(":", 1)[0], reasons)
    raise CouldNotVerify("%s contradicts itself: code %d, verdict %s" % (PROGRAM, process.returncode, subject.get("verdict")))


def _subject(out):
    try:
        report = json.loads(out.decode("utf-8"))
        if report["schema"] != "bartizan.report/v1":
            raise ValueError("another schema")
        (subject,) = report["subjects"]
        if not isinstance(subject, dict):
            raise ValueError("no subject")
        return subject
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotVerify("%s gave no report: %s" % (PROGRAM, error))
