package codelike

// weight of a call: with a name or expression as its first argument, and with a
// literal or a further call there.
type weight struct{ name, literal float64 }

// calls are the functions whose call makes a text code. The table is read only.
var calls = map[string]weight{
	"__import__": {0.9, 1}, "exec": {0.4, 0.95}, "eval": {0.4, 0.95}, "compile": {0.3, 0.7}, "execfile": {0.6, 0.9},
	"getattr": {0.35, 0.4}, "setattr": {0.35, 0.4}, "globals": {0.3, 0.3}, "open": {0.3, 0.8}, "input": {0.2, 0.5},
	"print": {0.3, 0.6}, "breakpoint": {0.3, 0.5},
	"os.system": {0.9, 1}, "os.popen": {0.9, 1}, "os.spawnl": {0.9, 1}, "os.spawnv": {0.9, 1}, "os.fork": {0.8, 0.8},
	"os.remove": {0.7, 0.8}, "os.unlink": {0.7, 0.8}, "os.rename": {0.7, 0.8}, "os.chmod": {0.7, 0.8},
	"os.mkdir": {0.6, 0.7}, "os.makedirs": {0.6, 0.7}, "os.kill": {0.8, 0.9}, "os.listdir": {0.5, 0.7},
	"os.environ.get": {0.5, 0.6}, "os.getenv": {0.5, 0.6}, "os.setuid": {0.8, 0.8}, "os.dup2": {0.8, 0.8},
	"os.posix_spawn": {0.9, 1}, "os.startfile": {0.9, 1}, "posix.system": {0.9, 1}, "nt.system": {0.9, 1},
	"builtins.exec": {0.9, 1}, "builtins.eval": {0.9, 1}, "__builtin__.eval": {0.9, 1},
	"shutil.rmtree": {0.8, 0.9}, "shutil.move": {0.7, 0.8}, "pty.spawn": {0.9, 1}, "system": {0.4, 0.8}, "popen": {0.4, 0.8},
	"Popen": {0.7, 0.9}, "check_output": {0.6, 0.8}, "check_call": {0.6, 0.8}, "rmtree": {0.5, 0.7},
	"socket.socket": {0.8, 0.8}, "socket.create_connection": {0.8, 0.9}, "urlopen": {0.5, 0.8}, "urlretrieve": {0.5, 0.8},
	"urllib.request.urlopen": {0.8, 0.9}, "urllib.urlopen": {0.8, 0.9}, "urllib.request.urlretrieve": {0.8, 0.9},
	"requests.get": {0.7, 0.9}, "requests.post": {0.7, 0.9}, "base64.b64decode": {0.5, 0.7}, "b64decode": {0.4, 0.6},
	"pickle.loads": {0.7, 0.8}, "marshal.loads": {0.8, 0.9}, "importlib.import_module": {0.8, 0.9},
	"import_module": {0.4, 0.7}, "runpy.run_path": {0.8, 0.9}, "runpy.run_module": {0.8, 0.9}, "ctypes.CDLL": {0.8, 0.9},
	"sys.exit": {0.6, 0.7}, "sys.path.append": {0.6, 0.8}, "sys.path.insert": {0.7, 0.8}, "code.interact": {0.8, 0.8},
}

// methods are names whose call as an attribute counts, whatever it hangs on.
var methods = map[string]weight{
	"system": {0.6, 0.9}, "popen": {0.7, 0.9}, "Popen": {0.8, 0.9}, "urlopen": {0.7, 0.9}, "__import__": {0.9, 1},
	"check_output": {0.8, 0.9}, "exec_module": {0.7, 0.8}, "b64decode": {0.5, 0.7}, "import_module": {0.7, 0.9},
	"__subclasses__": {0.9, 0.9}, "__getattribute__": {0.7, 0.9}, "rmtree": {0.6, 0.8},
}

// reaches are attributes that lead from any object to the interpreter.
var reaches = map[string]bool{
	"__builtins__": true, "__import__": true, "__globals__": true, "__subclasses__": true, "__bases__": true,
	"__base__": true, "__mro__": true, "__code__": true, "__loader__": true, "__getattribute__": true,
}

// effectModules are modules whose import in a text means that it is code.
var effectModules = map[string]bool{
	"os": true, "sys": true, "subprocess": true, "socket": true, "base64": true, "ctypes": true, "shutil": true,
	"pty": true, "pickle": true, "marshal": true, "importlib": true, "builtins": true, "urllib": true,
	"urllib2": true, "requests": true, "runpy": true, "posix": true, "nt": true, "winreg": true, "http": true,
	"ftplib": true, "smtplib": true, "tempfile": true, "threading": true, "multiprocessing": true, "commands": true,
	"webbrowser": true, "platform": true, "getpass": true, "zlib": true, "codecs": true, "numpy": true, "torch": true,
}
