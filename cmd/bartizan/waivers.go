package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"bartizan/finding"
)

// readWaivers reads a YAML list of waivers. Unknown keys and waivers without
// fingerprint, reason or expiry are refused, and with them the whole file.
func readWaivers(path string) ([]finding.Waiver, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	list, err := parseWaivers(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func parseWaivers(b []byte) ([]finding.Waiver, error) {
	var list []finding.Waiver
	if err := decodeOne(b, &list); err != nil {
		return nil, err
	}
	if err := finding.CheckWaivers(list); err != nil {
		return nil, err
	}
	return list, nil
}

// decodeOne decodes the one document of b into v; an empty document is no error.
func decodeOne(b []byte, v any) error {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	var rest yaml.Node
	if err := dec.Decode(&rest); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return errSecondDocument
	}
	return nil
}
