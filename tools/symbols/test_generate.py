"""Checks of the generated data files: `python3 -m unittest test_generate` in this folder."""
import glob
import os
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("SYMBOL_DATA", os.path.join(HERE, "../../detect/artifact/symbol/data"))
MAX_BYTES = 12_000_000

# module, name, column, one of these effects must be there (all groups)
AT_LEAST = """
uuid _get_command_stdout call process
_osx_support _find_build_tool call process
_osx_support _read_output call process
_aix_support _read_cmd_output call process
imaplib IMAP4_stream call process
smtplib SMTP call net
ftplib FTP call net
poplib POP3 call net
telnetlib Telnet call net
nntplib NNTP call net
lib2to3.pgen2.grammar Grammar.loads call load
lib2to3.pgen2.pgen ParserGenerator.make_label call exec
distutils.file_util write_file call write
ensurepip _run_pip call exec,process
pydoc pipepager call process
pydoc locate call attr,import
idlelib.run Executive.runcode call exec
idlelib.calltip get_entity call exec,attr
idlelib.autocomplete AutoComplete.get_entity call exec,attr
cProfile run call exec
profile Profile.run call exec
trace Trace.runctx call exec
timeit timeit call exec
doctest debug_script call exec
bdb Bdb.run call exec
code InteractiveInterpreter.runcode call exec
asyncio.unix_events _UnixSubprocessTransport._start call process
logging FileHandler call write
logging.config listen call net
zipimport zipimporter call import,read
venv create call process,write
pip main call exec,process,net
unittest.mock _get_target call attr,import
sched scheduler.run call callarg
contextlib ExitStack.callback call callarg
functools cached_property.__get__ call callarg
logging Filterer.filter call callarg
pathlib Path.touch call write
pathlib Path.write_text call write
linecache getline call read
os system call process
posix system call process
subprocess Popen call process
subprocess run call process
builtins eval call exec
__builtin__ apply call callarg
commands getoutput call process
runpy run_path call exec
shutil rmtree call write
urllib.request urlopen call net
urllib2 urlopen call net
pickle loads call load
shelve open call load,read,write
webbrowser open call process
pty spawn call process
platform popen call process
tempfile mkstemp call write
multiprocessing.util spawnv_passfds call process
numpy.f2py.crackfortran getlincoef call exec
numpy.testing._private.utils runstring call exec
torch.utils.collect_env run call process
torch._dynamo.guards GuardBuilder.get call exec
torch.utils.data.datapipes.utils.decoder basichandlers call load,callarg
torch.jit.unsupported_tensor_ops execWrapper call exec
torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression call exec
torch.utils._config_module ConfigModule.load_config call load
""".split("\n")

INERT = """
collections OrderedDict call,new,state,items
collections deque call,new,state,items
collections Counter call,new,state
datetime datetime call,new,state
datetime timedelta call,new,state
datetime date call,new
datetime timezone call,new
decimal Decimal call,new,state
fractions Fraction call
uuid UUID new,state
ipaddress IPv4Address call,new,state
ipaddress IPv6Network call
email.message EmailMessage new,state
http HTTPStatus call
pathlib PurePosixPath call
statistics NormalDist call,new,state
random Random new,state
re RegexFlag call
logging Formatter new,state
logging PercentStyle call,new,state
string Template call,new,state
calendar TextCalendar call,new,state
argparse Namespace call,new,state
threading Thread new
numpy.core.multiarray _reconstruct call
numpy._core.multiarray _reconstruct call
numpy.core.multiarray scalar call
numpy dtype call,new,state
numpy ndarray call,new,state
sklearn.linear_model._logistic LogisticRegression new,state
sklearn.ensemble._forest RandomForestClassifier new,state
sklearn.pipeline Pipeline new,state
sklearn.preprocessing._data StandardScaler new,state
sklearn.feature_extraction.text TfidfVectorizer new,state
sklearn.tree._classes DecisionTreeClassifier new,state
sklearn.tree._tree Tree call,new,state
sklearn.tree.tree DecisionTreeClassifier new,state
sklearn.ensemble.forest RandomForestClassifier new,state
sklearn.linear_model.logistic LogisticRegression new,state
sklearn.svm.classes SVC new,state
sklearn.preprocessing.data StandardScaler new,state
sklearn.base BaseEstimator.__setstate__
pandas.core.frame DataFrame new,state
pandas.core.series Series new,state
torch.nn.modules.linear Linear new,state
torch.nn.modules.conv Conv2d new,state
torch.nn.modules.container Sequential new,state
torch.nn.modules.transformer TransformerEncoderLayer new,state
torch._utils _rebuild_tensor_v2 call
torch._utils _rebuild_parameter call
torch._utils _rebuild_tensor call
""".split("\n")


def generated(path):
    return not os.path.basename(path).startswith("curated")


def load():
    """(module, name) -> (kind, {column: set of effects} or target)."""
    rows, modules = {}, set()
    for path in sorted(glob.glob(os.path.join(DATA, "*.txt"))):
        if not generated(path):
            continue
        module = None
        with open(path, encoding="utf8") as lines:
            for line in lines:
                parts = line.split()
                if line.startswith("#") or not parts:
                    continue
                if parts[0] == "module":
                    module = parts[1]
                    modules.add(module)
                else:
                    rows[module, parts[1]] = parse_row(parts)
    return rows, modules


def parse_row(parts):
    if parts[0] in "ar":
        return parts[0], parts[2]
    columns = dict(part.split("=", 1) for part in parts[2:])
    return parts[0], {k: set() if v == "-" else set(v.split(",")) for k, v in columns.items()}


ROWS, MODULES = load()


def effects(module, name, column):
    for _ in range(10):
        kind, value = ROWS[module, name]
        if kind != "r":
            return value.get(column, set())
        module, name = value.split(":")
    raise AssertionError("re-exports without end")


def library_present(module):
    return any(m.split(".")[0] == module.split(".")[0] for m in MODULES)


class Generated(unittest.TestCase):
    def check(self, line, right):
        module, name, *rest = line.split()
        if not library_present(module):
            return self.skipTest("no data for " + module)
        columns = rest[0].split(",") if rest else ["call"]
        for column in columns:
            with self.subTest(symbol=module + "." + name, column=column):
                self.assertTrue((module, name) in ROWS, "no row")
                right(effects(module, name, column), set(rest[1].split(",")) if len(rest) > 1 else set())

    def test_dangerous(self):
        for line in filter(None, AT_LEAST):
            if library_present(line.split()[0]):
                self.check(line, lambda found, wanted: self.assertTrue(found & wanted, (found, wanted)))

    def test_inert(self):
        for line in filter(None, INERT):
            if library_present(line.split()[0]):
                self.check(line, lambda found, wanted: self.assertEqual(found, set()))

    def test_reexports_end(self):
        for (module, name), (kind, target) in ROWS.items():
            if kind == "r":
                home, _, qual = target.partition(":")
                if home in MODULES:
                    self.assertTrue((home, qual) in ROWS, (module, name, target))

    def test_size(self):
        total = sum(os.path.getsize(p) for p in glob.glob(os.path.join(DATA, "*.txt")))
        self.assertLess(total, MAX_BYTES)

    def test_sorted(self):
        for path in glob.glob(os.path.join(DATA, "*.txt")):
            if generated(path):
                with open(path, encoding="utf8") as lines:
                    self.assertEqual(next(lines), "# bartizan symbols v1\n")


if __name__ == "__main__":
    unittest.main()
