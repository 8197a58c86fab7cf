package codelike

import "bytes"

// script finds code of markup, PHP, JavaScript and PowerShell by the few shapes
// that prose does not take.
func script(s []byte) (float64, string) {
	t := bytes.TrimLeft(s, " \t\r\n\"'>")
	switch {
	case bytes.HasPrefix(t, []byte("<?php")):
		return 0.8, "PHP"
	case bytes.HasPrefix(t, []byte("javascript:")) && bytes.IndexByte(t, '(') > 0:
		return 0.7, "JavaScript address"
	case len(t) > 8 && bytes.EqualFold(t[:7], []byte("<script")) && (t[7] == '>' || t[7] == ' '):
		return 0.8, "markup: script element"
	}
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
	{[]byte("<SCRIPT"), []byte("</SCRIPT"), 0.85, "markup: script element"},
	{[]byte("onerror="), []byte("("), 0.7, "markup: event handler"},
	{[]byte("require('child_process')."), nil, 0.8, "JavaScript: child_process"},
	{[]byte("require(\"child_process\")."), nil, 0.8, "JavaScript: child_process"},
	{[]byte("Runtime.getRuntime().exec("), nil, 0.9, "Java: Runtime.exec"},
	{[]byte("eval(atob("), nil, 0.9, "JavaScript: eval of base64"},
	{[]byte("System.Diagnostics.Process"), []byte("Start("), 0.8, ".NET: Process.Start"},
	{[]byte("New-Object Net.WebClient"), []byte("("), 0.9, "PowerShell: download"},
	{[]byte("Net.WebClient)."), nil, 0.9, "PowerShell: download"},
	{[]byte(".DownloadString("), nil, 0.8, "PowerShell: download"},
}
