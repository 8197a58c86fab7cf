class Rich(Module):
  __parameters__ = []
  __buffers__ = ["buf", ]
  buf : Tensor
  training : bool
  _is_full_backward_hook : NoneType
  names : List[str]
  opt : NoneType
  col : __torch__.Color
  lin : __torch__.torch.nn.modules.linear.Linear
  mods : __torch__.torch.nn.modules.container.ModuleList
  md : __torch__.torch.nn.modules.container.ModuleDict
  k : Final[int] = 3
  eps : Final[float] = 1.0000000000000001e-05
  def forward(self: __torch__.Rich,
    x: Tensor,
    n: int=4,
    flag: bool=False,
    l: Optional[List[Tensor]]=None) -> Dict[str, Tensor]:
    _0 = __torch__.torch.nn.functional.___torch_mangle_1.interpolate
    _1 = uninitialized(Tensor)
    _2 = uninitialized(int)
    _3 = uninitialized(bool)
    out = annotate(Dict[str, Tensor], {})
    x0 = x
    i = 0
    _4 = torch.lt(0, n)
    while _4:
      _5 = torch.mul(i, 1.0000000000000001e-05)
      x1 = torch.add(x0, _5)
      if torch.eq(i, 2):
        _6 = torch.__not__(flag)
      else:
        _6 = False
      if _6:
        i0 = torch.add(i, 2)
        _7, _8, _9, _10, _11, _12, _13 = True, torch.lt(i0, n), x1, i0, _3, _1, _2
      else:
        _14 = bool(torch.gt(torch.sum(x1), 1e+30))
        if _14:
          _15, _16, _17, _18, _19, _20, _21 = True, False, x1, i, _3, _1, _2
        else:
          i1 = torch.add(i, 1)
          _15, _16, _17, _18, _19, _20, _21 = False, _3, _1, _2, torch.lt(i1, n), x1, i1
        _7, _8, _9, _10, _11, _12, _13 = _15, _16, _17, _18, _19, _20, _21
      if _7:
        _22, _23, _24 = _8, _9, _10
      else:
        _22, _23, _24 = _11, _12, _13
      _4, x0, i = _22, _23, _24
    mods = self.mods
    _00 = getattr(mods, "0")
    _110 = getattr(mods, "1")
    x2 = (_00).forward(x0, )
    x3 = (_110).forward(x2, )
    md = self.md
    a = md.a
    b = md.b
    torch._set_item(out, "a", (a).forward(x3, ))
    torch._set_item(out, "b", (b).forward(x3, ))
    if torch.__isnot__(l, None):
      l1 = unchecked_cast(List[Tensor], l)
      x5 = x3
      for _25 in range(torch.len(l1)):
        t = l1[_25]
        x5 = torch.add(x5, t)
      x4, l0 = x5, l1
    else:
      x4, l0 = x3, l
    a0, b0, = (self).helper(n, "s", )
    z = annotate(List[int], [])
    for q in range(a0):
      _26 = torch.append(z, torch.mul(q, 2))
    lin = self.lin
    def __forked_function():
      return (lin).forward(x4, )
    fut = fork(__forked_function)
    x6 = torch.wait(fut)
    b1 = unchecked_cast(str, b0)
    print("hello", b1, 3, z)
    _27 = torch.unsqueeze(torch.slice(x6, 0, 1), 1)
    w = torch.slice(_27, -1, None, None, 2)
    _28 = torch.select(x6, 0, 0)
    _29 = torch.tensor(inf, dtype=ops.prim.dtype(_28), device=ops.prim.device(_28))
    _30 = torch.copy_(_28, _29)
    _31 = torch.select(x6, 0, 1)
    _32 = torch.tensor(-inf, dtype=ops.prim.dtype(_31), device=ops.prim.device(_31))
    _33 = torch.copy_(_31, _32)
    _34 = torch.select(x6, 0, 2)
    _35 = torch.tensor(nan, dtype=ops.prim.dtype(_34), device=ops.prim.device(_34))
    _36 = torch.copy_(_34, _35)
    count = __torch__.Counter.__new__(__torch__.Counter)
    _37 = (count).__init__(3, )
    _38 = (count).add("a", )
    with count:
      x7 = torch.add(x6, 1)
    _39 = __torch__.torch.autograd.grad_mode.no_grad.__new__(__torch__.torch.autograd.grad_mode.no_grad)
    _40 = (_39).__init__()
    with _39:
      x8 = torch.mul(x7, 2)
    _41 = torch.to(torch.to(x8, torch.device("cpu")), 7, True)
    x9 = torch.contiguous(_41, memory_format=1)
    col = self.col
    if torch.eq(col, __torch__.Color.RED):
      x10 = torch.sub(x9, 1)
    else:
      x10 = x9
    pairs = [("a", 1), ("b", 2)]
    mm = annotate(Dict[str, int], {})
    for _42 in range(torch.len(pairs)):
      kk, vv, = pairs[_42]
      torch._set_item(mm, kk, vv)
    _43 = torch.remainder(torch.floor_divide(x10, 2), 9.)
    _44 = torch.add(torch.add(_43, torch.sum(w)), torch.len(mm))
    torch._set_item(out, "x", _44)
    _45 = torch.mul(torch.zeros([3], dtype=9), 1.+2.j)
    torch._set_item(out, "z", _45)
    if torch.eq(torch.dim(x10), 2):
      _47 = torch.unsqueeze(torch.unsqueeze(x10, 0), 1)
      _48 = _0(_47, None, 2., "nearest", None, None, False, )
      _46 = _48
    else:
      _46 = x10
    torch._set_item(out, "y", _46)
    if torch.__isnot__(l0, None):
      l3 = unchecked_cast(List[Tensor], l0)
      _49, l2 = torch.gt(torch.len(l3), 100), l3
    else:
      _49, l2 = False, l0
    if _49:
      l4 = unchecked_cast(List[Tensor], l2)
      _50 = torch.add("too many: ", str(torch.len(l4)))
      ops.prim.RaiseException(_50, "builtins.RuntimeError")
    else:
      pass
    return out
  def __getstate__(self: __torch__.Rich) -> Tuple[Tensor, bool]:
    buf = self.buf
    training = self.training
    return (buf, training)
  def __setstate__(self: __torch__.Rich,
    st: Tuple[Tensor, bool]) -> NoneType:
    self.buf = (st)[0]
    self.training = (st)[1]
    return None
  def helper(self: __torch__.Rich,
    x: Optional[int],
    s: str="d\te\000f") -> Tuple[int, str]:
    if torch.__is__(x, None):
      _51 = (0, s)
    else:
      x11 = unchecked_cast(int, x)
      if torch.gt(x11, 0):
        pass
      else:
        ops.prim.RaiseException("AssertionError: positive please")
      _52 = torch.add(s, torch.format("%d {}", x11))
      _51 = (x11, _52)
    return _51
class Color(Enum):
  RED = 1
  BLUE = 2
class Counter:
  n : int
  d : Dict[str, int]
  def __enter__(self: __torch__.Counter) -> NoneType:
    self.n = 1
    return None
  def __exit__(self: __torch__.Counter,
    a: Any,
    b: Any,
    c: Any) -> NoneType:
    self.n = 2
    return None
  def __init__(self: __torch__.Counter,
    n: int) -> NoneType:
    self.n = n
    self.d = annotate(Dict[str, int], {})
    return None
  def add(self: __torch__.Counter,
    k: str) -> int:
    n = self.n
    d = self.d
    torch._set_item(d, k, n)
    n0 = self.n
    self.n = torch.add(n0, 1)
    return self.n
