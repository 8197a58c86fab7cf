"""Makes TorchScript archives with a real torch, for BARTIZAN_TORCHSCRIPT and for the samples of this folder.

    python make.py OUTDIR

The code files here are what torch 1.13's printer made of Rich, of a frozen, a traced, a quantised and a
mobile model: some of the members of rich.pt, frozen.pt, traced.pt, quantised.pt and lite.pt.
"""
import enum
import sys
import warnings
from typing import Any, Dict, Final, List, NamedTuple, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

warnings.filterwarnings("ignore")


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Pair(NamedTuple):
    x: Tensor
    y: int


@torch.jit.script
class Counter:
    def __init__(self, n: int):
        self.n = n
        self.d: Dict[str, int] = {}

    def add(self, k: str) -> int:
        self.d[k] = self.n
        self.n += 1
        return self.n

    def __enter__(self):
        self.n = 1

    def __exit__(self, a: Any, b: Any, c: Any):
        self.n = 2


class Rich(nn.Module):
    """One of everything that the printer writes in its own way."""
    __constants__ = ["k"]
    eps: Final[float] = 1.0000000000000001e-05

    def __init__(self):
        super().__init__()
        self.k = 3
        self.lin = nn.Linear(3, 3)
        self.mods = nn.ModuleList([nn.Linear(3, 3), nn.ReLU()])
        self.md = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Tanh()})
        self.names = ["x", "y\n\"q\" \\ \u00fc", "it's"]
        self.register_buffer("buf", torch.arange(3.))
        self.opt: Optional[Tensor] = None
        self.col = Color.RED

    @torch.jit.export
    def helper(self, x: Optional[int], s: str = "d\te\x00f") -> Tuple[int, str]:
        if x is None:
            return 0, s
        assert x > 0, "positive please"
        return x, s + "%d {}".format(x)

    @torch.jit.export
    def __getstate__(self):
        return (self.buf, self.training)

    @torch.jit.export
    def __setstate__(self, st: Tuple[Tensor, bool]):
        self.buf = st[0]
        self.training = st[1]

    def forward(self, x: Tensor, n: int = 4, flag: bool = False, l: Optional[List[Tensor]] = None) -> Dict[str, Tensor]:
        out: Dict[str, Tensor] = {}
        i = 0
        while i < n:
            x = x + i * self.eps
            if i == 2 and not flag:
                i += 2
                continue
            if bool(x.sum() > 1e30):
                break
            i += 1
        for m in self.mods:
            x = m(x)
        for k, v in self.md.items():
            out[k] = v(x)
        if l is not None:
            for t in l:
                x = x + t
        a, b = self.helper(n, "s")
        p = Pair(x, a)
        x, y = p.x, p.y
        z = [q * 2 for q in range(y)]
        fut = torch.jit.fork(self.lin, x)
        x = torch.jit.wait(fut)
        if torch.jit.isinstance(b, str):
            print("hello", b, self.k, z)
        w = x[1:, None, ..., ::2]
        x[0] = float("inf")
        x[1] = -float("inf")
        x[2] = float("nan")
        u = self.opt
        if u is not None:
            x = x * u
        count = Counter(3)
        count.add("a")
        with count:
            x = x + 1
        with torch.no_grad():
            x = x * 2
        c = 1 + 2j
        x = x.to(torch.device("cpu")).to(torch.float64, non_blocking=True).contiguous(memory_format=torch.preserve_format)
        if self.col == Color.RED:
            x = x - 1
        pairs = [("a", 1), ("b", 2)]
        mm = {kk: vv for kk, vv in pairs}
        out["x"] = x // 2 % 3**2 + w.sum() + len(mm)
        out["z"] = torch.zeros(3, dtype=torch.complex64) * c
        out["y"] = F.interpolate(x[None, None], scale_factor=2.0, mode="nearest") if x.dim() == 2 else x
        if l is not None and len(l) > 100:
            raise RuntimeError("too many: " + str(len(l)))
        return out


def convolution():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                         nn.Dropout(0.1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(8, 4), nn.Softmax(dim=1)).eval()


def quantised():
    torch.backends.quantized.engine = "qnnpack"
    m = nn.Sequential(torch.quantization.QuantStub(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3),
                      torch.quantization.DeQuantStub()).eval()
    m.qconfig = torch.quantization.get_default_qconfig("qnnpack")
    torch.quantization.fuse_modules(m, [["1", "2"]], inplace=True)
    p = torch.quantization.prepare(m)
    p(torch.rand(1, 3, 8, 8))
    return torch.quantization.convert(p)


def suite(out):
    """Every functional and module test of torch's own suite that scripts."""
    from torch.testing._internal import jit_metaprogramming_utils as u
    for i, t in enumerate(u.nn_functional_tests):
        try:
            made = u.get_nn_functional_compiled_fn_and_inputs(*t)
            torch.jit.save(made[0], "%s/function-%d.pt" % (out, i))
        except Exception:
            continue
    for i, kw in enumerate(u.get_all_nn_module_tests()):
        try:
            args = kw.get("constructor_args", ())
            make = kw.get("constructor") or getattr(nn, u.get_nn_module_name_from_kwargs(**kw))
            torch.jit.save(torch.jit.script(make(*(args() if callable(args) else args))), "%s/module-%d.pt" % (out, i))
        except Exception:
            continue


def main():
    out = sys.argv[1]
    torch.manual_seed(0)
    torch.jit.save(torch.jit.script(Rich()), out + "/rich.pt")
    torch.jit.save(torch.jit.freeze(torch.jit.script(convolution())), out + "/frozen.pt")
    torch.jit.save(torch.jit.trace(nn.LSTM(4, 5, 2, bidirectional=True), torch.rand(1, 3, 4)), out + "/traced.pt")
    torch.jit.save(torch.jit.script(quantised()), out + "/quantised.pt")
    torch.jit.script(convolution())._save_for_lite_interpreter(out + "/lite.pt")
    suite(out)


main()
