package pickle

// weightsOnly are the globals that torch.load(weights_only=True) resolves
// (torch/_weights_only_unpickler.py _get_allowed_globals); it refuses others.
var weightsOnly = map[string]bool{
	"collections.OrderedDict": true, "collections.Counter": true, "builtins.set": true, "builtins.bytearray": true, "_codecs.encode": true,
	"torch._utils._rebuild_tensor_v2": true, "torch._utils._rebuild_parameter": true, "torch._utils._rebuild_tensor": true,
	"torch._utils._rebuild_sparse_tensor": true, "torch.Size": true, "torch.Tensor": true, "torch.device": true,
	"torch.nn.parameter.Parameter": true, "torch.serialization._get_layout": true, "torch.storage.UntypedStorage": true,
}

// loadersFor says for whom a symbol is dangerous.
func (e *events) loadersFor(ref *symbolRef) []string {
	out := everyLoader()
	if e.tar {
		out = append(out, beforeTar)
	}
	if weightsOnly[ref.canonical()] {
		out = append(out, "torch.load(weights_only=True)")
	}
	return out
}
