"""Rows of the data files: computing them from a Program, merging versions, writing them."""
from facts import BIT, UNDECIDED, WORDS, canonical
from program import T, U, python_class

TELLING_MODULES = frozenset("""os posix nt sys subprocess shutil importlib imp pickle cPickle _pickle marshal shelve ctypes socket
    builtins __builtin__ runpy code codeop operator functools types gc inspect pdb bdb pty commands platform webbrowser pydoc
    pkgutil multiprocessing threading _thread asyncio signal tempfile glob io codecs urllib requests http ftplib smtplib pip
    setuptools timeit cProfile profile trace doctest joblib dill cloudpickle torch numpy yaml""".split())
SERIOUS = sum(BIT[w] for w in "exec process import load write net native".split())
COLUMNS = ("call", "new", "state", "items")
# When versions disagree on what a name is, the kind that carries most wins.
RANK = {"c": 6, "f": 5, "m": 5, "r": 4, "a": 3, "d": 1}


def effect_text(mask):
    return ",".join(sorted((w for w in WORDS if mask & BIT[w]), key=WORDS.index)) or "-"


class Row:
    """kind, and effects by column (c, f, m, d) or targets (a, r)."""

    __slots__ = ("kind", "effects", "target", "keys")

    def __init__(self, kind, target=None):
        self.kind, self.target, self.effects, self.keys = kind, target, {}, {}

    def render(self, name):
        if self.kind in ("a", "r"):
            return "%s %s %s" % (self.kind, name, self.target)
        if self.kind == "c":
            return "c %s %s" % (name, " ".join("%s=%s" % (k, effect_text(self.effects.get(k, 0))) for k in COLUMNS))
        if "call" in self.effects:
            return "%s %s call=%s" % (self.kind, name, effect_text(self.effects["call"]))
        return "%s %s" % (self.kind, name)


class Table:
    """module -> name -> Row, the union over versions."""

    def __init__(self):
        self.modules = {}

    def add(self, module, name, row):
        rows = self.modules.setdefault(module, {})
        old = rows.get(name)
        rows[name] = row if old is None else self.merge(old, row)

    def merge(self, old, new):
        if old.kind in ("a", "r") or new.kind in ("a", "r"):
            if RANK[new.kind] >= RANK[old.kind]:
                old, new = new, old
            if "call" in old.effects and "call" in new.effects:
                self.union(old, new)
            return old
        if RANK[new.kind] > RANK[old.kind]:
            old, new = new, old
        self.union(old, new)
        return old

    def union(self, into, row):
        for column, mask in row.effects.items():
            if into.kind == "c" or column == "call":
                into.effects[column] = into.effects.get(column, 0) | mask

    def drop_dangling(self, known):
        """Re-exports whose home is nowhere in the data become rows of their own."""
        for module, rows in self.modules.items():
            for name, row in rows.items():
                if row.kind == "r" and not self.reachable(row.target, known):
                    rows[name] = self.own(row)

    def reachable(self, target, known):
        module, _, qual = target.partition(":")
        return qual in self.modules.get(module, ()) or qual in known.get(module, ())

    def own(self, row):
        new = Row("c" if "new" in row.effects else "f")
        new.effects = dict(row.effects) or {"call": UNDECIDED}
        return new

    def write(self, path, sources):
        lines = ["# bartizan symbols v1"] + ["# source: " + s for s in sources]
        for module in sorted(self.modules):
            lines.append("module " + module)
            rows = self.modules[module]
            lines += [rows[name].render(name) for name in sorted(rows)]
        with open(path, "w", encoding="utf8") as out:
            out.write("\n".join(lines) + "\n")


def printable(name):
    return name and all(c.isalnum() or c in "._" for c in name)


class Collector:
    """Demands the nodes of one Program's rows, then turns the solved nodes into rows."""

    def __init__(self, program, table, inside, lean=False, slim=False, extra=0, methods=True):
        self.program, self.table, self.inside, self.lean, self.slim = program, table, inside, lean, slim
        self.methods, self.extra = methods, extra
        self.rows, self.inherited = [], set()

    def adds_nothing(self, row):
        """A method that is undecided, or in third-party code does nothing serious, can as well be unknown."""
        mask = row.effects.get("call", 0)
        return not mask & SERIOUS if self.lean else mask == UNDECIDED

    def kept_anyway(self, name):
        """What pickle calls by itself is worth a row even when inert."""
        return name.rpartition(".")[2] in ("__setstate__", "__reduce__", "__new__")

    def put(self, module, name, row):
        if printable(name):
            self.rows.append((module, name, row))

    def demand(self, row, column, key):
        self.program.node(key)
        row.keys.setdefault(column, []).append(key)

    def finish(self):
        self.program.solve()
        for module, name, row in self.rows:
            for column, keys in row.keys.items():
                mask = row.effects.get(column, 0)
                for key in keys:
                    mask |= self.program.total(key)
                row.effects[column] = mask
            if row.kind == "m" and (self.lean or id(row) in self.inherited) and self.adds_nothing(row) and not self.kept_anyway(name):
                continue
            if self.extra:
                row.effects["call"] = row.effects.get("call", 0) | self.extra
            if self.lean and row.kind == "d" and not row.effects.get("call", 0) & SERIOUS:
                continue
            if not (self.slim and self.dispensable(module, row)):
                self.table.add(module, name, row)

    def dispensable(self, module, row):
        """In slim files: rows that neither clear a symbol that pickles use nor convict one."""
        mask = row.effects.get("call", 0)
        if row.kind == "a":
            return row.target.partition(".")[0] not in TELLING_MODULES
        if row.kind == "r":
            package = module.partition(".")[0]
            return not mask & SERIOUS or module != package and row.target.startswith(package + ".")
        return row.kind == "f" and bool(mask & UNDECIDED) and not mask & SERIOUS

    # ---- one module

    def module(self, name):
        self.table.modules.setdefault(name, {})
        record = self.program.probe.get(name)
        probed = record["n"] if record and record.get("ok") else {}
        source = self.program.module(name)
        for attr in sorted(probed):
            self.probed(name, attr, probed[attr], source)
        if source is None:
            return
        for attr in sorted(source.names):
            if attr not in probed and not (attr.startswith("__") and attr.endswith("__") and attr != "__getattr__"):
                self.sourced(name, attr)
        for qual in sorted(source.classes):
            if "." in qual and "<locals>" not in qual:
                self.class_row(name, qual, (name, qual))

    def probed(self, module, attr, entry, source):
        kind = entry[0]
        if kind == "a":
            self.put(module, attr, Row("a", entry[1]))
        elif kind == "r":
            row = self.entity_row(module, attr, self.program.member(module, attr))
            target = (entry[1], entry[2])
            if self.keep_own(module, target[0]):
                row = self.as_own(row)
            elif row.kind in ("r", "c", "f", "d"):
                row.kind, row.target = "r", "%s:%s" % target
            self.put(module, attr, row)
        elif kind == "c":
            self.probed_class(module, attr, entry, source)
        else:
            self.put(module, attr, self.entity_row(module, attr, self.program.member(module, attr), entry))

    def keep_own(self, module, home):
        """os.system stays os.system, whatever C module implements it."""
        return (module, home) in (("os", "posix"), ("io", "_io"), ("operator", "_operator"), ("pickle", "_pickle"),
                                  ("socket", "_socket"), ("functools", "_functools"), ("codecs", "_codecs"))

    def as_own(self, row):
        if row.kind == "r":
            row.kind = "c" if "new" in row.keys or "new" in row.effects else "f"
        return row

    def probed_class(self, module, attr, entry, source):
        cid = (module, attr)
        elsewhere = [e[1] for e in self.program.member(module, attr) if e[0] == "C" and e[1] != cid]
        if elsewhere and (source is None or attr not in source.classes) and entry[1]["py"]:
            # The class calls this module its home (set_module), but its source is in another one.
            self.class_row(module, attr, elsewhere[0])
            self.method_rows(module, attr, self.program.cls(elsewhere[0]))
        elif source is not None and attr in source.classes and (python_class(entry[1]) or self.program.facts.get(".".join(entry[2])) is None):
            self.class_row(module, attr, cid)
            self.dynamic_members(module, attr, entry[1], source)
        else:
            self.c_class(module, attr, entry[1], ".".join(entry[2]))

    def dynamic_members(self, module, qual, info, source):
        """Methods that exist although the source does not spell them."""
        for name in sorted(info["m"]):
            if info["m"][name] in ("py",) and name not in source.classes[qual].names and self.methods:
                row = Row("m")
                row.effects["call"] = self.generated(name)
                self.put(module, qual + "." + name, row)

    def generated(self, name):
        return 0 if name in DATACLASS_METHODS else UNDECIDED

    def c_class(self, module, qual, info, home):
        row = Row("c")
        self.c_class_effects(row, info, home)
        self.put(module, qual, row)
        for name in sorted(info["m"]):
            if info["m"][name] in ("c", "py") and self.methods:
                method = Row("m")
                fact = self.program.facts.get(home + "." + name)
                method.effects["call"] = 0 if info["nt"] else c_method_effects(fact, row, name)
                self.put(module, qual + "." + name, method)
        for name, inner in sorted(info["in"].items()):
            self.c_class(module, qual + "." + name, inner, home + "." + name)

    def c_class_effects(self, row, info, home):
        facts = self.program.facts
        fact = facts.get(home)
        exact = home in facts.exact or canonical(home) in facts.exact
        if info["nt"] or info["meta"][1] in ("EnumMeta", "EnumType") or "n_sequence_fields" in info["m"] or not exact and self.plain_subclass(info) and (fact is None or self.is_exception(info)):
            row.effects = dict.fromkeys(COLUMNS, 0)
            return
        for column in COLUMNS:
            row.effects[column] = self.program.fact_column(home, column)
        if fact is None:
            row.effects["items"] = UNDECIDED if set(info["x"]) & {"append", "extend", "__setitem__", "add", "update"} else 0
            row.effects["state"] = UNDECIDED if "__setstate__" in info["x"] else 0

    def is_exception(self, info):
        return any(c[1] == "BaseException" for c in info["mro"])

    def plain_subclass(self, info):
        """A class without methods of its own whose bases are all inert (exceptions made in C, struct sequences)."""
        facts = self.program.facts
        bases = [".".join(c) for c in info["mro"][1:]]
        own = [n for n, k in info["m"].items() if k != "data" and n not in ("__new__", "__reduce__", "__repr__")]
        inert = [facts.get(b) for b in bases]
        structseq = "n_sequence_fields" in info["m"]
        return (not own or structseq) and len(bases) > 1 and all(f is not None and not f.call for f in inert)

    def sourced(self, module, attr):
        entities = self.program.member(module, attr)
        self.put(module, attr, self.entity_row(module, attr, entities))

    def class_row(self, module, qual, cid):
        row = Row("c")
        fact = self.program.facts.strong(cid[0] + "." + cid[1])
        for column in COLUMNS:
            self.demand_class(row, column, cid, fact)
        self.put(module, qual, row)
        cls = self.program.cls(cid)
        if (module, qual) == cid and cls is not None and self.methods:
            self.method_rows(module, qual, cls)
        return row

    def demand_class(self, row, column, cid, fact):
        given = None
        if fact is not None:
            given = getattr(fact, column)
            if column == "new" and given is None:
                given = fact.call
            if column == "call":
                for mask in fact.conditional.values():
                    given |= mask
        if given is None:
            self.demand(row, column, (column.upper(), cid))
        else:
            row.effects[column] = given

    def method_rows(self, module, qual, cls):
        for name in sorted(cls.names):
            for value in cls.names[name]:
                if value[0] == "class" and value[1][1] == qual + "." + name:
                    break
            else:
                row = self.method_row(cls, name)
                if row is not None:
                    self.put(module, qual + "." + mangled(name, qual), row)
        if not self.lean:
            self.inherited_rows(module, qual, cls)

    def inherited_rows(self, module, qual, cls):
        """Methods of Python base classes, with the effects they have on this class."""
        seen = set(cls.names)
        for owner in self.program.mro(cls.cid)[0][1:]:
            base = self.program.cls(owner) if owner[0] != "X" else None
            for name in sorted(base.names) if base is not None else []:
                if name in seen:
                    continue
                seen.add(name)
                row = Row("m")
                for value in base.names[name]:
                    if value[0] in ("fn", "prop"):
                        self.demand(row, "call", self.program.function_key(value[1], cls.cid))
                if row.keys:
                    self.inherited.add(id(row))
                    self.put(module, qual + "." + mangled(name, owner[1]), row)

    def method_row(self, cls, name):
        row = Row("m")
        for entity in self.program.bound(cls, name, "C", cls.cid):
            if entity[0] == "F":
                self.demand(row, "call", self.program.function_key(entity[1], cls.cid))
            elif entity[0] in ("X", "C", "P"):
                self.other_callable(row, entity)
            elif entity is T and any(v[0] == "prop" for v in cls.names[name]):
                for value in cls.names[name]:
                    if value[0] == "prop":
                        self.demand(row, "call", self.program.function_key(value[1], cls.cid))
            elif entity in (T, U) or entity[0] in ("BY", "BYU", "KM"):
                row.effects["call"] = row.effects.get("call", 0) | UNDECIDED
        return row if row.keys or row.effects else None

    def other_callable(self, row, entity):
        if entity[0] == "X":
            self.demand(row, "call", ("X", entity[1]))
        elif entity[0] == "C":
            self.demand(row, "call", ("CALL", entity[1]))
        else:
            row.effects["call"] = row.effects.get("call", 0) | UNDECIDED

    def entity_row(self, module, attr, entities, entry=None):
        """The row for whatever a name resolves to."""
        modules = [e for e in entities if e[0] == "M"]
        if modules and len(modules) == len(entities):
            return Row("a", modules[0][1])
        row, homes = Row("d"), set()
        for entity in entities:
            self.entity_effects(row, entity, homes, module, attr)
        if entry is not None and entry[0] == "d":
            row.kind = "d"
            row.effects.pop("new", None), row.keys.pop("new", None)
            if not entry[3]:
                row.keys.clear(), row.effects.clear()
            elif not row.keys and not row.effects:
                row.effects["call"] = UNDECIDED
        if row.kind in ("c", "f") and len(homes) == 1 and (entry is None or entry[0] not in ("c", "f")):
            home = homes.pop()
            if home != (module, attr) and home[0] in self.inside:
                row.kind, row.target = "r", "%s:%s" % home
        return row

    def entity_effects(self, row, entity, homes, module, attr):
        kind = entity[0]
        if kind == "C":
            row.kind = "c"
            homes.add(entity[1])
            if entity[1] == (module, attr) and self.methods and self.program.cls(entity[1]) is not None:
                self.method_rows(module, attr, self.program.cls(entity[1]))
            fact = self.program.facts.strong(".".join(entity[1]))
            for column in COLUMNS:
                self.demand_class(row, column, entity[1], fact)
        elif kind == "F":
            row.kind = "f" if row.kind != "c" else "c"
            homes.add((entity[1][0], entity[1][1].split("#")[0]))
            self.demand(row, "call", self.program.function_key(entity[1], entity[2]))
        elif kind == "X":
            self.c_effects(row, entity[1], homes, module, attr)
        elif kind == "I":
            for found in self.program.class_attribute(entity, "__call__"):
                if found[0] == "F":
                    self.demand(row, "call", self.program.function_key(found[1], found[2]))
        elif kind in ("U", "T", "BY", "BYU"):
            homes.add((module, attr))
            row.effects["call"] = row.effects.get("call", 0) | UNDECIDED

    def c_effects(self, row, name, homes, module, attr):
        home, _, last = name.rpartition(".")
        info = self.program.cclasses.get(name)
        homes.add((home, last))
        if info is not None:
            row.kind = "c"
            self.c_class_effects(row, info, name)
            return
        row.kind = "f" if row.kind == "d" else row.kind
        self.demand(row, "call", ("X", name))


def mangled(name, qual):
    """Private names as the interpreter spells them outside the class."""
    if name.startswith("__") and not name.endswith("__"):
        return "_" + qual.rpartition(".")[2].lstrip("_") + name
    return name


DATACLASS_METHODS = frozenset("__init__ __eq__ __repr__ __lt__ __le__ __gt__ __ge__ __hash__ __delattr__ __setattr__ "
                              "_make _replace _asdict __getnewargs__ __replace__".split())


# What a method of a C class does by its protocol, whatever class it is.
PROTOCOL = {"__getattribute__": BIT["attr"], "__getattr__": BIT["attr"], "__get__": BIT["attr"], "__set__": BIT["state"],
            "__delete__": BIT["state"], "__reduce__": BIT["attr"], "__reduce_ex__": BIT["attr"], "__subclasses__": BIT["inspect"],
            "__setattr__": BIT["attr"], "__delattr__": BIT["attr"], "__class_getitem__": 0}


def c_method_effects(fact, row, name):
    by_protocol = PROTOCOL.get(name, 0)
    if name in ("__new__", "__init__"):
        return row.effects.get("call", 0)
    if fact is None:
        return UNDECIDED | by_protocol
    mask = fact.call | by_protocol
    for more in fact.conditional.values():
        mask |= more
    return mask
