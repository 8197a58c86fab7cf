"""torch: state dicts, whole modules, optimizers, TorchScript; zip and legacy containers."""

import io
import os

from make_common import version


def modules():
    import torch.nn as nn
    made = {
        "linear": lambda: nn.Linear(3, 2), "linear-nobias": lambda: nn.Linear(3, 2, bias=False),
        "conv1d": lambda: nn.Conv1d(2, 3, 3), "conv2d": lambda: nn.Conv2d(3, 4, 3, padding=1),
        "convtranspose": lambda: nn.ConvTranspose2d(3, 4, 2), "lstm": lambda: nn.LSTM(3, 4, 2),
        "gru": lambda: nn.GRU(3, 4, bidirectional=True), "rnn": lambda: nn.RNN(3, 4),
        "embedding": lambda: nn.Embedding(10, 4), "embeddingbag": lambda: nn.EmbeddingBag(10, 4),
        "batchnorm": lambda: nn.BatchNorm2d(4), "layernorm": lambda: nn.LayerNorm(4), "groupnorm": lambda: nn.GroupNorm(2, 4),
        "dropout": lambda: nn.Dropout(0.1), "gelu": lambda: nn.GELU(), "softmax": lambda: nn.Softmax(dim=1),
        "bilinear": lambda: nn.Bilinear(2, 3, 4), "prelu": lambda: nn.PReLU(),
        "mha": lambda: nn.MultiheadAttention(8, 2), "encoder-layer": lambda: nn.TransformerEncoderLayer(8, 2, 16),
        "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2),
        "transformer": lambda: nn.Transformer(8, 2, 1, 1, 16),
        "sequential": lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)),
        "modulelist": lambda: nn.ModuleList([nn.Linear(2, 2), nn.Tanh()]),
        "moduledict": lambda: nn.ModuleDict({"a": nn.Linear(2, 2)}),
        "parameterlist": lambda: nn.ParameterList([nn.Parameter(nn.Linear(2, 2).weight)]),
        "crossentropy": lambda: nn.CrossEntropyLoss(), "flatten": lambda: nn.Sequential(nn.Flatten(), nn.Linear(4, 1)),
        "maxpool": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)),
    }
    try:
        from torch.nn.utils.parametrizations import weight_norm
        made["weightnorm"] = lambda: weight_norm(nn.Linear(2, 2))
    except ImportError:
        pass
    return made


def vision():
    """Whole architectures, when torchvision is there; slim ones only."""
    try:
        import torchvision.models as m
    except Exception:  # noqa: BLE001: absent or built for another torch
        return {}
    return {n: (lambda n=n: getattr(m, n)(weights=None)) for n in
            ("squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v3_small", "resnet18")}


def objects():
    """Tensors and checkpoints as people save them."""
    import numpy as np
    import torch
    import torch.nn as nn
    def optimizer(cls, **kw):
        net = nn.Linear(3, 2)
        opt = getattr(torch.optim, cls)(net.parameters(), lr=0.01, **kw)
        net(torch.ones(1, 3)).sum().backward()
        opt.step()
        return net, opt
    def checkpoint():
        net, opt = optimizer("Adam")
        sched = torch.optim.lr_scheduler.StepLR(opt, 2)
        return {"epoch": 3, "model": net.state_dict(), "optimizer": opt.state_dict(),
                "scheduler": sched.state_dict(), "loss": 0.25, "args": {"lr": 0.01, "name": "x"}}
    made = {
        "tensor": lambda: torch.arange(6).reshape(2, 3), "parameter": lambda: nn.Parameter(torch.ones(2)),
        "half": lambda: torch.ones(3, dtype=torch.float16), "bfloat16": lambda: torch.ones(3, dtype=torch.bfloat16),
        "bool": lambda: torch.tensor([True]), "complex": lambda: torch.ones(2, dtype=torch.complex64),
        "view": lambda: torch.arange(10)[2:5], "transposed": lambda: torch.ones(2, 3).t(),
        "sparse": lambda: torch.eye(3).to_sparse(), "sparse-csr": lambda: torch.eye(3).to_sparse_csr(),
        "quantized": lambda: torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8),
        "quantized-channel": lambda: torch.quantize_per_channel(torch.ones(2, 2), torch.tensor([0.1, 0.2]),
                                                                torch.tensor([0, 0]), 0, torch.quint8),
        "grad": lambda: torch.ones(2, requires_grad=True), "meta": lambda: torch.empty(3, device="meta"),
        "size": lambda: torch.Size([1, 2]), "device": lambda: torch.device("cpu"), "dtype": lambda: torch.float32,
        "shared": lambda: (lambda t: [t, t[:2]])(torch.arange(4)), "mixed": lambda: {"t": torch.ones(2), "n": np.arange(3)},
        "generator-state": lambda: torch.get_rng_state(), "checkpoint": checkpoint,
        "packed": lambda: nn.utils.rnn.pack_sequence([torch.ones(3, 1), torch.ones(2, 1)]),
        "storage": lambda: torch.ones(3).untyped_storage(),
    }
    for cls in ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta", "Adamax", "NAdam", "RAdam"):
        made["optim-%s-state" % cls] = lambda cls=cls: optimizer(cls)[1].state_dict()
        made["optim-%s" % cls] = lambda cls=cls: optimizer(cls)[1]
    for name, module in modules().items():
        made["state-" + name] = lambda module=module: module().state_dict()
        made["module-" + name] = module
    return made


def save(maker, **kw):
    import torch
    out = io.BytesIO()
    torch.save(maker(), out, **kw)
    return out.getvalue()


def script(maker, example=None):
    import torch
    net = maker().eval()
    compiled = torch.jit.trace(net, example) if example is not None else torch.jit.script(net)
    out = io.BytesIO()
    torch.jit.save(compiled, out)
    return out.getvalue()


def put(shelf, names, made, scripts):
    import torch
    lib = version(torch)
    torch.manual_seed(0)
    for name in names:
        maker, path = made[name], "torch/" + name
        shelf.attempt(path + ".pt", lambda: save(maker), library=lib, what=name, writer="torch.save zip")
        shelf.attempt(path + ".p4.pt", lambda: save(maker, pickle_protocol=4), library=lib, what=name, writer="torch.save zip", protocol=4)
        shelf.attempt(path + ".legacy.pth", lambda: save(maker, _use_new_zipfile_serialization=False),
                      library=lib, what=name, writer="torch.save legacy")
    for name in scripts:
        shelf.attempt("torch/%s.script.pt" % name, lambda: script(modules()[name]), library=lib, what=name,
                      writer="torch.jit.save")


def every(shelf):
    import torch
    made = objects()
    put(shelf, list(made), made, list(modules()))
    for name, maker in made.items():
        shelf.pickles("torch-pickle/" + name, maker, (2, 4), library=version(torch), what=name)
    for name, maker in vision().items():
        shelf.attempt("torchvision/%s.module.pt" % name, lambda: save(maker), library="torchvision", what=name, writer="torch.save zip")
        shelf.attempt("torchvision/%s.state.pt" % name, lambda: save(lambda: maker().state_dict()),
                      library="torchvision", what=name, writer="torch.save zip")
        shelf.attempt("torchvision/%s.script.pt" % name, lambda: script(maker), library="torchvision", what=name, writer="torch.jit.save")


def small(shelf):
    made = objects()
    put(shelf, ["state-sequential", "module-sequential", "checkpoint"], made, ["sequential"])
