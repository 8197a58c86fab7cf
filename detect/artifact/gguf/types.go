package gguf

// block is how a tensor type packs elements: so many in so many bytes. A zero
// block is a type that llama.cpp removed before GGUF existed.
type block struct{ elements, bytes uint64 }

// types are the ggml types by number (ggml.h and gguf-py 0.19). 31 to 33 and 36
// to 38 are repacked forms of Q4_0 and IQ4_NL that files of 2024 still have.
// Read only.
var types = [...]block{
	0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, // F32 F16 Q4_0 Q4_1
	6: {32, 22}, 7: {32, 24}, 8: {32, 34}, 9: {32, 40}, // Q5_0 Q5_1 Q8_0 Q8_1
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, 15: {256, 292}, // Q2_K … Q8_K
	16: {256, 66}, 17: {256, 74}, 18: {256, 98}, 19: {256, 50}, 20: {32, 18}, 21: {256, 110}, 22: {256, 82}, 23: {256, 136}, // IQ2_XXS … IQ4_XS
	24: {1, 1}, 25: {1, 2}, 26: {1, 4}, 27: {1, 8}, 28: {1, 8}, 29: {256, 56}, 30: {1, 2}, // I8 … F64 IQ1_M BF16
	31: {32, 18}, 32: {32, 18}, 33: {32, 18}, 34: {256, 54}, 35: {256, 66}, // Q4_0_4_4 … TQ1_0 TQ2_0
	36: {32, 18}, 37: {32, 18}, 38: {32, 18}, 39: {32, 17}, 40: {64, 36}, 41: {128, 18}, 42: {64, 18}, // IQ4_NL_4_4 … MXFP4 NVFP4 Q1_0 Q2_0
}

// forked is type 42 as a fork wrote it before upstream took the number.
var forked = block{128, 34}

const typeQ20 = 42
