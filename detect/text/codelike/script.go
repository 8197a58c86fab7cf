package codelike

import "bytes"

// script finds code of markup, PHP, JavaScript and PowerShell by the few shapes
// that prose does not take.
func script(s []byte) (float64, string) {
	for _, m := range marks {
		i := bytes.Index(s, m.open)
		if i < 0 {
			continue
		}
		if m.then == nil || bytes.Contains(s[i+len(m.open):], m.then) {
			return m.score, m.why
		}
	}
	return 0, ""
}

type mark struct {
	open, then []byte
	score      float64
	why        string
}

// marks is read only.
var marks = []mark{
	{[]byte("<script"), []byte("</script"), 0.85, "markup: script element"},
	{[]byte("<script"), []byte("("), 0.7, "markup: script element"},
	{[]byte("<SCRIPT"), []byte("("), 0.7, "markup: script element"},
	{[]byte("<?php"), nil, 0.8, "PHP"},
	{[]byte("onerror="), []byte("("), 0.7, "markup: event handler"},
	{[]byte("javascript:"), []byte("("), 0.7, "JavaScript address"},
	{[]byte("child_process"), []byte("exec"), 0.8, "JavaScript: child_process"},
	{[]byte("Runtime.getRuntime().exec("), nil, 0.9, "Java: Runtime.exec"},
	{[]byte("eval(atob("), nil, 0.9, "JavaScript: eval of base64"},
	{[]byte("System.Diagnostics.Process"), []byte("Start("), 0.8, ".NET: Process.Start"},
	{[]byte("New-Object Net.WebClient"), []byte("("), 0.9, "PowerShell: download"},
	{[]byte("Net.WebClient)."), nil, 0.9, "PowerShell: download"},
	{[]byte(".DownloadString("), nil, 0.8, "PowerShell: download"},
}
