package statement

// Known reads the predicate of a statement as the type that it names, and gives
// nil where that is none of this package's. STATEMENT_MALFORMED where it names
// one and is not as that demands.
func Known(s *Statement) (Predicate, error) {
	switch s.PredicateType {
	case SLSAProvenanceType:
		return known(ParseSLSAProvenance(s))
	case TestResultType:
		return known(ParseTestResult(s))
	case VSAType:
		return known(ParseVSA(s))
	case DatasetManifestType:
		return known(ParseDatasetManifest(s))
	case ApprovalType:
		return known(ParseApproval(s))
	case InferenceBatchType:
		return known(ParseInferenceBatch(s))
	}
	return nil, nil
}

// known keeps a nil pointer from becoming a predicate that is not nil.
func known[P Predicate](p P, err error) (Predicate, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ResultOf gives in one word what a predicate says of its subjects (PASSED,
// WARNED, FAILED, APPROVED, REJECTED), or "" where it judges nothing.
func ResultOf(p Predicate) string {
	switch p := p.(type) {
	case *TestResult:
		return string(p.Result)
	case *VSA:
		return string(p.VerificationResult)
	case *Approval:
		return string(p.Verdict)
	}
	return ""
}
