package main

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"

	"bartizan/attest/oms"
	"bartizan/finding"
)

// root computes, from the digests in a report about one folder, the root that
// model signing gives to that folder: what a digest that was given alone is
// compared with. It is "" where a digest is missing.
func (s *scanReport) root() string {
	if len(s.Subjects) == 0 {
		return ""
	}
	prefix := s.folder()
	var files []*finding.SubjectReport
	for i := range s.Subjects {
		if r := &s.Subjects[i]; !neverSigned(strings.TrimPrefix(r.ID, prefix)) {
			files = append(files, r)
		}
	}
	sort.SliceStable(files, func(i, j int) bool { return files[i].ID < files[j].ID })
	h := sha256.New()
	for _, r := range files {
		sum, err := hex.DecodeString(strings.TrimPrefix(r.Digest, "sha256:"))
		if err != nil || len(sum) != sha256.Size {
			return ""
		}
		h.Write(sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// folder is the longest folder that all subjects of the report lie in.
func (s *scanReport) folder() string {
	prefix := s.Subjects[0].ID
	for i := range s.Subjects {
		for !strings.HasPrefix(s.Subjects[i].ID, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix[:strings.LastIndexByte(prefix, '/')+1]
}

func neverSigned(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	for _, ignored := range oms.DefaultIgnores() {
		if first == ignored {
			return true
		}
	}
	return false
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
