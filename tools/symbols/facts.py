"""Base facts: effects of what has no source to analyse, and of a few functions that analysis cannot judge.

A line of facts.txt is `NAME TOKEN...`; NAME may end in `.*`. Tokens:

    -  exec  write …       effects of a call (any effect word of the data format)
    callarg@0 attr@name    effect only when that argument is not a constant (position or keyword)
    new=… state=… items=…  for classes; default: new as call, state and items none
    ret=any                the result is an object chosen by the caller's data; ret=NAME an instance of NAME
A leading `!` makes the line win over the source of a Python function or class (else source wins over wildcards).
"""
import os

WORDS = "exec process import load write read net native attr callarg state block inspect ?".split()
BIT = {word: 1 << i for i, word in enumerate(WORDS)}
UNDECIDED = BIT["?"]
CALLARG = BIT["callarg"]

# The same C object under the names that different versions give its module.
HOMES = {"__builtin__": "builtins", "exceptions": "builtins", "io": "_io", "operator": "_operator",
         "cPickle": "_pickle", "thread": "_thread", "nt": "posix", "os": "posix", "copy_reg": "copyreg",
         "_functools": "functools", "_collections": "collections", "_datetime": "datetime",
         "_decimal": "decimal", "_weakref": "weakref", "_weakrefset": "weakref", "_bisect": "bisect", "_heapq": "heapq",
         "_sre": "re", "_struct": "struct", "_csv": "csv", "_random": "random", "_json": "json", "_locale": "locale",
         "_bz2": "bz2", "_lzma": "lzma", "_signal": "signal", "_imp": "imp", "_hashlib": "hashlib",
         "_elementtree": "xml.etree.ElementTree", "_asyncio": "asyncio", "_queue": "queue", "_string": "string",
         "_tracemalloc": "tracemalloc", "_warnings": "warnings", "_typing": "typing", "_contextvars": "contextvars",
         "_abc": "abc", "_ast": "ast", "_symtable": "symtable", "_uuid": "uuid", "_sqlite3": "sqlite3",
         "_curses": "curses", "_io": "_io", "_opcode": "opcode", "_ssl": "ssl", "_zoneinfo": "zoneinfo",
         "_multiprocessing": "multiprocessing", "_posixshmem": "multiprocessing", "pyexpat": "pyexpat",
         "_types": "types", "_statistics": "statistics", "_suggestions": "traceback", "_sysconfig": "sysconfig"}


def parse_effects(text):
    mask = 0
    for word in text.split(","):
        if word != "-":
            mask |= BIT[word]
    return mask


class Fact:
    __slots__ = ("call", "conditional", "new", "state", "items", "ret", "strong")

    def __init__(self):
        self.call, self.conditional, self.new, self.state, self.items = 0, {}, None, None, None
        self.ret, self.strong = None, False


def parse_line(line):
    strong = line.startswith("!")
    name, *tokens = line.lstrip("!").split()
    fact = Fact()
    fact.strong = strong
    for token in tokens:
        if "=" in token:
            key, text = token.split("=", 1)
            setattr(fact, key, text if key == "ret" else parse_effects(text))
        elif "@" in token:
            word, where = token.split("@")
            key = int(where) if where.isdigit() else where
            fact.conditional[key] = fact.conditional.get(key, 0) | BIT[word]
        else:
            fact.call |= parse_effects(token)
    return name, fact


def canonical(name):
    head, dot, rest = name.partition(".")
    return HOMES.get(head, head) + dot + rest


class Facts:
    def __init__(self, path=None):
        self.exact, self.wild, self.cache = {}, {}, {}
        path = path or os.path.join(os.path.dirname(os.path.abspath(__file__)), "facts.txt")
        with open(path, encoding="utf8") as lines:
            for line in lines:
                line = line.split("#")[0].strip()
                if line:
                    self.add(*parse_line(line))

    def add(self, name, fact):
        if name.endswith(".*"):
            self.wild[canonical(name[:-2])] = fact
        else:
            self.exact[canonical(name)] = fact

    def get(self, name):
        """The fact for a dotted name: exact, else the longest wildcard above it, else None."""
        if name not in self.cache:
            self.cache[name] = self.find(canonical(name))
        return self.cache[name]

    def find(self, name):
        if name in self.exact:
            return self.exact[name]
        head, _, last = name.rpartition(".")
        if last in ("__init__", "__new__") and head in self.exact:
            return self.exact[head]
        while head:
            if head in self.wild:
                return self.wild[head]
            head = head.rpartition(".")[0]
        return None

    def strong(self, name):
        """The fact that overrides source: exact facts and `!` lines."""
        name = canonical(name)
        if name in self.exact:
            return self.exact[name]
        found = self.find(name)
        return found if found is not None and found.strong else None
