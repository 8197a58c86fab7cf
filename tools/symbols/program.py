"""Resolves the summaries of extract.py against each other and computes effects by fixpoint over the call graph.

Effects are kept in two parts a node: unconditional ones, and ones that depend on what is passed for a parameter
(`getattr(x, name)` is harmless when every caller passes a constant). The latter vanish or move up at each call.
Methods are analysed once for every receiver class that reaches them, so that overridden hooks are seen.
"""
import hashlib
import os
import pickle

from extract import UNKNOWN, extract
from facts import BIT, CALLARG, UNDECIDED

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "extract.py"), "rb") as _source:
    CODE_KEY = hashlib.sha256(_source.read()).hexdigest()[:16]
MAX_ENTITIES = 12
# T: data that the caller or the pickle chooses; U: unknown; INERT: a built-in object computed from who knows what.
T, U, INERT, CONSTANT = ("T",), ("U",), ("K", "obj", None), ("K", "constant", None)
OBJECT_BUILTINS = frozenset(("builtins.object", "builtins.type"))
# Methods of built-in containers, texts, files, matches, locks, hashes, dates: inert on whatever has them.
METHOD_NAMES = frozenset(
    [n for t in (str, bytes, bytearray, list, dict, set, frozenset, tuple, int, float, complex, memoryview)
     for n in dir(t) if not n.startswith("__")] +
    """__len__ __iter__ __contains__ __repr__ __str__ __hash__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__ __getitem__
    has_key iteritems iterkeys itervalues read readline readlines readinto write writelines flush close seek tell fileno
    isatty getvalue getbuffer group groups groupdict span match search fullmatch findall finditer
    scanner acquire release locked notify notify_all is_set hexdigest digest popleft appendleft extendleft rotate
    strftime isoformat timetuple utctimetuple date time weekday isoweekday toordinal utcoffset tzname dst total_seconds
    pack unpack pack_into unpack_from iter_unpack throw tobytes tolist debug info warning warn error exception critical
    isEnabledFor getEffectiveLevel parent next __next__ most_common elements move_to_end
    sum mean std var min max argmin argmax argsort astype reshape ravel flatten transpose squeeze dot cumsum cumprod prod any
    all nonzero take repeat tolist item clip round conj diagonal trace swapaxes searchsorted argpartition byteswap newbyteorder
    todense toarray tocsr tocsc tocoo tolil getnnz to_numpy notna isna dropna fillna nunique numel detach cpu contiguous
    unsqueeze permute expand expand_as type_as requires_grad_ zero_ fill_ copy_ add_ mul_ div_ sub_ masked_fill masked_fill_
    index_select gather scatter_ float double long half bool chunk softmax sigmoid log exp sqrt abs pow matmul mm bmm norm
    uniform_ normal_ size dim ndimension t view_as flip narrow unbind logical_not logical_and eq ne lt gt le ge""".split())
ELEMENT_METHODS = frozenset("get pop popitem setdefault values items popleft itervalues iteritems __getitem__ next copy".split())
MUTABLE_STATE = frozenset("posix.environ os.environ sys.modules sys.path sys.meta_path sys.path_hooks sys.path_importer_cache".split())
IDENTITY_RESULTS = frozenset("functools.partial builtins.staticmethod builtins.classmethod functools.lru_cache functools.update_wrapper "
                             "functools.cache abc.abstractmethod types.MethodType contextlib.contextmanager functools.singledispatch "
                             "weakref.proxy typing.cast weakref.ref weakref.WeakMethod".split())
# Functions of typing that serve as bases.
CLASS_MAKERS = frozenset(("NamedTuple", "TypedDict", "Protocol", "Generic"))
ITEM_METHODS = ("append", "extend", "__setitem__", "add", "update")


class Node:
    __slots__ = ("u", "c", "edges", "users")

    def __init__(self):
        self.u, self.c, self.edges, self.users = 0, {}, [], {}


class Program:
    def __init__(self, roots, probe, facts, load_text=None):
        self.roots, self.probe, self.facts = list(roots), probe, facts
        self.load_text = load_text or default_text
        self.modules, self.members, self.mros, self.memo, self.busy = {}, {}, {}, {}, {}
        self.nodes, self.todo, self.methods = {}, [], {}
        self.failed, self.eager = [], set()
        self.provisional, self.low, self.standard_methods, self.cache = {}, 0, {}, None
        self.prefer_source = False
        self.python2 = '__builtin__' in probe
        self.index_probe()

    # ---- modules

    def index_probe(self):
        """Which special methods C classes define, by canonical name of the class."""
        self.cclasses = {}
        for record in self.probe.values():
            for entry in record.get("n", {}).values():
                if entry[0] == "c":
                    self.index_class(".".join(entry[2]), entry[1])

    def index_class(self, name, info):
        self.cclasses.setdefault(name, info)
        for inner, described in info.get("in", {}).items():
            self.index_class(name + "." + inner, described)

    def find_source(self, name):
        tail = name.replace(".", "/")
        for root in self.roots:
            for suffix, is_pkg in (("/__init__.py", True), (".py", False)):
                path = os.path.join(root, tail + suffix)
                if os.path.isfile(path):
                    return path, is_pkg
        return None, False

    def module(self, name):
        if name in self.modules:
            return self.modules[name]
        self.modules[name] = None
        path, is_pkg = self.find_source(name)
        if path:
            try:
                self.modules[name] = self.extracted(name, is_pkg, self.load_text(path), path)
            except (SyntaxError, ValueError, RecursionError, UnicodeDecodeError) as err:
                self.failed.append((name, path, type(err).__name__))
        return self.modules[name]

    def extracted(self, name, is_pkg, text, path):
        """The summary of a source, from the cache when this very text was summarised before."""
        if self.cache is None:
            return extract(name, is_pkg, text, path)
        key = "%s %s %s " % (CODE_KEY, name, is_pkg)
        file = os.path.join(self.cache, hashlib.sha256((key + text).encode("utf8", "replace")).hexdigest()[:40] + ".summary")
        if os.path.exists(file):
            with open(file, "rb") as cached:
                return pickle.load(cached)
        module = extract(name, is_pkg, text, path)
        os.makedirs(self.cache, exist_ok=True)
        with open(file, "wb") as out:
            pickle.dump(module, out, protocol=4)
        return module

    def is_module(self, name):
        if name in self.modules and self.modules[name] is not None or name in self.probe:
            return True
        if self.find_source(name)[0]:
            return True
        tail = name.replace(".", "/")
        return any(os.path.isdir(os.path.join(root, tail)) and "." in name for root in self.roots)

    def load(self, names):
        """Load modules whose methods count when a method is called on an unknown object."""
        for name in names:
            module = self.module(name)
            if module is None or name in self.eager:
                continue
            self.eager.add(name)
            for function in module.functions.values():
                if function.cls is not None:
                    self.methods.setdefault(function.fid[1].rpartition(".")[2].split("#")[0], []).append(function.fid)

    # ---- names

    def member(self, module, name):
        key = (module, name)
        if key in self.members:
            return self.members[key]
        self.members[key] = []
        found = self.find_member(module, name)
        self.members[key] = found[:MAX_ENTITIES]
        return self.members[key]

    def find_member(self, module, name):
        record = self.probe.get(module)
        entry = record["n"].get(name) if record and record.get("ok") else None
        source = self.module(module)
        if entry is not None:
            found = self.probed(module, name, entry, source)
            if found is not None:
                return found
        if source is not None and name in source.names:
            return self.resolve_all(source.names[name], module, None)
        found = self.starred(source, name) if source is not None else []
        if found:
            return found
        if self.is_module(module + "." + name):
            return [("M", module + "." + name)]
        if entry is not None:
            return [("X", module + "." + name)]
        if source is not None and "__getattr__" in source.names and not name.startswith("__"):
            return [U]
        return []

    def starred(self, source, name):
        """What `from X import *` brings."""
        for star in source.stars:
            for entity in self.module_entity(star, source.name):
                found = self.member(entity[1], name) if entity[1] != source.name else []
                if found:
                    return found
        return []

    def probed(self, module, name, entry, source):
        """What introspection says, where it knows better than the source."""
        kind = entry[0]
        if kind == "a":
            return [("M", entry[1])]
        if kind == "r" and self.defined_here(module, name, source):
            return None
        if kind == "f" and self.prefer_source and self.sourced_function(module, name, source):
            return None
        if kind == "r":
            return self.path(entry[1], entry[2]) or [("X", entry[1] + "." + entry[2])]
        if kind == "bm":
            return self.path(entry[1], entry[2] + "." + entry[3]) or [("X", ".".join(entry[1:4]))]
        if kind == "c" and not python_class(entry[1]) and self.facts.get(".".join(entry[2])) is not None:
            return [("X", ".".join(entry[2]))]
        if kind == "f" and entry[1] == "c" and (self.facts.get(module + "." + name) is not None or self.facts.get(".".join(entry[2])) is not None):
            return [("X", module + "." + name if self.facts.get(module + "." + name) is not None else ".".join(entry[2]))]
        if kind in ("c", "f") and (source is None or name not in source.names and not self.starred(source, name)):
            return [("X", ".".join(entry[2]) if entry[2][0] else module + "." + name)]
        return None

    def defined_here(self, module, name, source):
        """The source defines it here, whatever module it names as its home."""
        values = source.names.get(name, ()) if source is not None else ()
        return any(v[0] in ("fn", "class") and v[1][0] == module for v in values)

    def sourced_function(self, module, name, source):
        """A compiled wrapper around a function that has source (numpy's dispatchers)."""
        if source is None or name not in source.names or self.facts.strong(module + "." + name) is not None:
            return False
        found = self.resolve_all(source.names[name], module, None)
        return bool(found) and all(e[0] == "F" for e in found)

    def path(self, module, qual):
        found = [("M", module)]
        for part in qual.split("."):
            found = [y for x in found for y in self.attribute(x, part)]
        return [x for x in found if x not in (T, U) and x[0] != "BY"]

    def global_name(self, module, name):
        found = self.member(module, name)
        if found == [U] and name in self.builtin_names():
            found = []  # a module's __getattr__ serves its importers, not its own code
        if found:
            return found
        if name in ("__name__", "__file__", "__doc__", "__package__", "__path__"):
            return [("K", "str", None)]
        if name in self.builtin_names():
            return [("X", "builtins." + name)]
        return [U]

    def builtin_names(self):
        record = self.probe.get("builtins") or self.probe.get("__builtin__") or {"n": {}}
        return record["n"]

    # ---- values to entities

    def resolve_all(self, values, module, recv):
        found = []
        for value in values:
            for entity in self.resolve(value, module, recv):
                if entity not in found:
                    found.append(entity)
        return found if len(found) <= MAX_ENTITIES else found[:MAX_ENTITIES] + [U]

    def resolve(self, value, module, recv):
        """Entities of a value. Results that a cycle cut short are kept only until the outermost call returns."""
        key = (value, module, recv)
        if key in self.memo:
            return self.memo[key]
        if key in self.provisional:
            self.low = min(self.low, self.provisional[key][1])
            return self.provisional[key][0]
        if key in self.busy:
            self.low = min(self.low, self.busy[key])
            return []
        depth = len(self.busy)
        if depth > 120:
            return [U]
        return self.resolve_fresh(key, depth)

    def resolve_fresh(self, key, depth):
        outer, self.low = self.low, depth + 1
        self.busy[key] = depth
        try:
            found = self.resolve_now(*key)
        finally:
            del self.busy[key]
        if self.low >= depth:
            self.memo[key] = found
        else:
            self.provisional[key] = (found, self.low)
        self.low = min(outer, self.low)
        if not self.busy:
            self.provisional.clear()
        return found

    def resolve_now(self, value, module, recv):
        kind = value[0]
        if kind == "k":
            return [("K", value[1], value[2])]
        if kind == "s":
            return [("S", value[1])]
        if kind == "l":
            return [("L", value[1], value[2], module)]
        if kind == "g":
            return self.global_name(module, value[1])
        if kind == "p":
            return [("P", value[1], value[2])]
        if kind in ("self", "cls", "super"):
            return [self.receiver(kind, value[1], recv)]
        if kind in ("a", "e", "r", "prefix", "dyn"):
            return self.derived(kind, value, module, recv)
        if kind == "fn":
            return [("F", value[1], None, False)]
        if kind == "class":
            return [("C", value[1])]
        if kind == "m":
            return self.module_entity(value[1], module)
        if kind == "from":
            return self.imported(value[1], value[2], module)
        return [T] if kind == "prop" else [U]

    def module_entity(self, name, importer):
        """`import NAME` seen from a module: Python 2 looks beside the importing module first; os.path is an attribute."""
        if self.python2 and importer is not None:
            source = self.modules.get(importer)
            package = importer if source is not None and source.is_pkg else importer.rpartition(".")[0]
            beside = package + "." + name
            if package and beside != importer and self.is_module(beside):
                return [("M", beside)]
        if "." not in name or self.is_module(name):
            return [("M", name)]
        head, _, last = name.rpartition(".")
        found = [m for x in self.module_entity(head, None) for m in self.attribute(x, last) if m[0] == "M"]
        return found or [("M", name)]

    def imported(self, source, name, importer):
        found = []
        for entity in self.module_entity(source, importer):
            found += self.member(entity[1], name) or [("X", entity[1] + "." + name)]
        return found

    def receiver(self, kind, cid, recv):
        actual = recv if recv is not None and cid in self.mro(recv)[0] else cid
        if kind == "super":
            return ("SUP", cid, actual)
        return ("I" if kind == "self" else "C", actual)

    def derived(self, kind, value, module, recv):
        found = []
        for base in self.resolve(value[1], module, recv):
            if kind == "a":
                step = self.attribute(base, value[2], recv)
            elif kind == "e":
                step = self.element(base, recv)
            elif kind == "r":
                step = self.result(base, value[2], module, recv)
            elif kind == "prefix":
                step = self.prefixed(base, value[2])
            else:
                step = [T]
            found += [x for x in step if x not in found]
        return found[:MAX_ENTITIES]

    def prefixed(self, base, prefix):
        if base[0] != "I":
            return [U]
        found = []
        for owner in self.mro(base[1])[0]:
            if owner[0] != "X":
                for name in self.cls(owner).names:
                    if name.startswith(prefix):
                        found += [x for x in self.attribute(base, name) if x not in found]
        return found[:40]

    def element(self, base, recv):
        kind = base[0]
        if kind == "L":
            found = self.resolve_all(base[2], base[3], recv)
            return found or [CONSTANT]
        if kind in ("P", "T", "U", "C", "X", "BY"):
            return [base] if kind != "BY" else [T]
        if kind == "I":
            return [T]
        return [INERT] if kind in ("K", "S") else [U]

    def attribute(self, base, name, recv=None):
        kind = base[0]
        if kind == "M":
            return self.member(base[1], name) or [("X", base[1] + "." + name)]
        if kind in ("I", "C", "SUP"):
            return self.class_attribute(base, name)
        if kind == "X":
            return self.c_attribute(base[1], name)
        if kind == "XI":
            return [("X", base[1] + "." + name)]
        if kind in ("K", "S", "L"):
            return [("KM", name)]
        if kind == "F":
            return [("K", "str", None)] if name in ("__name__", "__doc__", "__qualname__", "__module__") else [("BY", name)]
        return [("BY", name)]

    def c_attribute(self, name, attr):
        return [("X", name + "." + attr)]

    def cls(self, cid):
        module = self.module(cid[0])
        return module.classes.get(cid[1]) if module is not None else None

    def class_attribute(self, base, name):
        kind = base[0]
        cid = base[-1]
        chain, complete = self.mro(cid)
        if kind == "SUP":
            chain = chain[chain.index(base[1]) + 1:] if base[1] in chain else chain
        for owner in chain:
            if owner[0] == "X":
                if self.c_has(owner[1], name):
                    return [("X", owner[1] + "." + name)]
                continue
            cls = self.cls(owner)
            if cls is not None and name in cls.names:
                return self.bound(cls, name, kind, cid)
        found = self.instance_values(chain, name, cid)
        if found:
            return found
        if kind == "SUP" and complete:
            return [("KM", name)] if name.startswith("__") else [("BY", name)]
        if name in ("__dict__", "__name__", "__module__", "__doc__", "__class__", "__qualname__"):
            return [("C", cid)] if name == "__class__" else [("K", "dict", None)]
        if name in ("__init__", "__new__", "__setattr__", "__getattribute__", "__init_subclass__", "mro") and complete:
            return [("X", "builtins.object." + name)]
        return [("BY", name)] if complete else [("BYU", name)]

    def c_has(self, cname, name):
        info = self.cclasses.get(cname)
        if info is not None:
            return name in info["m"] or name in info["x"]
        return False

    def bound(self, cls, name, kind, cid):
        found = []
        for value in cls.names[name]:
            for entity in self.resolve(value, cls.cid[0], cid):
                if entity[0] == "F" and value[0] == "fn":
                    function = self.function(entity[1])
                    binds = function.kind == "class" or function.kind == "method" and kind != "C"
                    entity = ("F", entity[1], cid, binds)
                elif entity[0] == "F" and not entity[3]:
                    entity = ("F", entity[1], entity[2], kind != "C")
                found.append(entity)
        return found or [U]

    def instance_values(self, chain, name, cid):
        found = []
        for owner in chain:
            cls = self.cls(owner) if owner[0] != "X" else None
            if cls is not None and name in cls.attrs:
                for entity in self.resolve_all(cls.attrs[name], owner[0], cid):
                    entity = T if entity[0] == "P" else entity
                    if entity not in found:
                        found.append(entity)
        # Instance state is data: whoever builds the instance chooses it, whatever __init__ would have stored.
        return found

    def result(self, base, args, module, recv):
        kind = base[0]
        if kind == "C":
            return [("I", base[1])]
        if kind == "F" and base[1][1] == "with_metaclass" and len(args) > 1:
            return [e for values in args[1:] for e in self.resolve_all(values, module, recv)]
        if kind == "F":
            return self.returned(base)
        if kind == "X":
            return self.c_result(base[1], args, module, recv)
        if kind == "KM":
            return [T] if base[1] in ELEMENT_METHODS else [INERT]
        if kind == "BY" and base[1] in METHOD_NAMES:
            return [T] if base[1] in ELEMENT_METHODS else [INERT]
        if kind == "I":
            return [y for x in self.class_attribute(base, "__call__") if x[0] == "F" for y in self.returned(x)] or [U]
        return [U]

    def returned(self, entity):
        fact = self.facts.strong(".".join(entity[1]))
        if fact is not None:
            return [T] if fact.ret == "any" else [("XI", fact.ret)] if fact.ret else [INERT]
        function = self.function(entity[1])
        found = []
        for x in self.resolve_all(function.returns, entity[1][0], entity[2]):
            x = T if x[0] == "P" else x
            if x not in found:
                found.append(x)
        return found or [INERT]

    def c_result(self, name, args, module, recv):
        if name.endswith(".with_metaclass") and len(args) > 1:
            return self.resolve_all(args[1], module, recv)
        if (name in IDENTITY_RESULTS or self.short(name) in IDENTITY_RESULTS) and args:
            return self.resolve_all(args[0], module, recv)
        fact = self.facts.get(name)
        if fact is not None and fact.ret:
            return {"any": [T], "inert": [INERT]}.get(fact.ret) or [("XI", fact.ret)]
        if name in self.cclasses:
            return [("XI", name)]
        return [INERT] if fact is not None else [U]

    def short(self, name):
        from facts import canonical
        return canonical(name)

    def function(self, fid):
        return self.modules[fid[0]].functions[fid[1]]

    # ---- classes

    def mro(self, cid):
        """(classes in method resolution order, approximately; whether all bases are known)."""
        if cid in self.mros:
            return self.mros[cid]
        self.mros[cid] = ([cid], True)
        cls = self.cls(cid)
        chain, complete = [cid], cls is not None
        for values in cls.bases if cls is not None else []:
            entities = self.resolve_all(values, cid[0], None)
            known = False
            for entity in entities:
                more = self.base_chain(entity)
                if more is not None:
                    known = True
                    chain += more[0]
                    complete = complete and more[1]
            complete = complete and known
        ordered = list(reversed(list(dict.fromkeys(reversed(chain)))))
        ordered.remove(cid)
        self.mros[cid] = ([cid] + ordered, complete)
        return self.mros[cid]

    def base_chain(self, entity):
        if entity[0] == "C":
            return self.mro(entity[1])
        if entity[0] == "X":
            if self.short(entity[1]) in OBJECT_BUILTINS and not entity[1].endswith("type"):
                return [], True
            info = self.cclasses.get(entity[1])
            chain = [("X", ".".join(c)) for c in info["mro"]] if info else [("X", entity[1])]
            chain = [c for c in chain if c[1] not in ("builtins.object", "__builtin__.object")]
            return chain or [("X", entity[1])], self.facts.get(entity[1]) is not None or info is not None
        if entity[0] in ("K", "XI") or entity[0] == "F" and entity[1][1] in CLASS_MAKERS:
            return [], True
        return None

    def find_special(self, cid, name):
        """('F', fid) or ('X', class) that provides a special method, or None for object's own."""
        for owner in self.mro(cid)[0]:
            if owner[0] == "X":
                info = self.cclasses.get(owner[1])
                if info is not None and name in info["m"]:
                    return ("X", owner[1])
                continue
            cls = self.cls(owner)
            if cls is not None and name in cls.names:
                return self.special_entity(cls, name, cid)
        return None

    def special_entity(self, cls, name, cid):
        entities = self.bound(cls, name, "I", cid)
        functions = [e for e in entities if e[0] in ("F", "X", "P", "T", "U", "C", "I")]
        return ("E", functions) if functions else None

    # ---- nodes

    def node(self, key):
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node()
            self.todo.append(key)
        return node

    def solve(self):
        """Build every demanded node and run the worklist to a fixpoint; nodes may be demanded on the way."""
        dirty = {}
        while self.todo or dirty:
            while self.todo:
                key = self.todo.pop()
                self.build(key, self.nodes[key])
                dirty[key] = None
            key, _ = dirty.popitem()
            node = self.nodes[key]
            if self.update(key, node):
                dirty.update(dict.fromkeys(node.users))

    def build(self, key, node):
        kind = key[0]
        if kind == "X":
            self.build_fact(key[1], node)
        elif kind == "BY":
            self.build_by_name(key, node)
        elif kind == "F":
            self.build_function(key, node)
        else:
            getattr(self, "build_" + kind)(key, node)

    def edge(self, node, user, target, op=None, ctx=None, shift=0, mode="args"):
        found = self.node(target)
        found.users[user] = None
        node.edges.append((target, op, ctx, shift, mode))

    def build_fact(self, name, node):
        fact = self.facts.get(name)
        if fact is None:
            node.u |= UNDECIDED
            return
        node.u |= fact.call
        for where, mask in fact.conditional.items():
            node.c[(("X", name), where)] = mask

    def build_by_name(self, key, node):
        fids = self.methods.get(key[1], [])
        for fid in fids:
            self.edge(node, key, self.function_key(fid, self.function(fid).cls), mode="byname")
        if self.standard_methods.get(key[1], not fids):
            node.u |= UNDECIDED

    def method_verdicts(self):
        """method name -> whether some class has one that does something; to be reused for third-party libraries."""
        for name in self.methods:
            self.node(("BY", name))
        self.solve()
        return {name: bool(self.total(("BY", name))) for name in sorted(self.methods)}

    def function_key(self, fid, recv):
        fact = self.facts.strong(fid[0] + "." + fid[1])
        if fact is not None:
            return ("X", fid[0] + "." + fid[1])
        return ("F", fid, recv if self.uses_self(fid) else None)

    def uses_self(self, fid):
        while fid is not None:
            function = self.function(fid)
            if function.cls is not None and function.kind != "func":
                return True
            fid = function.outer
        return False

    def build_function(self, key, node):
        _, fid, recv = key
        function = self.function(fid)
        called = set()
        for op in function.ops:
            handler = getattr(self, "link_" + op[0])
            handler(key, node, op, fid[0], recv, called)
        for nested in function.nested:
            if ("fn", nested) not in called:
                self.edge(node, key, self.function_key(nested, recv), mode="all")
            else:
                self.edge(node, key, self.function_key(nested, recv), mode="drop")
        for values in function.decorators:
            self.decorate(key, node, values, fid[0], recv)

    def link_call(self, key, node, op, module, recv, called):
        for value in op[1]:
            if value[0] == "fn":
                called.add(value)
        entities = self.resolve_all(op[1], module, recv)
        if not entities and op[1]:
            node.u |= UNDECIDED
        for entity in entities:
            self.link_entity(key, node, entity, op, (module, recv))

    def link_entity(self, key, node, entity, op, ctx):
        kind = entity[0]
        if kind == "F":
            recv = self.explicit_receiver(entity, op, ctx) or entity[2] or ctx[1]
            self.edge(node, key, self.function_key(entity[1], recv), op, ctx, 1 if entity[3] else 0)
        elif kind == "C":
            self.link_class(key, node, entity[1], op, ctx)
        elif kind == "X":
            self.link_fact(key, node, entity[1], op, ctx)
        elif kind == "I":
            for found in self.class_attribute(entity, "__call__"):
                if found[0] in ("F", "X"):
                    self.link_entity(key, node, found, op, ctx)
        elif kind == "P":
            node.c[entity[1:]] = node.c.get(entity[1:], 0) | CALLARG
        elif kind == "T":
            node.u |= CALLARG
        elif kind in ("BY", "BYU", "KM"):
            self.link_method(key, node, entity, op, ctx)
        elif kind in ("U", "XI", "M"):
            node.u |= UNDECIDED

    def explicit_receiver(self, entity, op, ctx):
        """Base.method(self, …): the receiver is self's class, not Base."""
        cls = self.function(entity[1]).cls
        if entity[3] or cls is None or not op[2]:
            return None
        for first in self.resolve_all(op[2][0], *ctx):
            if first[0] in ("I", "C") and cls in self.mro(first[1])[0]:
                return first[1]
        return None

    def link_method(self, key, node, entity, op, ctx):
        if entity[1] == "sort" and any(k == "key" for k, _ in op[3]):
            self.edge(node, key, ("X", "builtins.list.sort"), op, ctx)
        elif entity[0] == "KM" or entity[1] in METHOD_NAMES:
            return
        else:
            self.edge(node, key, ("BY", entity[1]))
            if entity[0] == "BYU":
                node.u |= UNDECIDED

    def link_class(self, key, node, cid, op, ctx):
        fact = self.facts.strong(cid[0] + "." + cid[1])
        if fact is not None:
            self.edge(node, key, ("X", cid[0] + "." + cid[1]), op, ctx)
            return
        for target in self.constructor_parts(cid, ("__call__", "__new__", "__init__")):
            if target[0] == "E":
                for entity in target[1]:
                    if entity[0] in ("F", "X"):
                        entity = entity if entity[0] == "X" else entity[:3] + (True,)
                        self.link_entity(key, node, entity, op, ctx)
            elif target[0] == "X":
                self.link_fact(key, node, target[1], op, ctx)
            else:
                node.u |= target[1]

    def constructor_parts(self, cid, names):
        parts = []
        chain, complete = self.mro(cid)
        if not complete:
            parts.append(("M", UNDECIDED))
        if "__call__" in names:
            parts += self.metaclass_call(cid)
        for name in names:
            if name != "__call__":
                found = self.find_special(cid, name)
                if found is not None:
                    parts.append(found)
        if "__init__" in names and self.cls(cid) is not None and "__post_init__" in self.cls(cid).names:
            parts.append(self.special_entity(self.cls(cid), "__post_init__", cid))
        return [p for p in parts if p is not None]

    def metaclass_call(self, cid):
        for owner in self.mro(cid)[0]:
            cls = self.cls(owner) if owner[0] != "X" else None
            if cls is None or not cls.meta:
                continue
            parts = []
            for entity in self.resolve_all(cls.meta, owner[0], None):
                if entity[0] == "C":
                    found = self.find_special(entity[1], "__call__")
                    parts += [found] if found is not None and found[0] == "E" else []
                elif entity[0] == "X":
                    fact = self.facts.get(entity[1])
                    parts += [] if fact is not None else [("M", UNDECIDED)]
                elif entity[0] in ("U", "T", "P"):
                    parts.append(("M", UNDECIDED))
            return parts
        return []

    def link_fact(self, key, node, name, op, ctx):
        special = SPECIAL_FACTS.get(self.short(name))
        if special is not None:
            handled = special(self, key, node, op, ctx)
            if handled:
                return
        self.edge(node, key, ("X", name), op, ctx)

    def open_mode(self, key, node, op, ctx):
        """open(): reads unless the mode says otherwise; a mode that is not constant may write."""
        mode = op[2][1] if len(op[2]) > 1 else dict(op[3]).get("mode")
        texts = [("K", "str", "r")] if mode is None and not op[4] else self.resolve_all(mode or (UNKNOWN,), *ctx)
        for text in texts:
            if text[0] == "K" and text[2]:
                node.u |= BIT["write"] if set(text[2]) & set("wax+") else BIT["read"]
            elif text[0] == "P":
                node.u |= BIT["read"] | BIT["write"]
            else:
                node.u |= BIT["read"] | BIT["write"]
        return True

    def set_attribute(self, key, node, op, ctx):
        """setattr(self, …) only changes the instance; on anything else it may patch a module or class."""
        bases = self.resolve_all(op[2][0], *ctx) if op[2] else [U]
        if all(b[0] == "I" for b in bases):
            return True
        node.u |= BIT["state"]
        return True

    def get_attribute(self, key, node, op, ctx):
        if len(op[2]) < 2:
            return False
        names = self.resolve_all(op[2][1], *ctx)
        if names and all(n[0] == "S" and n[1].strip("_") for n in names):
            return True
        return False

    def link_with(self, key, node, op, module, recv, called):
        for entity in self.resolve_all(op[1], module, recv):
            if entity[0] == "I":
                for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
                    self.link_dunder(key, node, ("dunder", None, name), module, recv, called, [entity])

    def link_dunder(self, key, node, op, module, recv, called, entities=None):
        for entity in entities if entities is not None else self.resolve_all(op[1], module, recv):
            if entity[0] != "I":
                continue
            for found in self.class_attribute(entity, op[2]):
                if found[0] == "F":
                    self.edge(node, key, self.function_key(found[1], found[2]), mode="all")

    def link_get(self, key, node, op, module, recv, called):
        for entity in self.resolve_all(op[1], module, recv):
            for owner in self.mro(entity[-1])[0] if entity[0] in ("I", "SUP") else []:
                cls = self.cls(owner) if owner[0] != "X" else None
                if cls is not None and op[2] in cls.names:
                    for value in cls.names[op[2]]:
                        if value[0] == "prop":
                            self.edge(node, key, self.function_key(value[1], entity[-1]), mode="all")
                    break

    def link_setattr(self, key, node, op, module, recv, called):
        for entity in self.resolve_all(op[1], module, recv):
            if entity[0] in ("M", "C"):
                node.u |= BIT["state"]
            elif entity[0] == "I":
                for target in self.setter_keys(entity[1], op[2]):
                    self.edge(node, key, target, mode="all")

    def setter_keys(self, cid, name=None):
        keys = []
        for owner in self.mro(cid)[0]:
            cls = self.cls(owner) if owner[0] != "X" else None
            for attr, fids in cls.setters.items() if cls is not None else []:
                if name is None or attr == name:
                    keys += [self.function_key(fid, cid) for fid in fids]
        found = self.find_special(cid, "__setattr__")
        if found is not None and found[0] == "E":
            keys += [self.function_key(e[1], cid) for e in found[1] if e[0] == "F"]
        return keys

    def link_setitem(self, key, node, op, module, recv, called):
        for entity in self.resolve_all(op[1], module, recv):
            if entity[0] == "X" and entity[1] in MUTABLE_STATE:
                node.u |= BIT["state"]
            elif entity[0] == "I" and not self.is_environ(entity):
                self.link_dunder(key, node, ("dunder", None, "__setitem__"), module, recv, called, [entity])
            elif entity[0] == "I":
                node.u |= BIT["state"]

    def is_environ(self, entity):
        return entity[1] in (("os", "_Environ"),)

    def link_store(self, key, node, op, module, recv, called):
        if any(v[0] == "p" for v in op[2]) and any(v[0] == "g" for v in op[1]):
            node.u |= BIT["state"]

    def link_global(self, key, node, op, module, recv, called):
        if any(v[0] == "p" for v in op[1]):
            node.u |= BIT["state"]

    def link_inspect(self, key, node, op, module, recv, called):
        node.u |= BIT["inspect"]

    # ---- decorators

    def decorate(self, key, node, values, module, recv):
        for entity in self.resolve_all(values, module, recv):
            if entity[0] == "F":
                self.wrapper_edges(key, node, entity[1])
            elif entity[0] == "X":
                fact = self.facts.get(entity[1])
                node.u |= UNDECIDED if fact is None else 0
            elif entity[0] == "U":
                self.decorate_result(key, node, values, module, recv)

    def decorate_result(self, key, node, values, module, recv):
        """@factory(args): the factory's own innermost functions are what runs."""
        for value in values:
            if value[0] != "r":
                node.u |= UNDECIDED
                continue
            for entity in self.resolve(value[1], module, recv):
                if entity[0] == "F":
                    self.wrapper_edges(key, node, entity[1])
                elif entity[0] == "X":
                    node.u |= UNDECIDED if self.facts.get(entity[1]) is None else 0
                elif entity[0] not in ("C",):
                    node.u |= UNDECIDED

    def wrapper_edges(self, key, node, fid):
        leaves = self.leaves(fid, 0)
        for leaf in leaves:
            if leaf != fid and not self.identity(leaf):
                self.edge(node, key, self.function_key(leaf, None), mode="wrapper")

    def leaves(self, fid, depth):
        nested = [n for n in self.function(fid).nested if "<lambda" not in n[1]]
        if not nested or depth > 4:
            return [fid]
        return [leaf for n in nested for leaf in self.leaves(n, depth + 1)]

    def identity(self, fid):
        """A decorator that registers or marks a function and returns it."""
        function = self.function(fid)
        return bool(function.returns) and all(v[0] == "p" and v[1] == fid for v in function.returns)

    # ---- class nodes (only for the rows of the data files)

    def build_CALL(self, key, node):
        self.class_parts(key, node, self.constructor_parts(key[1], ("__call__", "__new__", "__init__")), "call")

    def build_NEW(self, key, node):
        cid = key[1]
        parts = self.constructor_parts(cid, ("__new__",))
        names = ("__del__", "__hash__", "__eq__") if self.hashable_by_eq(cid) else ("__del__", "__hash__")
        parts += [p for p in (self.find_special(cid, n) for n in names) if p and p[0] == "E"]
        self.class_parts(key, node, parts, "new")

    def hashable_by_eq(self, cid):
        """__eq__ runs on its own only in sets and dicts; a class that defines it without __hash__ cannot be in one."""
        for owner in self.mro(cid)[0]:
            cls = self.cls(owner) if owner[0] != "X" else None
            if cls is not None and "__hash__" in cls.names:
                return True
            if cls is not None and "__eq__" in cls.names:
                return self.python2
        return True

    def build_STATE(self, key, node):
        cid = key[1]
        if not self.mro(cid)[1]:
            node.u |= UNDECIDED
        custom = self.find_special(cid, "__setstate__")
        if custom is not None:
            self.class_parts(key, node, [custom], "state")
        else:
            for target in self.setter_keys(cid):
                self.edge(node, key, target, mode="all")
            self.lookup_hook(key, node, cid, "__getattr__")
        self.lookup_hook(key, node, cid, "__getattribute__")

    def lookup_hook(self, key, node, cid, name):
        """pickle asks for inst.__setstate__: the hook runs with that constant name."""
        found = self.find_special(cid, name)
        for entity in found[1] if found is not None and found[0] == "E" else []:
            if entity[0] == "F":
                op = ("call", (), ((("k", "str", "__setstate__"),),), (), ())
                self.edge(node, key, self.function_key(entity[1], cid), op, (cid[0], cid), 1)

    def build_ITEMS(self, key, node):
        cid = key[1]
        if not self.mro(cid)[1]:
            node.u |= UNDECIDED
        parts = [self.find_special(cid, name) for name in ITEM_METHODS]
        self.class_parts(key, node, [p for p in parts if p is not None], "items")

    def class_parts(self, key, node, parts, column):
        for part in parts:
            if part[0] == "E":
                for entity in part[1]:
                    self.part_entity(key, node, entity, column)
            elif part[0] == "X":
                node.u |= self.fact_column(part[1], column)
            else:
                node.u |= part[1]

    def part_entity(self, key, node, entity, column):
        if entity[0] == "F":
            self.edge(node, key, self.function_key(entity[1], key[1]), mode="all")
        elif entity[0] == "X":
            self.edge(node, key, ("X", entity[1]), mode="all")
        elif entity[0] in ("U", "P", "T"):
            node.u |= UNDECIDED

    def fact_column(self, name, column):
        """Effects of a C class for one column of a class row."""
        fact = self.facts.get(name)
        info = self.cclasses.get(name)
        if fact is None:
            return UNDECIDED
        call = fact.call
        for mask in fact.conditional.values():
            call |= mask
        if column == "call":
            return call
        if column == "new":
            return call if fact.new is None else fact.new
        given = getattr(fact, column)
        return given if given is not None else 0

    # ---- fixpoint

    def update(self, key, node):
        u, c = node.u, dict(node.c)
        for target, op, ctx, shift, mode in node.edges:
            u = self.flow(key, target, op, ctx, shift, mode, u, c)
        changed = u != node.u or c != node.c
        node.u, node.c = u, c
        return changed

    def flow(self, key, target, op, ctx, shift, mode, u, c):
        found = self.nodes[target]
        if mode == "byname":
            total = found.u
            for mask in found.c.values():
                total |= mask
            return u | (UNDECIDED if total else 0)
        u |= found.u
        for (fid, name), mask in list(found.c.items()):
            if fid != target[1] and not (target[0] == "X" and fid == target):
                if mode == "wrapper":
                    continue
                c[(fid, name)] = c.get((fid, name), 0) | mask
            elif mode in ("all", "wrapper"):
                u |= mask
            elif mode == "args":
                u = self.pass_argument(key, target, name, mask, op, ctx, shift, u, c)
        return u

    def pass_argument(self, key, target, name, mask, op, ctx, shift, u, c):
        for value in self.argument_values(target, name, op, shift):
            for entity in self.resolve(value, *ctx) or [U]:
                u = self.pass_entity(key, entity, mask, ctx, u, c)
        return u

    def argument_values(self, target, name, op, shift):
        _, _, args, keywords, star = op
        for keyword, values in keywords:
            if keyword == name:
                return values
        if target[0] == "X":
            return args[name] if isinstance(name, int) and name < len(args) else star
        function = self.function(target[1])
        if name == function.vararg:
            return [v for values in args[max(len(function.params) - shift, 0):] for v in values] + list(star)
        if name == function.kwarg:
            known = set(function.params) | set(function.kwonly)
            return [v for k, values in keywords if k not in known for v in values] + list(star)
        if name in function.params:
            index = function.params.index(name) - shift
            if 0 <= index < len(args):
                return args[index]
        return star

    def pass_entity(self, key, entity, mask, ctx, u, c):
        kind = entity[0]
        if kind == "P":
            c[entity[1:]] = c.get(entity[1:], 0) | mask
            return u
        if kind in ("T", "BY", "BYU"):
            return u | mask if kind == "T" else u | (mask & ~CALLARG) | (UNDECIDED if mask & CALLARG else 0)
        if kind == "U":
            return u | (mask & ~CALLARG) | (UNDECIDED if mask & CALLARG else 0)
        if kind == "S" or entity == INERT:
            return u | (mask & ~CALLARG)
        if kind == "L":
            for inner in self.resolve_all(entity[2], entity[3], ctx[1]):
                u = self.pass_entity(key, inner, mask, ctx, u, c) if inner[0] != "L" else u | mask
            return u
        if mask & CALLARG and kind in ("F", "C", "X", "I"):
            return u | self.callback(key, entity, ctx)
        return u

    def callback(self, key, entity, ctx):
        """A known callable handed to something that calls it: whatever it does happens, with unknown arguments."""
        if entity[0] == "I":
            found = [e for e in self.class_attribute(entity, "__call__") if e[0] == "F"]
            return self.callback(key, found[0], ctx) if found else 0
        if entity[0] == "F":
            target = self.function_key(entity[1], entity[2] or ctx[1])
        elif entity[0] == "C":
            target = ("CALL", entity[1]) if self.facts.strong(".".join(entity[1])) is None else ("X", ".".join(entity[1]))
        else:
            target = ("X", entity[1])
        node = self.node(target)
        node.users[key] = None
        total = node.u
        for (fid, _), mask in node.c.items():
            total |= mask if fid == target[1] or fid == target else 0
        return total

    def total(self, key):
        node = self.nodes[key]
        total = node.u
        for mask in node.c.values():
            total |= mask
        return total


SPECIAL_FACTS = {"_io.open": Program.open_mode, "builtins.open": Program.open_mode, "codecs.open": Program.open_mode,
                 "builtins.setattr": Program.set_attribute, "builtins.delattr": Program.set_attribute,
                 "builtins.getattr": Program.get_attribute, "builtins.hasattr": Program.get_attribute}


def python_class(info):
    """Made by a class statement: it has Python functions, or at least nothing implemented in C."""
    return info["py"] or "c" not in info["m"].values()


def default_text(path):
    import tokenize
    with tokenize.open(path) as source:
        return source.read()
