#!/usr/bin/env python3
"""Generate Bartizan's symbol data: what every callable that a pickle can name is able to do.

    generate.py --interpreter PYTHON... --out DIR                  the standard library (cpython.txt, pip.txt, setuptools.txt)
    generate.py --package NAME... --site DIR... --out DIR --as FILE   third-party libraries

See README.md in this folder.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import source2  # noqa: E402
from facts import Facts, parse_effects  # noqa: E402
from program import Program, default_text  # noqa: E402
from rows import Collector, Row, Table  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROBE_SECONDS = 420
# Importing these opens windows or browsers, prints, replaces import machinery or never returns.
NEVER_IMPORT = ("antigravity", "this", "idlelib", "turtledemo", "lib2to3.tests", "test", "__phello__", "__hello__", "tkinter.test",
                "distutils.tests", "unittest.test", "ctypes.test", "json.tests", "sqlite3.test", "email.test", "bsddb.test",
                "lib-tk", "pip._internal.__main__", "distutils.command.bdist_wininst", "setuptools.tests", "curses.has_key")
TEST_PARTS = frozenset(("test", "tests", "testing_data", "idle_test"))
BUNDLED = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "easy_install")


def importable(name):
    if any(part in ("__main__", "__pip-runner__") for part in name.split(".")):
        return False
    if name == "test" or name.startswith("test.support"):
        return True
    return not any(name == skip or name.startswith(skip + ".") for skip in NEVER_IMPORT)


def is_test(name):
    return bool(TEST_PARTS & set(name.split("."))) and not name.startswith("test.support") and name != "test"


def walk_sources(root, top=None):
    """Module names of the sources and extension modules below a folder of sys.path."""
    found = set()
    start = os.path.join(root, top) if top else root
    for folder, folders, files in os.walk(start):
        folders[:] = sorted(f for f in folders if f.isidentifier() and f not in ("site-packages", "__pycache__"))
        package = os.path.relpath(folder, root).replace(os.sep, ".")
        package = "" if package == "." else package + "."
        for file in files:
            stem, dot, rest = file.partition(".")
            if rest == "py" or rest.endswith("so") and dot:
                if stem.isidentifier():
                    found.add(package[:-1] if stem == "__init__" else package + stem)
    found.discard("")
    return found


# ---- introspection


def run_probe(python, names, env=None):
    """Records of probe.py by module; a module whose import hangs or crashes the interpreter is dropped."""
    records, rest = {}, list(names)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "PROBE_OUT": out, "LANG": "C.UTF-8", "MPLBACKEND": "agg",
                       "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                       "SETUPTOOLS_USE_DISTUTILS": "stdlib"}
        environment.update(env or {})
        while rest:
            run_once(python, rest, folder, environment)
            started = read_records(out, records)
            left = [n for n in rest if n not in records]
            if started in left:
                records[started] = {"m": started, "ok": False, "err": "crashed"}
                left.remove(started)
            if len(left) == len(rest):
                break
            rest = left
    return records


def run_once(python, names, folder, environment):
    command = [python, os.path.join(HERE, "probe.py")]
    try:
        subprocess.run(command, input="\n".join(names).encode(), cwd=folder, env=environment, timeout=PROBE_SECONDS,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        pass


def read_records(path, records):
    started = None
    if os.path.exists(path):
        with open(path, encoding="utf8", errors="replace") as lines:
            for line in lines:
                try:
                    record = json.loads(thaw(line))
                except ValueError:
                    continue
                if "begin" in record:
                    started = record["begin"]
                else:
                    records[record["m"]] = record
    return started


def thaw(line):
    """The frozen import modules under the names of their sources."""
    line = line.replace('"_frozen_importlib_external"', '"importlib._bootstrap_external"')
    return line.replace('"_frozen_importlib"', '"importlib._bootstrap"')


def add_frozen_names(table):
    for frozen, home in (("_frozen_importlib", "importlib._bootstrap"), ("_frozen_importlib_external", "importlib._bootstrap_external")):
        for name, row in table.modules.get(home, {}).items():
            if row.kind in ("c", "f"):
                table.add(frozen, name, Row("r", "%s:%s" % (home, name)))


def ask(python, code):
    return json.loads(subprocess.run([python, "-c", code], stdout=subprocess.PIPE, check=True, cwd="/").stdout.decode())


def interpreter_paths(python):
    return ask(python, "import sys,json,os,platform; print(json.dumps([platform.python_version(), os.path.dirname(os.__file__),"
                       " list(sys.builtin_module_names)]))")


# ---- the standard library


def standard_names(lib, builtin):
    names = set(builtin) | walk_sources(lib)
    for extra in ("lib-dynload", "lib-tk", "plat-linux2"):
        if os.path.isdir(os.path.join(lib, extra)):
            names |= {n for n in walk_sources(os.path.join(lib, extra))}
    site = os.path.join(lib, "site-packages")
    for bundled in BUNDLED:
        if os.path.isdir(os.path.join(site, bundled)):
            names |= walk_sources(site, bundled)
    return {n for n in names if "lib2to3.tests.data" not in n and "-" not in n and not n.startswith("config")}


def standard_roots(lib):
    return [lib] + [os.path.join(lib, d) for d in ("lib-tk", "plat-linux2", "site-packages") if os.path.isdir(os.path.join(lib, d))]


def split_bundled(name):
    top = name.partition(".")[0]
    return "pip" if top == "pip" else "setuptools" if top in BUNDLED else "cpython"


def analyse_interpreter(python, tables, facts, log):
    version, lib, builtin = interpreter_paths(python)
    names = standard_names(lib, builtin)
    own_pip = version.startswith(("2.7", "3.6", "3.7", "3.8", "3.10", "3.12", "3.13"))
    records = run_probe(python, sorted(n for n in names if importable(n) and split_bundled(n) == "cpython" and not is_test(n)))
    program = Program(standard_roots(lib), records, facts, source2.load_text if version.startswith("2.") else None)
    whole = [n for n in sorted(names) if not is_test(n)]
    program.load([n for n in whole if split_bundled(n) == "cpython"])
    for library, table in tables.items():
        collect(program, table, [n for n in whole if split_bundled(n) == library], set(whole), library != "cpython", library != "cpython")
    for name in sorted(names):
        if is_test(name):
            tables[split_bundled(name)].modules.setdefault(name, {})
    log("%s: %d modules, %d probed, %d nodes, not parsed: %s" % (version, len(names), sum(1 for r in records.values() if r.get("ok")),
        len(program.nodes), [f[0] for f in program.failed]))
    return version


def collect(program, table, names, inside, *style):
    collector = Collector(program, table, inside, *style)
    for name in names:
        collector.module(name)
    collector.finish()


def generate_standard(options, log):
    facts, versions = Facts(), []
    tables = {"cpython": Table(), "pip": Table(), "setuptools": Table()}
    for python in options.interpreter:
        versions.append(analyse_interpreter(python, tables, facts, log))
    add_frozen_names(tables["cpython"])
    known = {module: set(rows) for table in tables.values() for module, rows in table.modules.items()}
    for library, table in tables.items():
        table.drop_dangling(known)
        label = "cpython " if library == "cpython" else library + " bundled with cpython "
        table.write(os.path.join(options.out, library + ".txt"), [label + " ".join(versions)])


# ---- third-party libraries


def package_names(site, package):
    path = os.path.join(site, package.replace(".", "/"))
    if os.path.isdir(path):
        return walk_sources(site, package.replace(".", "/"))
    return {package}


def generate_packages(options, log):
    facts, table, sources = Facts(), Table(), []
    version, lib, builtin = interpreter_paths(options.base)
    standard = sorted(n for n in standard_names(lib, builtin) if importable(n) and split_bundled(n) == "cpython" and not is_test(n))
    base_records = cached_probe(options, version, standard)
    verdicts = cached_verdicts(options, version, lib, standard, base_records)
    for site in options.site:
        sources += analyse_site(options, site, table, facts, (lib, standard, base_records, verdicts), log)
    table.drop_dangling(existing_names(options.out, options.name + ".txt"))
    table.write(os.path.join(options.out, options.name + ".txt"), sorted(set(sources)))


def existing_names(folder, except_for):
    """module -> names of the data files that are already there, so that re-exports may point into them."""
    known = {}
    for file in sorted(os.listdir(folder)):
        if file.endswith(".txt") and file != except_for and not file.startswith("curated"):
            with open(os.path.join(folder, file), encoding="utf8") as lines:
                for line in lines:
                    parts = line.split()
                    if parts[0] == "module":
                        names = known.setdefault(parts[1], set())
                    elif parts[0] != "#":
                        names.add(parts[1])
    return known


def cached_probe(options, version, standard):
    path = os.path.join(options.cache, "probe-%s.json" % version)
    if os.path.exists(path):
        with open(path) as cached:
            return json.load(cached)
    records = run_probe(options.base, standard)
    os.makedirs(options.cache, exist_ok=True)
    with open(path, "w") as out:
        json.dump(records, out)
    return records


def cached_verdicts(options, version, lib, standard, records):
    """What the standard library's methods of each name do, computed once for all third-party libraries."""
    with open(os.path.join(HERE, "facts.txt"), "rb") as text:
        path = os.path.join(options.cache, "methods-%s-%s.json" % (version, hashlib.sha256(text.read()).hexdigest()[:16]))
    if os.path.exists(path):
        with open(path) as cached:
            return json.load(cached)
    program = Program(standard_roots(lib), records, Facts())
    program.cache = options.cache
    program.load(standard)
    verdicts = program.method_verdicts()
    with open(path, "w") as out:
        json.dump(verdicts, out)
    return verdicts


def analyse_site(options, site, table, facts, base, log):
    lib, standard, base_records, verdicts = base
    names = set()
    for package in options.package:
        if os.path.exists(os.path.join(site, package.replace(".", "/"))) or os.path.exists(os.path.join(site, package + ".py")):
            names |= package_names(site, package)
    probe = dict(base_records)
    python = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(site.rstrip("/")))), "bin", "python")
    if os.path.exists(python) and not options.source_only:
        probe.update(run_probe(python, sorted(n for n in names if importable_package(n) and not third_party_test(n))))
    else:
        probe.update(stub_records(site, options.package))
    names |= {n for n in probe if n.partition(".")[0] in options.package}
    wanted = sorted(n for n in names if not third_party_test(n))
    roots = [site] + options.also + [lib]
    program = Program(roots, probe, facts)
    program.cache, program.standard_methods, program.prefer_source = options.cache, verdicts, True
    program.load(wanted)
    collect(program, table, wanted, set(wanted) | set(standard), True, options.slim, parse_effects(options.add or "-"),
            not options.no_methods)
    for name in names:
        if third_party_test(name):
            table.modules.setdefault(name, {})
    if options.missing:
        report_missing(program, facts, log)
    log("%s: %d modules, %d nodes, failed %s" % (site, len(wanted), len(program.nodes), [f[0] for f in program.failed][:20]))
    return distributions(site, options.package)


# Modules that copy the names of compiled modules into themselves when they start.
INJECTED = {"torch": ("torch._C._VariableFunctions", "torch._C")}
STUB_NAME = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)


def stub_records(site, packages):
    """Compiled modules of a library that is not imported: their names are in the .pyi stubs beside them."""
    records = {}
    for package in packages:
        for folder, _, files in os.walk(os.path.join(site, package)):
            for file in files:
                stem = file[: -len(".pyi")]
                if file.endswith(".pyi") and not os.path.exists(os.path.join(folder, stem + ".py")):
                    name = os.path.relpath(os.path.join(folder, stem), site).replace(os.sep, ".")
                    name = name[: -len(".__init__")] if name.endswith(".__init__") else name
                    records[name] = {"m": name, "ok": True, "n": stub_names(os.path.join(folder, file), name)}
    for name, sources in INJECTED.items():
        if name in packages:
            found = {}
            for source in sources:
                for attr in records.get(source, {"n": {}})["n"]:
                    if not attr.startswith("_"):
                        found.setdefault(attr, ["f", "c", [source, attr]])
            records[name] = {"m": name, "ok": True, "n": found}
    return records


def stub_names(path, module):
    with open(path, encoding="utf8") as text:
        return {name: ["f", "c", [module, name]] for name in STUB_NAME.findall(text.read())}


def report_missing(program, facts, log):
    """What has neither source nor fact, by module, most used first: where facts.txt could grow."""
    found = {}
    for key, node in program.nodes.items():
        if key[0] == "X" and facts.get(key[1]) is None:
            head, _, last = key[1].rpartition(".")
            found.setdefault(head, []).append((len(node.users), last))
    for head in sorted(found, key=lambda h: -sum(n for n, _ in found[h])):
        log("no fact: %s: %s" % (head, " ".join(last for _, last in sorted(found[head], reverse=True)[:60])))


def third_party_test(name):
    parts = name.split(".")
    return (bool({"tests", "test", "conftest", "benchmarks", "_examples"} & set(parts)) or parts[-1].startswith("test_")
            or name.startswith("torch.testing._internal."))


def importable_package(name):
    return not name.rpartition(".")[2].startswith(("__main__", "setup")) and "f2py.__main__" not in name


def distributions(site, packages):
    """`name version` of the distributions that own the packages."""
    found = []
    for entry in sorted(os.listdir(site)):
        if entry.endswith(".dist-info"):
            name, _, version = entry[: -len(".dist-info")].rpartition("-")
            top = os.path.join(site, entry, "top_level.txt")
            tops = {name.lower()}
            if os.path.exists(top):
                with open(top) as lines:
                    tops |= set(lines.read().split())
            tops.add({"scikit_learn": "sklearn", "pyyaml": "yaml", "pillow": "PIL"}.get(name.lower(), name))
            if tops & set(packages):
                found.append("%s %s" % (name.lower(), version))
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interpreter", action="append", default=[], help="a CPython to describe; repeat")
    parser.add_argument("--package", action="append", default=[], help="top-level package to describe; repeat")
    parser.add_argument("--site", action="append", default=[], help="site-packages folder; repeat for older versions")
    parser.add_argument("--also", action="append", default=[], help="further folder to resolve imports in")
    parser.add_argument("--base", default=sys.executable, help="interpreter whose standard library packages are resolved against")
    parser.add_argument("--source-only", action="store_true", help="do not import the packages")
    parser.add_argument("--slim", action="store_true", help="leave out rows that neither clear nor convict a symbol")
    parser.add_argument("--no-methods", action="store_true", help="leave out methods (very large libraries)")
    parser.add_argument("--add", help="effects that every symbol gets (scanners: state)")
    parser.add_argument("--missing", action="store_true", help="report what has neither source nor fact")
    parser.add_argument("--name", help="name of the data file for --package, without .txt")
    parser.add_argument("--out", default=os.path.join(HERE, "../../detect/artifact/symbol/data"))
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "bartizan-symbols"))
    options = parser.parse_args(argv)
    sys.setrecursionlimit(20000)
    source2.CACHE = options.cache

    def log(text):
        print(text, file=sys.stderr, flush=True)

    if options.interpreter:
        generate_standard(options, log)
    if options.package:
        generate_packages(options, log)


if __name__ == "__main__":
    main()
