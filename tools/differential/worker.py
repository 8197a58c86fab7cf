# Runs pickle streams with stub classes only, for Bartizan's differential check.  CPython 2.7 and 3.6 or later.
#
# Nothing real is imported or called: find_class gives a stub for every name and notes it; stubs note every call,
# and the result of a call is a stub again.  Where the C reader's own loads() is asked (3.8 or later), an audit
# hook notes the first name and refuses it before anything is imported.
#
# Request on stdin, little-endian:  u32 count, then per stream u32 length and bytes.
# Reply on stdout:  u32 length of the rest, then per stream u8 mask of the readers that loaded it whole and u16 number
# of events, then per event  u8 kind, u8 mask of readers, u16 length of text 1, u16 length of text 2, both texts.
# Kinds: 1 name (module, name); 2 call (target, ""); 3 persistent id.  Texts longer than 65535 bytes are cut.
import gc
import io
import os
import struct
import sys

MEMORY = 32 << 20  # bytes of address space beyond the start's: a memo slot or a length that asks for more is refused
STREAMS = 4  # pickles read from one input, as loaders of stacked pickles do
SETTERS = ("append", "extend", "add", "update")  # what readers call on objects that are no list, dict or set
PY2 = sys.version_info[0] == 2
AUDIT = sys.version_info >= (3, 8)

events = []
note = events.append


class Refused(Exception):
    """The audit hook's word that a name must not be resolved."""


def method(path, name):
    """The bound method `name` of a stub: calling it is noted."""
    def call(*args, **kwargs):
        note((2, path + "." + name, ""))
        return result(path + "." + name)
    return call


class Meta(type):
    """Classes of stubs: a class stands for whatever a name means, class, function or object."""

    def __call__(cls, *args, **kwargs):
        note((2, cls.stub_path, ""))
        return result(cls.stub_path)

    def __getattr__(cls, name):
        if name in SETTERS or name == "__setstate__" and not cls.stub_path.endswith("D"):
            return method(cls.stub_path, name)
        raise AttributeError(name)

    def __setitem__(cls, key, value):
        note((2, cls.stub_path + ".__setitem__", ""))

    def __setattr__(cls, key, value):
        note((2, cls.stub_path + ".__setattr__", ""))

    def __iter__(cls):
        return iter(())


def new(cls, *args, **kwargs):
    """__new__ of every stub class: NEWOBJ and NEWOBJ_EX come here, REDUCE goes through Meta.__call__."""
    path = getattr(cls, "stub_path", None)
    note((2, path, ""))
    return result(path)


class Stub(object):
    """What a call returned.  Its path cannot be overwritten by state: it is a slot beside __dict__."""
    __slots__ = ("stub_path", "__dict__")

    def __new__(self, *args, **kwargs):
        """NEWOBJ on an instance: the pure Python readers call what the instance calls __new__."""
        return self()

    def __call__(self, *args, **kwargs):
        note((2, self.stub_path, ""))
        return result(self.stub_path)

    def __getattr__(self, name):
        if name in SETTERS or name == "__setstate__" and not self.stub_path.endswith("D()"):
            return method(self.stub_path, name)
        raise AttributeError(name)

    def __setattr__(self, key, value):
        self.__dict__[key] = value  # hooks set by state are called from here

    def __setitem__(self, key, value):
        note((2, self.stub_path + ".__setitem__", ""))

    def __iter__(self):
        return iter(())


set_path = Stub.stub_path.__set__


def result(path):
    """The stub of what a call of path returned."""
    stub = object.__new__(Stub)
    set_path(stub, path + "()")
    return stub


classes = {}


def text(value):
    """A name's text as str in both Pythons; cPickle and pickle of 2.7 give bytes or unicode."""
    if PY2 and not isinstance(value, str):
        return value.encode("utf-8") if isinstance(value, unicode) else repr(value)  # noqa: F821
    return value if isinstance(value, str) else repr(value)


def stub_class(module, name):
    """The stub for a name.  Classes cannot be changed through the stream, so they are kept."""
    key = (module, name)
    found = classes.get(key)
    if found is None:
        if len(classes) > 4000:
            classes.clear()
        path = text(module) + "." + text(name)
        found = classes[key] = type.__new__(Meta, "C", (object,), {"stub_path": path, "__new__": new, "__slots__": ()})
    return found


def find(module, name):
    """find_class: notes and gives the stub.  No Python imports an empty module name or finds an empty attribute."""
    module, name = text(module), text(name)
    if not module or not name:
        raise ImportError("empty name")
    note((1, module, name))
    return stub_class(module, name)


def persistent(pid):
    note((3, "", ""))
    return result("persistent")


class Peekable(object):
    """A file that shows all its bytes in peek(): the C reader over it sees what it sees over loads(bytes)."""

    def __init__(self, data):
        self.data = data

    def peek(self, n):
        return self.data

    def read(self, n=-1):
        self.data, out = self.data[n:] if n >= 0 else b"", self.data[:n] if n >= 0 else self.data
        return out

    def readline(self):
        end = self.data.find(b"\n") + 1 or len(self.data)
        return self.read(end)


def readers2():
    import cPickle
    import cStringIO
    import pickle
    import StringIO

    def quick(data):
        f = cStringIO.StringIO(data)
        for _ in range(STREAMS):
            u = cPickle.Unpickler(f)
            u.find_global = find
            u.persistent_load = persistent
            u.load()

    class Pure(pickle.Unpickler):
        def find_class(self, module, name):
            return find(module, name)

        def persistent_load(self, pid):
            return persistent(pid)

    def pure(data):
        u = Pure(StringIO.StringIO(data))
        for _ in range(STREAMS):
            u.load()

    def keeping(data):
        u = cPickle.Unpickler(cStringIO.StringIO(data))
        u.find_global = find
        u.persistent_load = persistent
        for _ in range(STREAMS):
            u.load()
    return [("c", quick), ("c-same", keeping), ("py", pure)]


def readers3():
    import itertools
    import pickle
    BytesIO, BufferedReader = io.BytesIO, io.BufferedReader

    class Quick(pickle.Unpickler):
        def find_class(self, module, name):
            if not module or not name:
                raise ImportError("empty name")
            note((1, module, name))
            return classes.get((module, name)) or stub_class(module, name)

        def persistent_load(self, pid):
            return persistent(pid)

    class Pure(pickle._Unpickler):
        def find_class(self, module, name):
            return find(module, name)

        def persistent_load(self, pid):
            return persistent(pid)
    more = {"buffers": itertools.repeat(b"buffer")} if AUDIT else {}
    latin1 = dict(more, encoding="latin1")

    def loads(data):
        Quick(Peekable(data), **latin1).load()

    def bytesio(data):
        f = BytesIO(data)
        for _ in range(STREAMS):
            Quick(f, **more).load()

    def opened(data):
        f = BufferedReader(BytesIO(data))
        for _ in range(STREAMS):
            Quick(f, **more).load()

    def pure(data):
        u = Pure(BytesIO(data), **more)
        for _ in range(STREAMS):
            u.load()
    found = [("loads", loads), ("bytesio", bytesio), ("file", opened), ("py", pure)]
    if AUDIT:
        found.append(("first", first_name(pickle.loads)))
    return found


def first_name(loads):
    """The real loads(), ended by an audit hook at the first name: what it would have resolved."""
    state = [False]

    def hook(event, args):
        if state[0] and event != "sys.unraisablehook":
            if event == "pickle.find_class" and args[0] and args[1]:
                note((1, args[0], args[1]))
            raise Refused(event)
    sys.addaudithook(hook)

    def run(data):
        state[0] = True
        try:
            loads(data)
        finally:
            state[0] = False
    return run


def extensions():
    """Test codes of the extension registry; a code's object is the stub named extension.CODE."""
    if PY2:
        import copy_reg as copyreg
    else:
        import copyreg
    for code in (1, 2, 5, 255, 256, 65535, 65536, 0x7fffffff):
        copyreg._inverted_registry[code] = ("extension", str(code))
        copyreg._extension_registry[("extension", str(code))] = code
    return copyreg._extension_cache


def bound():
    """Memory and recursion bounds: what a stream asks beyond them is refused, not had."""
    sys.setrecursionlimit(2000)
    gc.disable()  # collected once a batch
    try:
        import resource
        with open("/proc/self/statm") as f:
            limit = int(f.read().split()[0]) * resource.getpagesize() + MEMORY
    except (ImportError, IOError):
        return  # no Linux: unbounded
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def encoded(value):
    if isinstance(value, bytes):
        return value[:65535]
    return value.encode("utf-8", "surrogatepass")[:65535]


def run(data, readers, cache):
    """Runs one stream through every reader; gives the reply's bytes."""
    seen = {}
    whole = 0
    bit = 1
    for reader in readers:
        try:
            reader(data)
            whole |= bit
        except EOFError:
            whole |= bit  # the end after whole pickles, or a truncated one: told apart nowhere else
        except BaseException:  # noqa: BLE001: a stream may raise anything; what it did before counts
            pass
        if events:
            for event in events:
                seen[event] = seen.get(event, 0) | bit
            del events[:]
            if cache:
                cache.clear()
        bit <<= 1
    out = [struct.pack("<BH", whole, min(len(seen), 65535))]
    if seen:
        for (kind, a, b), mask in seen.items():
            a, b = encoded(a), encoded(b)
            out.append(struct.pack("<BBHH", kind, mask, len(a), len(b)) + a + b)
    return b"".join(out)


def read(n):
    chunks = []
    while n:
        chunk = os.read(0, min(n, 1 << 20))
        if not chunk:
            os._exit(0)
        chunks.append(chunk)
        n -= len(chunk)
    return b"".join(chunks)


def write(data):
    while data:
        data = data[os.write(1, data):]


def main():
    found = readers2() if PY2 else readers3()
    readers = [reader for _, reader in found]
    cache = extensions()
    bound()
    version = "%d.%d.%d " % sys.version_info[:3] + ",".join(name for name, _ in found)
    write(struct.pack("<I", len(version)) + version.encode("ascii"))
    while True:
        count, = struct.unpack("<I", read(4))
        replies = []
        for _ in range(count):
            size, = struct.unpack("<I", read(4))
            replies.append(run(read(size), readers, cache))
        body = b"".join(replies)
        write(struct.pack("<I", len(body)) + body)
        gc.collect()


main()
