// Package version says which release this is. It is data in the source, so that
// every build of the same source says the same in its reports.
package version

import (
	_ "embed"
	"runtime"
	"runtime/debug"
	"strings"
)

//go:embed VERSION
var release string

// String is the release, as reports carry it.
func String() string { return strings.TrimSpace(release) }

// Details are what `bartizan version` prints beside it: the revision where the
// build knows one, the compiler, and the platform.
func Details() string {
	out := []string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && s.Value != "" {
				out = append([]string{"revision " + s.Value}, out...)
			}
		}
	}
	return strings.Join(out, ", ")
}
