"""Turn one Python source file into a symbolic summary: bindings, classes, functions and what each function does.

Nothing is resolved here. Expressions become *values*, small tuples that program.py resolves later:

    ('k', TYPE, TEXT)      constant or evidently built-in object; TEXT is the string constant or None
    ('s', PREFIX)          text derived from something, starting with the constant PREFIX
    ('l', TYPE, VALUES)    container literal with the interesting elements
    ('g', NAME)            global name of this module
    ('p', FID, NAME)       parameter NAME of function FID
    ('self', CID) ('cls', CID) ('super', CID)
    ('a', BASE, NAME)      attribute         ('r', CALLEE, ARGS)   result of a call
    ('e', BASE)            element           ('fn', FID) ('class', CID) ('m', MODULE) ('from', MODULE, NAME)
    ('u',)                 unknown
"""
import ast

MAX_VALUES = 6
MAX_DEPTH = 8
MAX_NEST = 14
MAX_SIZE = 120
UNKNOWN = ("u",)
# Attributes that lead from an object to frames, globals or the interpreter's object graph.
INSPECT_ATTRIBUTES = frozenset("""__globals__ func_globals __builtins__ __subclasses__ f_globals f_locals f_back f_builtins
    tb_frame gi_frame cr_frame ag_frame __closure__ func_closure""".split())
CONSTANT_OPERATORS = (ast.Compare,)


class Function:
    """Summary of one function, lambda, or module-level pseudo function."""

    __slots__ = ("fid", "params", "vararg", "kwarg", "kwonly", "cls", "kind", "ops", "returns", "decorators", "outer",
                 "nested", "escaped", "defaults", "selfname")

    def __init__(self, fid):
        self.fid, self.params, self.kwonly = fid, [], []
        self.vararg = self.kwarg = self.cls = self.outer = self.selfname = None
        self.kind, self.ops, self.returns, self.decorators, self.nested = "func", [], [], [], []
        self.escaped = False
        self.defaults = {}


class Class:
    __slots__ = ("cid", "bases", "meta", "names", "decorators", "attrs", "setters", "local")

    def __init__(self, cid):
        self.cid, self.bases, self.meta, self.decorators = cid, [], None, []
        self.names, self.attrs, self.setters, self.local = {}, {}, {}, False


class Module:
    __slots__ = ("name", "is_pkg", "names", "stars", "functions", "classes", "deleted", "path")

    def __init__(self, name, is_pkg):
        self.name, self.is_pkg = name, is_pkg
        self.names, self.stars, self.functions, self.classes = {}, [], {}, {}
        self.deleted = set()


def absolute(module, is_pkg, level, target):
    """Absolute name of a relative import."""
    if not level:
        return target or ""
    parts = module.split(".")
    drop = level - (1 if is_pkg else 0)
    parts = parts[: len(parts) - drop] if drop else parts
    return ".".join(parts + ([target] if target else []))


class Scope:
    """Evaluates expressions of one function (or class or module body) and collects its operations."""

    def __init__(self, module, function, parent, qual, cls=None, class_scope=False):
        self.module, self.function, self.parent, self.qual, self.cls = module, function, parent, qual, cls
        self.class_scope = class_scope
        self.locals, self.globals, self.busy, self.memo = {}, set(), {}, {}
        self.provisional, self.low = {}, 0
        self.children, self.direct, self.lambdas = {}, set(), {}

    # ---- names

    def bind(self, name, how):
        self.locals.setdefault(name, []).append(how)

    def bind_target(self, target, how):
        if isinstance(target, ast.Name):
            self.bind(target.id, how)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.bind_parts(target, how)
        elif isinstance(target, ast.Starred):
            self.bind_target(target.value, ("elem", how))

    def bind_parts(self, target, how):
        values = how[1].elts if how[0] == "expr" and isinstance(how[1], (ast.Tuple, ast.List)) else None
        for i, part in enumerate(target.elts):
            if values is not None and len(values) == len(target.elts):
                self.bind_target(part, ("expr", values[i]))
            else:
                self.bind_target(part, ("elem", how))

    def lookup(self, name):
        scope = self
        while scope is not None:
            if scope.function is None and not scope.class_scope:
                break
            if (not scope.class_scope or scope is self) and name in scope.locals and name not in scope.globals:
                return scope.local_values(name)
            scope = scope.parent
        return [("g", name)]

    def local_values(self, name):
        """Values of a local name. What a cycle of assignments cut short is kept only until the outermost call returns."""
        if name in self.memo:
            return self.memo[name]
        if name in self.provisional:
            self.low = min(self.low, self.provisional[name][1])
            return self.provisional[name][0]
        if name in self.busy:
            self.low = min(self.low, self.busy[name])
            return []
        depth = len(self.busy)
        outer, self.low = self.low, depth + 1
        self.busy[name] = depth
        try:
            values = self.assigned_values(name) or ([UNKNOWN] if not depth else [])
        finally:
            del self.busy[name]
        if self.low >= depth:
            self.memo[name] = values
        else:
            self.provisional[name] = (values, self.low)
        self.low = min(outer, self.low)
        if not self.busy:
            self.provisional.clear()
        return values

    def assigned_values(self, name):
        values = []
        for how in self.locals[name][:10]:
            for value in self.how_values(how):
                if value not in values:
                    values.append(value)
        return values[:MAX_VALUES] + ([UNKNOWN] if len(values) > MAX_VALUES or len(self.locals[name]) > 10 else [])

    def how_values(self, how):
        kind = how[0]
        if kind == "expr":
            return self.value(how[1])
        if kind == "elem":
            return [element(v) for v in self.how_values(how[1])] or [UNKNOWN]
        if kind == "value":
            return [how[1]]
        return [UNKNOWN]

    # ---- expressions

    def value(self, node, depth=0):
        if depth > MAX_DEPTH:
            return [UNKNOWN]
        method = getattr(self, "value_" + type(node).__name__, None)
        found = method(node, depth) if method else [UNKNOWN]
        return [v if nesting(v) <= MAX_NEST and small(v) else UNKNOWN for v in found[:MAX_VALUES]]

    def value_Name(self, node, depth):
        return self.lookup(node.id)

    def value_Constant(self, node, depth):
        text = node.value if isinstance(node.value, str) and len(node.value) < 80 else None
        return [("k", type(node.value).__name__, text)]

    def value_JoinedStr(self, node, depth):
        first = node.values[0] if node.values else None
        prefix = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        return [("s", prefix[:40])]

    def value_BinOp(self, node, depth):
        left = self.value(node.left, depth + 1)
        right = self.value(node.right, depth + 1) if isinstance(node.op, ast.Add) else []
        for v in left + right:
            if v[0] == "s" or v[0] == "k" and v[1] in ("str", "bytes"):
                return [("s", text_prefix(left))]
        if left and left[0][0] == "l":
            return left + right
        if right and right[0][0] == "l":
            return left + right
        if any(v[0] == "k" for v in left + right):
            return [("k", "obj", None)]
        return [UNKNOWN]

    def value_BoolOp(self, node, depth):
        return [v for part in node.values for v in self.value(part, depth + 1)]

    def value_IfExp(self, node, depth):
        return self.value(node.body, depth + 1) + self.value(node.orelse, depth + 1)

    def value_NamedExpr(self, node, depth):
        return self.value(node.value, depth + 1)

    def value_Compare(self, node, depth):
        return [("k", "bool", None)]

    def value_UnaryOp(self, node, depth):
        return [("k", "bool", None)] if isinstance(node.op, ast.Not) else self.value(node.operand, depth + 1)

    def value_Await(self, node, depth):
        return self.value(node.value, depth + 1)

    value_Starred = value_Await

    def value_Attribute(self, node, depth):
        if node.attr == "__class__":
            return [("cls", v[1]) if v[0] == "self" else ("a", v, node.attr) for v in self.value(node.value, depth + 1)]
        return [("a", v, node.attr) for v in self.value(node.value, depth + 1)]

    def value_Subscript(self, node, depth):
        if isinstance(node.slice, ast.Slice):
            return self.value(node.value, depth + 1)
        return [element(v) for v in self.value(node.value, depth + 1)]

    def value_Lambda(self, node, depth):
        fid = self.lambdas.get(id(node))
        return [("fn", fid)] if fid else [UNKNOWN]

    def container(self, node, depth, kind, parts):
        values = [] if parts else [UNKNOWN]  # an empty container is filled later, with who knows what
        for part in parts[:40]:
            for v in self.value(part, depth + 1) if part is not None else [UNKNOWN]:
                if v[0] != "k" and v not in values:
                    values.append(v if depth < 3 else UNKNOWN)
        return [("l", kind, tuple(values[:24]))]

    def value_List(self, node, depth):
        return self.container(node, depth, "list", node.elts)

    def value_Tuple(self, node, depth):
        return self.container(node, depth, "tuple", node.elts)

    def value_Set(self, node, depth):
        return self.container(node, depth, "set", node.elts)

    def value_Dict(self, node, depth):
        return self.container(node, depth, "dict", node.values)

    def value_ListComp(self, node, depth):
        return self.container(node, depth, "list", [node.elt])

    def value_GeneratorExp(self, node, depth):
        return self.container(node, depth, "generator", [node.elt])

    def value_SetComp(self, node, depth):
        return self.container(node, depth, "set", [node.elt])

    def value_DictComp(self, node, depth):
        return self.container(node, depth, "dict", [node.value])

    def value_Call(self, node, depth):
        func = node.func
        if isinstance(func, ast.Name):
            special = self.special_call(func.id, node, depth)
            if special is not None:
                return special
        args = []
        for arg in node.args[:3]:
            values = self.value(arg, depth + 1)
            args.append(tuple(values[:2]) if sum(map(nesting, values[:2])) < 10 else (UNKNOWN,))
        return [("r", v, tuple(args)) for v in self.value(func, depth + 1)]

    def special_call(self, name, node, depth):
        if name == "super":
            cls = self.enclosing_class()
            return [("super", cls)] if cls else [UNKNOWN]
        if name == "type" and len(node.args) == 1:
            return [("cls", v[1]) if v[0] == "self" else ("r", ("g", "type"), ((v,),)) for v in self.value(node.args[0], depth + 1)]
        if name == "getattr" and len(node.args) >= 2:
            return self.getattr_values(node, depth)
        return None

    def getattr_values(self, node, depth):
        name = self.value(node.args[1], depth + 1)
        bases = self.value(node.args[0], depth + 1)
        default = self.value(node.args[2], depth + 1) if len(node.args) > 2 else []
        if len(name) == 1 and name[0][0] == "k" and name[0][2]:
            return [("a", v, name[0][2]) for v in bases] + default
        if len(name) == 1 and name[0][0] == "s" and name[0][1]:
            return [("prefix", v, name[0][1]) for v in bases] + default
        return [("dyn", v) for v in bases] + default

    def enclosing_class(self):
        scope = self
        while scope is not None:
            if scope.cls is not None and not scope.class_scope:
                return scope.cls
            scope = scope.parent
        return None


def element(value):
    return ("e", value) if nesting(value) < MAX_NEST else UNKNOWN


def small(value):
    """Values share parts, but comparing or hashing them walks every path: keep the unfolded size bounded."""
    count, todo = 0, [value]
    while todo:
        count += 1
        if count > MAX_SIZE:
            return False
        todo += [part for part in todo.pop() if isinstance(part, tuple) and part]
    return True


def nesting(value):
    """Depth of a value, to stop chains from growing without end."""
    depth, todo = 0, value
    while isinstance(todo, tuple) and len(todo) > 1 and todo[0] in ("a", "r", "e", "prefix", "dyn"):
        depth, todo = depth + 1, todo[1]
    return depth


def text_prefix(values):
    for v in values:
        if v[0] == "k":
            return (v[2] or "").split("%")[0][:40]
        if v[0] == "s":
            return v[1]
    return ""


class Extractor:
    """Walks a module's tree once and fills a Module."""

    def __init__(self, name, is_pkg):
        self.module = Module(name, is_pkg)
        self.counter = 0

    def run(self, tree):
        scope = Scope(self.module, None, None, "")
        self.collect(tree.body, scope)
        self.module_names(scope)
        self.body_ops(tree.body, scope, Function((self.module.name, "<module>")))
        return self.module

    # ---- pass 1: bindings of one scope (does not enter nested scopes)

    def collect(self, body, scope):
        for node in body:
            self.collect_node(node, scope)

    def collect_node(self, node, scope):
        kind = type(node)
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef):
            self.function(node, scope)
        elif kind is ast.ClassDef:
            self.class_(node, scope)
        elif kind is ast.Lambda:
            self.lambda_(node, scope)
        else:
            self.collect_binding(node, kind, scope)
            for child in ast.iter_child_nodes(node):
                self.collect_node(child, scope)

    def collect_binding(self, node, kind, scope):
        if kind is ast.Assign:
            for target in node.targets:
                scope.bind_target(target, ("expr", node.value))
                self.attribute_target(target, node.value, scope)
        elif kind is ast.AnnAssign and node.value is not None or kind is ast.NamedExpr:
            scope.bind_target(node.target, ("expr", node.value))
            self.attribute_target(node.target, node.value, scope)
        elif kind is ast.AugAssign and isinstance(node.target, ast.Name):
            scope.bind(node.target.id, ("expr", node.value))
        elif kind in (ast.For, ast.AsyncFor, ast.comprehension):
            scope.bind_target(node.target, ("elem", ("expr", node.iter)))
        elif kind in (ast.With, ast.AsyncWith):
            self.with_bindings(node, scope)
        elif kind is ast.ExceptHandler and node.name:
            scope.bind(node.name, ("value", ("k", "exception", None)))
        elif kind is ast.Global:
            scope.globals.update(node.names)
        elif kind is ast.Import:
            self.import_(node, scope)
        elif kind is ast.ImportFrom:
            self.import_from(node, scope)
        elif kind is ast.Delete and scope.function is None and not scope.class_scope:
            self.module.deleted.update(t.id for t in node.targets if isinstance(t, ast.Name))

    def with_bindings(self, node, scope):
        for item in node.items:
            if item.optional_vars is not None:
                scope.bind_target(item.optional_vars, ("expr", item.context_expr))

    def attribute_target(self, target, value, scope):
        """self.x = value: remember what the instance attribute may hold."""
        function = scope.function
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.attribute_target(part, None, scope)
        if not (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)) or function is None:
            return
        cls = scope.enclosing_class()
        if cls and function.selfname == target.value.id:
            self.module.classes[cls[1]].attrs.setdefault(target.attr, []).append((scope, value))

    def import_(self, node, scope):
        for alias in node.names:
            if alias.asname:
                scope.bind(alias.asname, ("value", ("m", alias.name)))
            else:
                scope.bind(alias.name.split(".")[0], ("value", ("m", alias.name.split(".")[0])))

    def import_from(self, node, scope):
        source = absolute(self.module.name, self.module.is_pkg, node.level, node.module)
        for alias in node.names:
            if alias.name == "*":
                self.module.stars.append(source)
            else:
                scope.bind(alias.asname or alias.name, ("value", ("from", source, alias.name)))

    # ---- functions and classes

    def qualify(self, scope, name):
        if not scope.qual:
            return name
        return scope.qual + ("." if scope.class_scope else ".<locals>.") + name

    def function(self, node, scope):
        qual = self.unique(self.qualify(scope, node.name))
        function = Function((self.module.name, qual))
        self.module.functions[qual] = function
        decorators = [d for d in node.decorator_list]
        self.signature(function, node.args)
        self.describe_method(function, node, scope)
        inner = self.open_scope(function, scope, qual, node.args)
        scope.children[qual] = inner
        role = self.decorator_role(decorators)
        if role == "setter" and scope.class_scope:
            self.module.classes[scope.qual].setters.setdefault(node.name, []).append(function.fid)
        elif role != "drop":
            scope.bind(node.name, ("value", ("prop" if role == "prop" else "fn", function.fid)))
        self.collect(node.body, inner)
        for expr in decorators + node.args.defaults + [d for d in node.args.kw_defaults if d is not None]:
            self.collect_node(expr, scope)
        function.decorators = [(scope, d) for d in decorators]
        self.finish(function, node.body, inner, scope)

    def unique(self, qual):
        """A second definition of the same name (if/else, overloads, setters) gets its own identity."""
        if qual not in self.module.functions:
            return qual
        self.counter += 1
        return qual + "#" + str(self.counter)

    def decorator_role(self, decorators):
        for d in decorators:
            if isinstance(d, ast.Attribute) and d.attr in ("setter", "deleter"):
                return "setter"
            if isinstance(d, ast.Attribute) and d.attr == "getter":
                return "drop"
            name = d.id if isinstance(d, ast.Name) else d.attr if isinstance(d, ast.Attribute) else ""
            if name in ("property", "cached_property", "abstractproperty", "lazy_property", "cache_readonly"):
                return "prop"
        return None

    def signature(self, function, args):
        function.params = [a.arg for a in getattr(args, "posonlyargs", []) + args.args]
        function.kwonly = [a.arg for a in args.kwonlyargs]
        function.vararg = args.vararg.arg if args.vararg else None
        function.kwarg = args.kwarg.arg if args.kwarg else None

    def describe_method(self, function, node, scope):
        if not scope.class_scope:
            return
        names = [d.id for d in node.decorator_list if isinstance(d, ast.Name)]
        function.cls = (self.module.name, scope.qual)
        function.kind = "method"
        if "staticmethod" in names:
            function.kind = "static"
        elif "classmethod" in names or node.name in ("__new__", "__init_subclass__", "__class_getitem__"):
            function.kind = "static" if node.name == "__new__" else "class"
        if function.kind == "method" and function.params:
            function.selfname = function.params[0]

    def open_scope(self, function, scope, qual, args):
        inner = Scope(self.module, function, scope, qual, function.cls)
        everything = function.params + function.kwonly + [n for n in (function.vararg, function.kwarg) if n]
        for i, name in enumerate(everything):
            value = ("p", function.fid, name)
            if i == 0 and function.kind == "method":
                value = ("self", function.cls)
            elif i == 0 and (function.kind == "class" or function.kind == "static" and function.fid[1].endswith("__new__")):
                value = ("cls", function.cls)
            inner.bind(name, ("value", value))
        return inner

    def lambda_(self, node, scope):
        self.counter += 1
        qual = self.qualify(scope, "<lambda%d>" % self.counter)
        function = Function((self.module.name, qual))
        self.module.functions[qual] = function
        self.signature(function, node.args)
        inner = self.open_scope(function, scope, qual, node.args)
        scope.lambdas[id(node)] = function.fid
        scope.children[qual] = inner
        self.collect_node(node.body, inner)
        for default in node.args.defaults:
            self.collect_node(default, scope)
        self.finish(function, [ast.Return(value=node.body)], inner, scope)

    def finish(self, function, body, inner, scope):
        """Bodies are summarised after the whole module has been collected."""
        owner = scope
        while owner is not None and owner.class_scope:
            owner = owner.parent
        function.outer = owner.function.fid if owner is not None and owner.function is not None else None
        self.pending = getattr(self, "pending", [])
        self.pending.append((function, body, inner))

    def class_(self, node, scope):
        qual = self.qualify(scope, node.name)
        cls = Class((self.module.name, qual))
        if qual in self.module.classes:
            cls = self.module.classes[qual]
        self.module.classes[qual] = cls
        cls.local = "<locals>" in qual
        inner = Scope(self.module, None, scope, qual, (self.module.name, qual), class_scope=True)
        self.collect(node.body, inner)
        for expr in node.decorator_list + node.bases + [k.value for k in node.keywords]:
            self.collect_node(expr, scope)
        scope.bind(node.name, ("value", ("class", cls.cid)))
        self.pending = getattr(self, "pending", [])
        self.pending.append((cls, node, (scope, inner)))

    def module_names(self, scope):
        for name in scope.locals:
            if name not in scope.globals:
                self.module.names[name] = scope.local_values(name)
        for item, body, inner in getattr(self, "pending", []):
            if isinstance(item, Class):
                self.finish_class(item, body, inner)
        for item, body, inner in getattr(self, "pending", []):
            if isinstance(item, Function):
                item.decorators = [s.value(d) for s, d in item.decorators]
                self.body_ops(body, inner, item)
        for cls in self.module.classes.values():
            for name, found in cls.attrs.items():
                values = []
                for s, v in found[:8]:
                    values += [x for x in (s.value(v) if v is not None else [UNKNOWN]) if x not in values]
                cls.attrs[name] = values[:MAX_VALUES]

    def finish_class(self, cls, node, scopes):
        scope, inner = scopes
        cls.bases = [scope.value(b) for b in node.bases]
        cls.decorators = [scope.value(d) for d in node.decorator_list]
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                cls.meta = scope.value(keyword.value)
        for name in inner.locals:
            cls.names.setdefault(name, [])
            cls.names[name] += [v for v in inner.local_values(name) if v not in cls.names[name]]
        if "__metaclass__" in cls.names and cls.meta is None:
            cls.meta = cls.names["__metaclass__"]

    # ---- pass 2: operations of one body

    def body_ops(self, body, scope, function):
        self.scope, self.target = scope, function
        for node in body:
            self.op(node)
        for qual in scope.children:
            function.nested.append((function.fid[0], qual))
        function.ops = unique_ops(function.ops)
        function.returns = unique_ops(function.returns)[:MAX_VALUES]

    def op(self, node):
        kind = type(node)
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
            self.nested_expressions(node)
            return
        if kind is ast.ClassDef:
            for expr in node.decorator_list + node.bases:
                self.op(expr)
            return
        handler = getattr(self, "op_" + kind.__name__, None)
        if handler is not None:
            handler(node)
        for child in ast.iter_child_nodes(node):
            self.op(child)

    def nested_expressions(self, node):
        for expr in getattr(node, "decorator_list", []) + node.args.defaults:
            self.op(expr)

    def emit(self, *operation):
        self.target.ops.append(operation)

    def op_Return(self, node):
        if node.value is not None:
            self.target.returns += self.scope.value(node.value)

    op_Yield = op_Return

    def op_Call(self, node):
        args, star, keywords = [], [], []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                star += [element(v) for v in self.scope.value(arg.value)]
            elif star:
                star += self.scope.value(arg)
            else:
                args.append(tuple(self.scope.value(arg)))
        for keyword in node.keywords:
            values = tuple(self.scope.value(keyword.value))
            if keyword.arg is None:
                star += [element(v) for v in values]
            else:
                keywords.append((keyword.arg, values))
        self.emit("call", tuple(self.scope.value(node.func)), tuple(args), tuple(keywords), tuple(star))

    def op_Attribute(self, node):
        if node.attr in INSPECT_ATTRIBUTES and isinstance(node.ctx, ast.Load):
            self.emit("inspect")
        if isinstance(node.ctx, ast.Load):
            bases = [v for v in self.scope.value(node.value) if v[0] in ("self", "super")]
            if bases:
                self.emit("get", tuple(bases), node.attr)
        else:
            self.emit("setattr", tuple(self.scope.value(node.value)), node.attr)

    def op_Subscript(self, node):
        bases = tuple(self.scope.value(node.value))
        if isinstance(node.ctx, ast.Load):
            if any(v[0] == "self" for v in bases):
                self.emit("dunder", bases, "__getitem__")
        else:
            self.emit("setitem", bases)

    def op_With(self, node):
        for item in node.items:
            self.emit("with", tuple(self.scope.value(item.context_expr)))

    op_AsyncWith = op_With

    def op_Assign(self, node):
        for target in node.targets:
            self.store_element(target, node.value)
            if isinstance(target, ast.Name) and target.id in self.scope.globals:
                self.emit("global", tuple(self.scope.value(node.value)))

    def store_element(self, target, value):
        if isinstance(target, ast.Subscript):
            self.emit("store", tuple(self.scope.value(target.value)), tuple(self.scope.value(value)))


def unique_ops(ops):
    return list(dict.fromkeys(ops))


def extract(name, is_pkg, text, path="<source>"):
    """Parse and summarise; raises SyntaxError or ValueError for what this Python cannot parse."""
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text, path)
    return Extractor(name, is_pkg).run(tree)
