package handover

import (
	"context"

	"bartizan/attest"
	"bartizan/attest/load"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
)

// Take decides what oms.Model.Check decides, by copying the files: the tree is
// compared first, and the digests are those of the bytes that are copied, so that
// the model is read once. copyTo makes the copy, and keeps it only where it is
// right, as load.CopyTo does.
//
// A copy ends at the first file that differs. Where the model is refused, Check
// therefore goes through all of it once more for the report, which names every
// file that differs. Should it find nothing any more, since somebody has put the
// files back, the first refusal stands.
func Take(ctx context.Context, m *oms.Model, root *tree.Root, p oms.Policy, copyTo func([]load.Expected) error) error {
	err := m.CheckTree(ctx, root, p)
	if err == nil {
		err = copyTo(load.FromModel(m, root))
	}
	if len(attest.Refusals(err)) == 0 {
		return err
	}
	if all := m.Check(ctx, root, p); len(attest.Refusals(all)) > 0 {
		return all
	}
	return err
}
