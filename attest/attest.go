// Package attest and the packages below it make and check claims about digests:
// manifests of datasets and models, OpenSSF Model Signing bundles, in-toto
// statements in DSSE envelopes, inference records, and the verification of bytes
// as they are loaded. There is no database and no network here.
//
// The packages, bottom up:
//
//	tree        opens a model or a dataset beneath its root, and nothing else
//	hashing     digests of many files and of ranges of them, in parallel
//	strictjson  the one reader of signed JSON: no duplicate keys, no surprises
//	keys        private and public keys, certificates, PKCS#11
//	dsse        the envelope: what exactly was signed
//	bundle      sigstore bundles: envelope and what it takes to verify it
//	statement   in-toto Statement v1 and the predicates that are written here
//	oms         OpenSSF Model Signing: sign a tree, verify a tree
//	keyless     sigstore identities, logs and timestamps, offline
//	manifest    datasets and models with a Merkle root over their records
//	load        the bytes that were checked are the bytes that are handed over
//	inference   signed records of what a model answered
//
// Whatever is refused is refused with an [Error] that carries a stable [Code];
// an error without a code means that the check itself could not be made (a file
// that cannot be read), never that the answer is yes.
package attest

import (
	"errors"
	"fmt"
)

// Error says that something was checked and refused.
type Error struct {
	Code Code
	// Name is the resource, file, key or field that it is about, or empty.
	Name   string
	Detail string
}

// Refuse makes the error for a code. name may be empty. The detail never holds
// file content or secrets.
func Refuse(code Code, name, format string, args ...any) *Error {
	return &Error{Code: code, Name: name, Detail: fmt.Sprintf(format, args...)}
}

// Error gives "CODE: name: detail", as the reasons of reports show it.
func (e *Error) Error() string {
	switch {
	case e.Name != "" && e.Detail != "":
		return string(e.Code) + ": " + e.Name + ": " + e.Detail
	case e.Name != "":
		return string(e.Code) + ": " + e.Name
	}
	return string(e.Code) + ": " + e.Detail
}

// Refusals gives every refusal within err: itself, wrapped, or joined by
// errors.Join, in order. None means that err is a failure, not a refusal.
func Refusals(err error) []*Error {
	var one *Error
	switch e := err.(type) { //nolint:errorlint // the tree of errors is walked by hand
	case nil:
		return nil
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, inner := range e.Unwrap() {
			all = append(all, Refusals(inner)...)
		}
		return all
	}
	if errors.As(err, &one) {
		return []*Error{one}
	}
	return nil
}

// CodeOf gives the code of the first refusal within err, or "".
func CodeOf(err error) Code {
	if all := Refusals(err); len(all) > 0 {
		return all[0].Code
	}
	return ""
}
