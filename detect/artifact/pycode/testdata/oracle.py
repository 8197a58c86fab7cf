"""Says with Python's own dis what the standard library's modules name, one JSON line a module.

    PYTHON oracle.py LIMIT

Modules come in an order that spreads over all of them, until LIMIT code objects are passed.

"code" is the marshalled module, hexadecimal. "units" lists its code objects: names,
IMPORT_NAME targets, and chains of a global and the attributes taken from it at once.
"""
import dis
import json
import marshal
import opcode
import os
import sys
import zlib

ATTRS = ("LOAD_ATTR", "LOAD_METHOD")


def instructions(code):
    if sys.version_info >= (3, 4):
        for i in dis.get_instructions(code):
            if i.opname != "CACHE":
                yield i.opname, i.argval
        return
    data, i, extended = code.co_code, 0, 0
    while i < len(data):
        op = ord(data[i])
        i += 1
        arg = None
        if op >= opcode.HAVE_ARGUMENT:
            arg = ord(data[i]) | ord(data[i + 1]) << 8 | extended
            i += 2
            extended = 0
            if op == opcode.EXTENDED_ARG:
                extended = arg << 16
                continue
            if op in opcode.hasname:
                arg = code.co_names[arg]
        yield opcode.opname[op], arg


def unit(code):
    imports, chains, chain = [], [], None
    for name, arg in instructions(code):
        if name == "IMPORT_NAME":
            imports.append(arg)
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            chain = [arg]
            chains.append(chain)
        elif name in ATTRS and chain:
            chain.append(arg)
        elif name not in ("PUSH_NULL", "EXTENDED_ARG"):
            chain = None
    return {"name": code.co_name, "names": list(code.co_names), "imports": imports,
            "chains": sorted(set(".".join(c) for c in chains)), "consts": len(code.co_consts),
            "size": len(code.co_code)}


def walk(code):
    yield unit(code)
    for k in code.co_consts:
        if hasattr(k, "co_code"):
            for u in walk(k):
                yield u


def main():
    root = os.path.dirname(os.__file__)
    names = sorted(n for n in os.listdir(root) if n.endswith(".py"))
    for sub in ("json", "logging", "email", "unittest", "asyncio", "concurrent/futures", "multiprocessing", "importlib", "xml/etree"):
        if os.path.isdir(os.path.join(root, sub)):
            names += sorted(sub + "/" + n for n in os.listdir(os.path.join(root, sub)) if n.endswith(".py"))
    names.sort(key=lambda n: zlib.crc32(n.encode("utf-8")) & 0xffffffff)  # the same everywhere
    count = 0
    for name in names:
        with open(os.path.join(root, name), "rb") as f:
            source = f.read()
        try:
            code = compile(source, name, "exec")
        except (SyntaxError, ValueError):
            continue
        units = list(walk(code))
        hexed = "".join("%02x" % b for b in bytearray(marshal.dumps(code)))
        print(json.dumps({"file": name, "code": hexed, "units": units}))
        count += len(units)
        if count > int(sys.argv[1]):
            return


main()
