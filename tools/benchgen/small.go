package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	asm "bartizan/internal/pickleasm"
)

// perFolder is how many small files lie in one folder.
const perFolder = 1000

// writeSmall writes n valid small files: half pickles of protocols 0 to 4, the rest JSON, npy and safetensors.
func writeSmall(root string, n int, out io.Writer) error {
	rng := rand.New(rand.NewPCG(1, 100))
	total := 0
	for i := range n {
		name, data, err := smallFile(rng, i)
		if err != nil {
			return err
		}
		folder := filepath.Join(root, fmt.Sprintf("%03d", i/perFolder))
		if i%perFolder == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return err
		}
		total += len(data)
	}
	fmt.Fprintf(out, "%s: %d files, %d bytes\n", root, n, total)
	return nil
}

func smallFile(rng *rand.Rand, i int) (name string, data []byte, err error) {
	name = fmt.Sprintf("f%06d", i)
	switch i % 8 {
	case 0, 1, 2, 3:
		return name + ".pkl", smallPickle(rng, i/8%3), nil
	case 4, 5:
		data, err = json.Marshal(map[string]any{"id": i, "name": name, "scores": []float64{rng.Float64(), rng.Float64()}, "tags": []string{"a", "b"}})
		return name + ".json", data, err
	case 6:
		return name + ".npy", npy(rng, 1+rng.IntN(20)), nil
	default:
		data, err = safetensors(1+rng.IntN(3), 4)
		return name + ".safetensors", data, err
	}
}

// smallPickle is one of three kinds: text of protocol 0, a config at protocol 4, or a small array as numpy writes it.
func smallPickle(rng *rand.Rand, sort int) []byte {
	b := asm.New()
	switch sort {
	case 0:
		b.Mark().Dict().Put("0").String("'epochs'").Int(strconv.Itoa(rng.IntN(100))).SetItem()
		return b.String("'rate'").Float(strconv.FormatFloat(rng.Float64(), 'g', -1, 64)).SetItem().Stop().Bytes()
	case 1:
		return b.Proto(4).Framed(func(b *asm.Builder) {
			b.Value(map[string]any{"lr": rng.Float64(), "layers": []any{64, 32}, "name": "run", "best": nil, "shape": asm.Tuple{3, rng.IntN(300)}}).Stop()
		}).Bytes()
	default:
		return numpyPickle(b, rng)
	}
}

func numpyPickle(b *asm.Builder, rng *rand.Rand) []byte {
	values := make([]byte, 8*(1+rng.IntN(8)))
	b.Proto(3).Global("numpy.core.multiarray", "_reconstruct").Global("numpy", "ndarray")
	b.BinInt1(0).Tuple1().ShortBinBytes([]byte("b")).Tuple3().Reduce()
	b.Mark().BinInt1(1).BinInt1(byte(len(values) / 8)).Tuple1()
	b.Global("numpy", "dtype").BinUnicode("f8").NewFalse().NewTrue().Tuple3().Reduce()
	b.Mark().BinInt1(3).BinUnicode("<").None().None().None().BinInt(-1).BinInt(-1).BinInt1(0).Tuple().Build()
	return b.NewFalse().ShortBinBytes(values).Tuple().Build().Stop().Bytes()
}

// npy is a one-dimensional float64 array in numpy's format 1.0 (NEP 1): the header is padded to 64 bytes.
func npy(rng *rand.Rand, n int) []byte {
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }", n)
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	data := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)+1), byte((len(header)+1)>>8))
	data = append(append(data, header...), '\n')
	for range n {
		data = binary.LittleEndian.AppendUint64(data, rng.Uint64()>>2)
	}
	return data
}

// safetensors is a file of n tensors of side*side float32 zeros.
func safetensors(n, side int) ([]byte, error) {
	header, size, err := safetensorsHeader(n, int64(side))
	if err != nil {
		return nil, err
	}
	return append(header, make([]byte, size)...), nil
}

// safetensorsHeader is the length field and the JSON of n tensors of side*side float32, and the size of their data.
func safetensorsHeader(n int, side int64) (header []byte, size int64, err error) {
	type tensor struct {
		Dtype   string   `json:"dtype"`
		Shape   [2]int64 `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	tensors := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	for i := range n {
		end := size + 4*side*side
		tensors[fmt.Sprintf("layer.%03d.weight", i)] = tensor{"F32", [2]int64{side, side}, [2]int64{size, end}}
		size = end
	}
	text, err := json.Marshal(tensors)
	if err != nil {
		return nil, 0, err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), size, nil
}
