class Sequential(Module):
  __parameters__ = []
  __buffers__ = []
  def forward(self: __torch__.torch.nn.modules.container.___torch_mangle_5.Sequential,
    input: Tensor) -> Tensor:
    input0 = torch.conv2d(input, CONSTANTS.c0, CONSTANTS.c1, [1, 1], [1, 1])
    input1 = torch.relu_(input0)
    input2 = torch.max_pool2d(input1, [2, 2], [2, 2])
    _0 = torch.gt(torch.len(torch.size(input2)), 2)
    if _0:
      pass
    else:
      ops.prim.RaiseException("AssertionError: ")
    input3 = torch.adaptive_avg_pool2d(input2, [1, 1])
    input4 = torch.flatten(input3, 1)
    input5 = torch.linear(input4, CONSTANTS.c2, CONSTANTS.c3)
    return torch.softmax(input5, 1)
