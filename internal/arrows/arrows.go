// Package arrows holds the test of the design's import arrows: who may import
// whom, what engines must never reach for, and what no code may do. It has no
// code that runs.
package arrows
