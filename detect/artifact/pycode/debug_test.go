package pycode

import (
	"bartizan/detect/artifact/marshal"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

func TestDebug(t *testing.T) {
	if os.Getenv("DBG") == "" {
		t.Skip()
	}
	var v marshal.Version
	fmt.Sscanf(os.Getenv("DBG"), "%d.%d", &v.Major, &v.Minor)
	out, err := exec.Command(interpreters(t)[v], "-c", "import marshal,sys,os; d=os.path.dirname(os.__file__); o=getattr(sys.stdout,'buffer',sys.stdout); o.write(marshal.dumps(compile(open(sys.argv[1] if '/' in sys.argv[1] else d+'/'+sys.argv[1]).read(),'x','exec')))", os.Getenv("FILE")).Output()
	if err != nil {
		t.Fatal(err)
	}
	res := marshal.Parse(out)
	debugHook = func(u *unit, off int, what string) { fmt.Println(u.code.Name, u.code.FirstLine, off, what) }
	r := Analyze(v, res.Codes()[0])
	fmt.Println(r.Irregular)
	if os.Getenv("V") != "" {
		fmt.Println("imports", r.Imports, "\nrefs", r.References, "\ndefined", r.Defined, "\nconst", r.Constants, "\nunknown", r.Unknown, r.Versions)
		for _, c := range r.Calls {
			fmt.Println(c.Target, c.Args, "in", c.In)
		}
	}
}
