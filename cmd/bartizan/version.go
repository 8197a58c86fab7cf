package main

import (
	"fmt"

	"bartizan/version"
)

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintf(e.out, "bartizan %s (%s)\n", version.String(), version.Details())
	return err
}
