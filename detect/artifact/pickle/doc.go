// Package pickle decides what loading a Python pickle can make a loader do, on
// the evidence of the opcodes alone.
//
// It runs every stream of a file over abstract values, with the stack and memo
// of CPython's unpicklers (Modules/_pickle.c, Lib/pickle.py, Python 2's
// cPickle.c), in every way in which they read it; knows for each name what
// resolving and calling it can do (package symbol); follows getattr, partial,
// attrgetter and their kin to what they lead to; folds text that a stream
// assembles; and scans the streams that hide in text and bytes.
//
// A stream whose every effect is proven inert is clean. A dangerous or
// unresolvable target of a call blocks; something unknown that is given plain
// data is for review.
//
// It cannot see what a name means on the loading host where that is not what
// the database knows: a file beside the model that answers to a known name,
// a class of the reader's own.
package pickle
