def relu(input: Tensor,
    inplace: bool=False) -> Tensor:
  if inplace:
    result = torch.relu_(input)
  else:
    result = torch.relu(input)
  return result
def adaptive_avg_pool2d(input: Tensor,
    output_size: List[int]) -> Tensor:
  _0 = torch.gt(torch.len(torch.size(input)), torch.len(output_size))
  if _0:
    pass
  else:
    ops.prim.RaiseException("AssertionError: ")
  _1 = torch.adaptive_avg_pool2d(input, output_size)
  return _1
def adaptive_avg_pool3d(input: Tensor,
    output_size: List[int]) -> Tensor:
  _2 = torch.gt(torch.len(torch.size(input)), torch.len(output_size))
  if _2:
    pass
  else:
    ops.prim.RaiseException("AssertionError: ")
  _3 = torch.adaptive_avg_pool3d(input, output_size)
  return _3
