"""Writes detect/artifact/pycode/opcodes_gen.go from CPython's own opcode modules.

    python3 tools/opcodes/generate.py [--pyenv DIR] FILE     (go generate ./detect/artifact/pycode)

Every interpreter named in VERSIONS is run with this file's own probe and says
its opcodes, what their arguments mean, inline caches and stack effects. The
numbers of 3.14, for which no interpreter was at hand, stand below; check()
holds them to the rule by which CPython numbers opcodes since 3.13.
"""
import argparse
import io
import json
import subprocess

VERSIONS = ["2.7.18", "3.6.15", "3.7.16", "3.8.18", "3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0"]

PROBE = r'''
import dis, json, opcode, sys
V = sys.version_info[:2]
every = dict(getattr(dis, "_all_opmap", None) or opcode.opmap)
deopt = dict(getattr(dis, "deoptmap", {}))
cache = getattr(opcode, "_inline_cache_entries", [])
def caches(name, num):
    if isinstance(cache, dict):
        return cache.get(name, 0)
    return cache[num] if num < len(cache) else 0
def effect(num, has, jump):
    if V < (3, 4):
        return None
    def one(arg):
        try:
            if V >= (3, 8):
                return opcode.stack_effect(num, arg, jump=jump)
            return opcode.stack_effect(num, arg)
        except (ValueError, TypeError, SystemError):
            return None
    if not has:
        return one(None)
    seen = set(one(a) for a in (0, 1, 2, 3, 7, 256))
    return seen.pop() if len(seen) == 1 else "variable"
rows = []
for name, num in sorted(every.items()):
    if num > 255:
        continue
    base = deopt.get(name, name)
    if name.startswith("INSTRUMENTED_"):
        base = name[len("INSTRUMENTED_"):]
    special = name != base
    if base not in opcode.opmap:
        base = name
    bn = every[base]
    has = bn in opcode.hasarg if hasattr(opcode, "hasarg") else bn >= opcode.HAVE_ARGUMENT
    kind = ("name" if bn in opcode.hasname else "const" if bn in opcode.hasconst else
            "local" if bn in opcode.haslocal else "free" if bn in opcode.hasfree else
            "jrel" if bn in opcode.hasjrel else "jabs" if bn in opcode.hasjabs else
            "plain" if has else "none")
    rows.append(dict(num=num, name=base, special=special, arg=kind, caches=caches(base, bn),
                     fall=effect(bn, has, False), jump=effect(bn, has, True)))
bi = dir(sys.modules.get("builtins") or sys.modules["__builtin__"])
print(json.dumps(dict(version=list(V), rows=rows, builtins=[b for b in bi])))
'''

# CPython 3.14 (Include/opcode_ids.h, magic 3627): numbered from 0 in this order, those without argument first.
PLAIN_314 = """CACHE BINARY_SLICE BUILD_TEMPLATE - CALL_FUNCTION_EX CHECK_EG_MATCH CHECK_EXC_MATCH CLEANUP_THROW
DELETE_SUBSCR END_FOR END_SEND EXIT_INIT_CHECK FORMAT_SIMPLE FORMAT_WITH_SPEC GET_AITER GET_ANEXT GET_ITER RESERVED
GET_LEN GET_YIELD_FROM_ITER INTERPRETER_EXIT LOAD_BUILD_CLASS LOAD_LOCALS MAKE_FUNCTION MATCH_KEYS MATCH_MAPPING
MATCH_SEQUENCE NOP NOT_TAKEN POP_EXCEPT POP_ITER POP_TOP PUSH_EXC_INFO PUSH_NULL RETURN_GENERATOR RETURN_VALUE
SETUP_ANNOTATIONS STORE_SLICE STORE_SUBSCR TO_BOOL UNARY_INVERT UNARY_NEGATIVE UNARY_NOT WITH_EXCEPT_START""".split()
ARG_314 = """BINARY_OP BUILD_INTERPOLATION BUILD_LIST BUILD_MAP BUILD_SET BUILD_SLICE BUILD_STRING BUILD_TUPLE CALL
CALL_INTRINSIC_1 CALL_INTRINSIC_2 CALL_KW COMPARE_OP CONTAINS_OP CONVERT_VALUE COPY COPY_FREE_VARS DELETE_ATTR
DELETE_DEREF DELETE_FAST DELETE_GLOBAL DELETE_NAME DICT_MERGE DICT_UPDATE END_ASYNC_FOR EXTENDED_ARG FOR_ITER
GET_AWAITABLE IMPORT_FROM IMPORT_NAME IS_OP JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD LIST_APPEND
LIST_EXTEND LOAD_ATTR LOAD_COMMON_CONSTANT LOAD_CONST LOAD_DEREF LOAD_FAST LOAD_FAST_AND_CLEAR LOAD_FAST_BORROW
LOAD_FAST_BORROW_LOAD_FAST_BORROW LOAD_FAST_CHECK LOAD_FAST_LOAD_FAST LOAD_FROM_DICT_OR_DEREF
LOAD_FROM_DICT_OR_GLOBALS LOAD_GLOBAL LOAD_NAME LOAD_SMALL_INT LOAD_SPECIAL LOAD_SUPER_ATTR MAKE_CELL MAP_ADD
MATCH_CLASS POP_JUMP_IF_FALSE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE POP_JUMP_IF_TRUE RAISE_VARARGS RERAISE SEND
SET_ADD SET_FUNCTION_ATTRIBUTE SET_UPDATE STORE_ATTR STORE_DEREF STORE_FAST STORE_FAST_LOAD_FAST
STORE_FAST_STORE_FAST STORE_GLOBAL STORE_NAME SWAP UNPACK_EX UNPACK_SEQUENCE YIELD_VALUE""".split()
CACHES_314 = dict(LOAD_GLOBAL=4, BINARY_OP=5, UNPACK_SEQUENCE=1, COMPARE_OP=1, CONTAINS_OP=1, FOR_ITER=1,
                  LOAD_SUPER_ATTR=1, LOAD_ATTR=9, STORE_ATTR=4, CALL=3, CALL_KW=3, STORE_SUBSCR=1, SEND=1,
                  JUMP_BACKWARD=1, TO_BOOL=3, POP_JUMP_IF_TRUE=1, POP_JUMP_IF_FALSE=1, POP_JUMP_IF_NONE=1,
                  POP_JUMP_IF_NOT_NONE=1)
# What 3.14 has and 3.13 has not, or has otherwise: (argument, effect, effect of the jump).
NEW_314 = dict(
    BUILD_TEMPLATE=("none", -1, -1), NOT_TAKEN=("none", 0, 0), POP_ITER=("none", -1, -1),
    CALL_FUNCTION_EX=("none", -3, -3), BUILD_INTERPOLATION=("plain", "variable", "variable"),
    LOAD_COMMON_CONSTANT=("plain", 1, 1), LOAD_FAST_BORROW=("local", 1, 1),
    LOAD_FAST_BORROW_LOAD_FAST_BORROW=("local", 2, 2), LOAD_SMALL_INT=("plain", 1, 1),
    LOAD_SPECIAL=("plain", 1, 1), END_ASYNC_FOR=("jrel", -2, -2))


def check(plain, args):
    """CPython numbers opcodes alphabetically, those without argument first (Tools/cases_generator)."""
    fixed = {"CACHE", "RESERVED", "-"}
    assert [p for p in plain if p not in fixed] == sorted(p for p in plain if p not in fixed)
    assert args == sorted(args) and plain[17] == "RESERVED" and len(plain) == 44


def table314(t313):
    check(PLAIN_314, ARG_314)
    known = {r["name"]: r for r in t313["rows"] if not r["special"]}
    rows = []
    numbered = [(i, n) for i, n in enumerate(PLAIN_314 + ARG_314) if n != "-"] + [(128, "RESUME")]
    for num, name in numbered:
        if name in NEW_314:
            arg, fall, jump = NEW_314[name]
        else:
            arg, fall, jump = (known[name][k] for k in ("arg", "fall", "jump"))
        rows.append(dict(num=num, name=name, special=False, arg=arg, caches=CACHES_314.get(name, 0),
                         fall=fall, jump=jump))
    return dict(version=[3, 14], rows=rows, builtins=t313["builtins"])


def borrow(tables):
    """3.6 and 3.7 say one effect for both ways of a jump, 2.7 none: take those of the next that knows."""
    for old in (2, 1, 0):
        known = {r["name"]: r for t in tables[old + 1:old + 3] for r in reversed(t["rows"])}
        for r in tables[old]["rows"]:
            if r["name"] in known and (old == 0 or r["arg"] in ("jrel", "jabs")):
                r["fall"], r["jump"] = known[r["name"]]["fall"], known[r["name"]]["jump"]


def go_name(name):
    return "op" + "".join(w.capitalize() for w in name.replace("+", "_").split("_"))


def write(tables, out):
    names = sorted({r["name"] for t in tables for r in t["rows"]})
    p = lambda *a: print(*a, file=out)
    p("// Code generated by tools/opcodes/generate.py; DO NOT EDIT.\n\npackage pycode\n")
    p('import "bartizan/detect/artifact/marshal"\n')
    p("// The instructions of every version, one number each.\nconst (\n\topInvalid op = iota")
    for n in names:
        p("\t" + go_name(n))
    p(")\n\nvar opNames = [...]string{\n\topInvalid: \"<invalid>\",")
    for n in names:
        p('\t%s: "%s",' % (go_name(n), n))
    p("}\n")
    p("// tables are read only, oldest first.\nvar tables = [...]table{")
    for t in tables:
        p("\t{version: marshal.Version{Major: %d, Minor: %d}, entries: [256]entry{" % tuple(t["version"]))
        for r in sorted(t["rows"], key=lambda r: r["num"]):
            fall, jump = (("effectVaries" if e in (None, "variable") else str(e)) for e in (r["fall"], r["jump"]))
            p("\t\t%d: {%s, arg%s, %d, %s, %s, %s}," % (r["num"], go_name(r["name"]), r["arg"].capitalize(),
                                                    r["caches"], str(r["special"]).lower(), fall, jump))
        p("\t}},")
    p("}\n")
    builtins = sorted({b for t in tables for b in t["builtins"]})
    p("// builtinNames are the names that any of the versions has in its builtins, sorted.\nvar builtinNames = [...]string{")
    for b in builtins:
        p('\t"%s",' % b)
    p("}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--pyenv", default="/root/.pyenv/versions", metavar="DIR", help="where the interpreters are, by version")
    args.add_argument("file")
    args = args.parse_args()
    tables = []
    for v in VERSIONS:
        out = subprocess.check_output(["%s/%s/bin/python" % (args.pyenv, v), "-S", "-E", "-c", PROBE])
        tables.append(json.loads(out))
    tables.append(table314(tables[-1]))
    borrow(tables)
    source = io.StringIO()
    write(tables, source)
    formatted = subprocess.run(["gofmt"], input=source.getvalue(), stdout=subprocess.PIPE, check=True, text=True).stdout
    with open(args.file, "w") as f:
        f.write(formatted)


if __name__ == "__main__":
    main()
