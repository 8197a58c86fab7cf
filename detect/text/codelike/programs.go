package codelike

import "bytes"

// program says with which arguments a word is a command.
type program struct {
	score float64
	shell bool
	args  []func([]byte) bool
}

// flag: the arguments begin with an option.
func flag(a []byte) bool {
	return len(a) >= 2 && a[0] == '-' && (isWordByte(a[1]) || a[1] == '-' && len(a) > 2 && isWordByte(a[2]))
}

// slashFlag: an option of Windows commands, or a flag.
func slashFlag(a []byte) bool {
	return flag(a) || len(a) >= 2 && a[0] == '/' && isWordByte(a[1]) && (len(a) == 2 || a[2] == ' ')
}

// target: an absolute or relative path, a variable, a redirection.
func target(a []byte) bool {
	if len(a) < 2 {
		return false
	}
	switch a[0] {
	case '/', '~':
		return isWordByte(a[1]) || a[1] == '/' || a[1] == '.'
	case '.':
		return a[1] == '/' || a[1] == '.'
	case '$':
		return isWordByte(a[1]) || a[1] == '{' || a[1] == '('
	case '>', '<':
		return true
	}
	return len(a) > 3 && a[1] == ':' && a[2] == '\\'
}

// address: a URL anywhere.
func address(a []byte) bool { return bytes.Contains(a, []byte("://")) }

// mode: what chmod takes, and something to apply it to.
func mode(a []byte) bool {
	w, rest, ok := bytes.Cut(a, []byte(" "))
	if !ok || len(rest) == 0 || len(w) < 2 {
		return false
	}
	if w[0] == '+' || w[1] == '+' {
		return isPlain(w[bytes.IndexByte(w, '+')+1:])
	}
	for _, c := range w {
		if c < '0' || c > '7' {
			return false
		}
	}
	return len(w) == 3 || len(w) == 4
}

// host: dotted name or address and a port.
func host(a []byte) bool {
	w, rest, ok := bytes.Cut(a, []byte(" "))
	if !ok || bytes.IndexByte(w, '.') < 0 && string(w) != "localhost" {
		return false
	}
	rest = bytes.TrimSpace(rest)
	return len(rest) > 0 && rest[0] >= '1' && rest[0] <= '9'
}

// redirect: output to a path.
func redirect(a []byte) bool {
	i := bytes.IndexByte(a, '>')
	return i > 0 && target(bytes.TrimLeft(a[i+1:], "> ")) && bytes.IndexByte(a, '<') < 0
}

func something(a []byte) bool {
	return len(a) > 0 && (isWordByte(a[0]) || a[0] == '(' || a[0] == '$' || a[0] == '\'')
}

func powershell(a []byte) bool { return flag(a) || bytes.Contains(a, []byte("(")) || address(a) }

func install(a []byte) bool {
	for _, w := range []string{"install ", "add ", "i ", "-y ", "exec "} {
		if bytes.HasPrefix(a, []byte(w)) {
			return true
		}
	}
	return false
}

func predicates(f ...func([]byte) bool) []func([]byte) bool { return f }

// programs is read only.
var programs = map[string]program{
	"rm": {score: 0.9, args: predicates(flag, target)}, "rmdir": {score: 0.8, args: predicates(slashFlag, target)},
	"del": {score: 0.8, args: predicates(slashFlag, target)}, "mkfs": {score: 0.9, args: predicates(flag, target)},
	"dd":   {score: 0.9, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("if=")) || bytes.HasPrefix(a, []byte("of=")) })},
	"curl": {score: 0.9, args: predicates(flag, address)}, "wget": {score: 0.9, args: predicates(flag, address)},
	"fetch": {score: 0.8, args: predicates(address)}, "aria2c": {score: 0.8, args: predicates(address)},
	"certutil": {score: 0.9, args: predicates(slashFlag)}, "bitsadmin": {score: 0.9, args: predicates(slashFlag)},
	"mshta": {score: 0.9, args: predicates(address, something)}, "regsvr32": {score: 0.9, args: predicates(slashFlag)},
	"rundll32": {score: 0.9, args: predicates(something)}, "wscript": {score: 0.8, args: predicates(slashFlag, target)},
	"chmod": {score: 0.9, args: predicates(mode, flag)}, "chown": {score: 0.8, args: predicates(flag)},
	"sh": {score: 0.9, shell: true, args: predicates(flag, target)}, "bash": {score: 0.9, shell: true, args: predicates(flag, target)},
	"zsh": {score: 0.9, shell: true, args: predicates(flag, target)}, "dash": {score: 0.9, shell: true, args: predicates(flag)},
	"ksh": {score: 0.9, shell: true, args: predicates(flag)}, "cmd": {score: 0.95, args: predicates(slashFlag)},
	"powershell": {score: 0.95, shell: true, args: predicates(powershell)}, "pwsh": {score: 0.95, shell: true, args: predicates(powershell)},
	"iex":               {score: 0.9, shell: true, args: predicates(func(a []byte) bool { return a[0] == '(' || a[0] == '$' })},
	"invoke-expression": {score: 0.9, shell: true, args: predicates(something)}, "invoke-webrequest": {score: 0.9, args: predicates(flag, address)},
	"start-process": {score: 0.9, args: predicates(flag, something)},
	"python":        {score: 0.85, shell: true, args: predicates(flag, target)}, "python3": {score: 0.85, shell: true, args: predicates(flag, target)},
	"python2": {score: 0.85, shell: true, args: predicates(flag)}, "perl": {score: 0.9, shell: true, args: predicates(flag)},
	"ruby": {score: 0.85, shell: true, args: predicates(flag)}, "node": {score: 0.8, shell: true, args: predicates(flag)},
	"php": {score: 0.85, shell: true, args: predicates(flag)}, "awk": {score: 0.7, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("'")) || flag(a) })},
	"nc": {score: 0.9, args: predicates(flag, host)}, "ncat": {score: 0.9, args: predicates(flag, host)},
	"netcat": {score: 0.9, args: predicates(flag, host)}, "socat": {score: 0.9, args: predicates(func(a []byte) bool { return bytes.IndexByte(a, ':') > 0 || flag(a) })},
	"telnet": {score: 0.8, args: predicates(host)}, "ssh": {score: 0.8, args: predicates(flag, func(a []byte) bool { return bytes.IndexByte(a, '@') > 0 })},
	"scp": {score: 0.8, args: predicates(flag, func(a []byte) bool { return bytes.IndexByte(a, ':') > 0 })},
	"cat": {score: 0.8, args: predicates(target)}, "touch": {score: 0.8, args: predicates(target)},
	"ls": {score: 0.7, args: predicates(flag, target)}, "cp": {score: 0.8, args: predicates(flag, target)},
	"mv": {score: 0.8, args: predicates(flag, target)}, "ln": {score: 0.8, args: predicates(flag, target)},
	"mkdir": {score: 0.7, args: predicates(flag, target)}, "echo": {score: 0.8, args: predicates(redirect, func(a []byte) bool { return a[0] == '\'' || a[0] == '"' || a[0] == '$' || flag(a) })},
	"printf": {score: 0.7, args: predicates(redirect)}, "mkfifo": {score: 0.9, args: predicates(target)},
	"find": {score: 0.7, args: predicates(target)}, "tar": {score: 0.7, args: predicates(flag)},
	"base64": {score: 0.8, args: predicates(flag)}, "crontab": {score: 0.9, args: predicates(flag)},
	"export": {score: 0.6, args: predicates(func(a []byte) bool { i := bytes.IndexByte(a, '='); return i > 0 && bytes.IndexByte(a[:i], ' ') < 0 })},
	"eval":   {score: 0.8, args: predicates(func(a []byte) bool { return a[0] == '$' || a[0] == '`' || a[0] == '"' })},
	"source": {score: 0.7, args: predicates(target)}, "kill": {score: 0.8, args: predicates(func(a []byte) bool { return flag(a) })},
	"killall": {score: 0.8, args: predicates(flag)}, "shutdown": {score: 0.9, args: predicates(slashFlag)},
	"pip": {score: 0.6, args: predicates(install)}, "pip3": {score: 0.6, args: predicates(install)}, "npm": {score: 0.6, args: predicates(install)},
	"apt": {score: 0.6, args: predicates(install)}, "apt-get": {score: 0.6, args: predicates(install)},
	"git":      {score: 0.6, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("clone ")) && address(a) })},
	"net":      {score: 0.8, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("user ")) && bytes.Contains(a, []byte("/add")) })},
	"schtasks": {score: 0.9, args: predicates(slashFlag)}, "reg": {score: 0.8, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("add HK")) })},
	"calc": {score: 0.6, args: predicates(slashFlag)}, "open": {score: 0.7, args: predicates(func(a []byte) bool { return bytes.HasPrefix(a, []byte("-a ")) })},
}
