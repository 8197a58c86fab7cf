package container_test
import ("os";"testing")
func TestDumpHostile(t *testing.T){ if d:=os.Getenv("DUMPDIR"); d!="" { for _,n:=range hostileNames { os.WriteFile(d+"/"+n, hostile(n), 0o600) } } }
