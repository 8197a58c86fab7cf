package pycode

import (
	"bartizan/detect/artifact/marshal"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	gc, _ := exec.Command("go", "env", "GOCACHE").Output()
	ps, _ := filepath.Glob(strings.TrimSpace(string(gc)) + "/fuzz/bartizan/detect/artifact/pycode/FuzzDisassemble/ce5fc70ab6e0e0bb")
	type r struct {
		d time.Duration
		s string
		n int
		l int
	}
	var rs []r
	for _, p := range ps {
		b, _ := os.ReadFile(p)
		ls := strings.Split(string(b), "\n")
		var layout byte
		if strings.HasPrefix(ls[1], "byte('") {
			s, _ := strconv.Unquote(ls[1][5 : len(ls[1])-1])
			layout = s[0]
		} else {
			fmt.Sscanf(ls[1], "uint8(%d)", &layout)
		}
		code, _ := strconv.Unquote(ls[2][7 : len(ls[2])-1])
		ex, _ := strconv.Unquote(ls[3][7 : len(ls[3])-1])
		c := &Code{Layout: marshal.Layout(layout % 5), Name: "f", Bytecode: []byte(code), ExceptionTable: []byte(ex), ArgCount: 1,
			Names: []string{"os", "system", "getattr", "x"}, VarNames: []string{"a", "b"}, CellVars: []string{"b"}, FreeVars: []string{"c"},
			Consts: []*Value{{Kind: marshal.None}, str("s"), {Kind: marshal.Int, Int: 3}, {Kind: marshal.CodeObject, Code: &Code{Layout: marshal.Layout(layout % 5), Name: "g", Bytecode: []byte(code), Names: []string{"os", "system"}}},
				{Kind: marshal.Tuple, Items: []*Value{str("t"), str("u")}}}}
		b0 := time.Now()
		for k := 0; k < 20; k++ {
			Analyze(marshal.Version{}, c)
		}
		d := time.Since(b0)
		rs = append(rs, r{d, p, len(code), int(layout % 5)})
	}
	sort.Slice(rs, func(i, j int) bool { return rs[i].d > rs[j].d })
	for _, x := range rs[:min(8, len(rs))] {
		fmt.Println(x.d, x.n, x.l, filepath.Base(x.s))
	}
}
