"""Pickles of plain standard-library objects."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import http.cookies
import ipaddress
import itertools
import operator
import pathlib
import random
import re
import string
import sys
import types
import uuid

STD = "cpython %d.%d.%d" % sys.version_info[:3]


def objects():
    """Name -> maker of a standard-library object that people do pickle."""
    tz = datetime.timezone(datetime.timedelta(hours=2), "CEST")
    return {
        "none": lambda: None,
        "ints": lambda: [0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, -2**31, 2**63, -2**200],
        "floats": lambda: [0.0, -0.0, 1.5, float("inf"), float("nan"), 1e300],
        "text": lambda: ["", "a", "é", "日本語", "\U0001f600", "line\nbreak", "\\u0041", "x" * 300],
        "bytes": lambda: [b"", b"abc", bytes(range(256)), b"z" * 300],
        "bytearray": lambda: bytearray(b"abc" * 100),
        "nested": lambda: {"a": [1, (2, 3), {"b": {4, 5}}], "c": frozenset("xy")},
        "recursive": _recursive,
        "deep": _deep,
        "config": lambda: {"lr": 1e-3, "layers": [64, 32], "name": "eval", "cmd": "os.system", "note": "import os"},
        "vocab": lambda: {w: i for i, w in enumerate(string.printable)},
        "ordereddict": lambda: collections.OrderedDict(zip("abc", range(3))),
        "defaultdict-list": lambda: collections.defaultdict(list, a=[1]),
        "defaultdict-int": lambda: collections.defaultdict(int, a=1),
        "counter": lambda: collections.Counter("abracadabra"),
        "deque": lambda: collections.deque([1, 2, 3], 5),
        "chainmap": lambda: collections.ChainMap({"a": 1}, {"b": 2}),
        "userdict": lambda: collections.UserDict(a=1),
        "date": lambda: datetime.date(2020, 2, 29),
        "datetime": lambda: datetime.datetime(2020, 2, 29, 1, 2, 3, 4),
        "datetime-utc": lambda: datetime.datetime(2020, 2, 29, tzinfo=datetime.timezone.utc),
        "datetime-tz": lambda: datetime.datetime(2020, 2, 29, tzinfo=tz),
        "time": lambda: datetime.time(1, 2, 3),
        "timedelta": lambda: datetime.timedelta(1, 2, 3),
        "decimal": lambda: decimal.Decimal("3.14"),
        "fraction": lambda: fractions.Fraction(1, 3),
        "complex": lambda: 1 + 2j,
        "range": lambda: range(1, 10, 2),
        "slice": lambda: slice(1, None, 2),
        "uuid": lambda: uuid.UUID(int=5),
        "ipv4": lambda: ipaddress.ip_address("10.0.0.1"),
        "ipv6net": lambda: ipaddress.ip_network("fe80::/64"),
        "path": lambda: pathlib.PurePosixPath("/a/b"),
        "regex": lambda: re.compile(r"a+b", re.I),
        "random": lambda: random.Random(1),
        "array": lambda: array.array("d", [1.0, 2.0]),
        "namespace": lambda: types.SimpleNamespace(a=1, b=[2]),
        "exception": lambda: ValueError("bad", 1),
        "oserror": lambda: FileNotFoundError(2, "No such file", "x"),
        "keyerror": lambda: KeyError("k"),
        "class-int": lambda: int,
        "class-dict": lambda: [dict, list, str, OrderedDictClass],
        "builtin-len": lambda: len,
        "http-status": lambda: http.cookies.SimpleCookie("a=b"),
        "itertools-count": lambda: itertools.count(3) if sys.version_info < (3, 14) else 3,
        "iter-list": lambda: iter([1, 2, 3]),
        "operator-itemgetter": lambda: operator.itemgetter(1),
        "partial-int": lambda: functools.partial(int, base=2),
        "ellipsis": lambda: [..., NotImplemented],
        "enum-re": lambda: re.IGNORECASE,
        "enum-uuid": lambda: uuid.SafeUUID.safe,
        "shared": _shared,
        "many": lambda: [{"id": i, "name": "n%d" % i, "score": i / 7} for i in range(1000)],
    }


OrderedDictClass = collections.OrderedDict


def _recursive():
    a = []
    a.append(a)
    d = {"self": a}
    d["d"] = d
    return d


def _deep():
    x = []
    for _ in range(200):
        x = [x]
    return x


def _shared():
    s = "shared text"
    t = (s, s)
    return [t, t, {s: t}]


def make(shelf):
    for name, maker in objects().items():
        shelf.pickles("stdlib/" + name, maker, protocols=(0, 1, 2, 3, 4, 5), library=STD, what=name)
