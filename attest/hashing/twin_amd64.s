#include "textflag.h"

// Two SHA-256 (FIPS 180-4) at once with the SHA extensions of x86. Registers:
// X0 input of the rounds; X1 X2 state of the first stream, X3-X6 its message;
// X7 X8 and X9-X12 of the second; X13 and X15 scratch, X14 the order of bytes.

// NEXT makes the words of four rounds later in N: N holds w[t-16] with msg1
// applied, P w[t-8], M w[t-4].
#define NEXT(M, P, N) \
	MOVO       M, X13       \
	PALIGNR    $4, P, X13   \
	PADDD      X13, N       \
	SHA256MSG2 M, N

#define LOAD(P, OFF, M) \
	MOVOU  OFF(P), M \
	PSHUFB X14, M

// BOTH does four rounds of both streams, interleaved: an instruction of one
// runs while that of the other waits for its predecessor.
#define BOTH(K, MA, MB) \
	MOVO        MA, X0         \
	PADDD       K(AX), X0      \
	SHA256RNDS2 X0, X1, X2     \
	PSHUFD      $0x0e, X0, X13 \
	MOVO        MB, X0         \
	PADDD       K(AX), X0      \
	SHA256RNDS2 X0, X7, X8     \
	PSHUFD      $0x0e, X0, X15 \
	MOVO        X13, X0        \
	SHA256RNDS2 X0, X2, X1     \
	MOVO        X15, X0        \
	SHA256RNDS2 X0, X8, X7

// STEP does four rounds with the words in A and E, and readies those to come.
#define STEP(K, A, B, C, D, E, F, G, H) \
	NEXT(A, D, B)      \
	NEXT(E, H, F)      \
	BOTH(K, A, E)      \
	SHA256MSG1 A, D    \
	SHA256MSG1 E, H

// func twinBlocks(a, b *[8]uint32, p, q *byte, blocks int)
TEXT ·twinBlocks(SB), NOSPLIT, $80-40
	MOVQ a+0(FP), R8
	MOVQ b+8(FP), R9
	MOVQ p+16(FP), SI
	MOVQ q+24(FP), DI
	MOVQ blocks+32(FP), CX
	LEAQ k256<>(SB), AX
	MOVOU flip<>(SB), X14

	// Into the order of the instructions: ABEF and CDGH.
	MOVOU   (R8), X1
	MOVOU   16(R8), X2
	PSHUFD  $0xb1, X1, X1
	PSHUFD  $0x1b, X2, X2
	MOVO    X1, X13
	PALIGNR $8, X2, X1
	PBLENDW $0xf0, X13, X2
	MOVOU   (R9), X7
	MOVOU   16(R9), X8
	PSHUFD  $0xb1, X7, X7
	PSHUFD  $0x1b, X8, X8
	MOVO    X7, X13
	PALIGNR $8, X8, X7
	PBLENDW $0xf0, X13, X8

loop:
	MOVOU X1, s-16(SP)
	MOVOU X2, s-32(SP)
	MOVOU X7, s-48(SP)
	MOVOU X8, s-64(SP)

	LOAD(SI, 0, X3)
	LOAD(DI, 0, X9)
	BOTH(0, X3, X9)
	LOAD(SI, 16, X4)
	LOAD(DI, 16, X10)
	BOTH(16, X4, X10)
	SHA256MSG1 X4, X3
	SHA256MSG1 X10, X9
	LOAD(SI, 32, X5)
	LOAD(DI, 32, X11)
	BOTH(32, X5, X11)
	SHA256MSG1 X5, X4
	SHA256MSG1 X11, X10
	LOAD(SI, 48, X6)
	LOAD(DI, 48, X12)
	NEXT(X6, X5, X3)
	NEXT(X12, X11, X9)
	BOTH(48, X6, X12)
	SHA256MSG1 X6, X5
	SHA256MSG1 X12, X11

	STEP(64, X3, X4, X5, X6, X9, X10, X11, X12)
	STEP(80, X4, X5, X6, X3, X10, X11, X12, X9)
	STEP(96, X5, X6, X3, X4, X11, X12, X9, X10)
	STEP(112, X6, X3, X4, X5, X12, X9, X10, X11)
	STEP(128, X3, X4, X5, X6, X9, X10, X11, X12)
	STEP(144, X4, X5, X6, X3, X10, X11, X12, X9)
	STEP(160, X5, X6, X3, X4, X11, X12, X9, X10)
	STEP(176, X6, X3, X4, X5, X12, X9, X10, X11)
	STEP(192, X3, X4, X5, X6, X9, X10, X11, X12)
	NEXT(X4, X3, X5)
	NEXT(X10, X9, X11)
	BOTH(208, X4, X10)
	NEXT(X5, X4, X6)
	NEXT(X11, X10, X12)
	BOTH(224, X5, X11)
	BOTH(240, X6, X12)

	MOVOU s-16(SP), X13
	PADDD X13, X1
	MOVOU s-32(SP), X13
	PADDD X13, X2
	MOVOU s-48(SP), X13
	PADDD X13, X7
	MOVOU s-64(SP), X13
	PADDD X13, X8
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

	PSHUFD  $0x1b, X1, X1
	PSHUFD  $0xb1, X2, X2
	MOVO    X1, X13
	PBLENDW $0xf0, X2, X1
	PALIGNR $8, X13, X2
	MOVOU   X1, (R8)
	MOVOU   X2, 16(R8)
	PSHUFD  $0x1b, X7, X7
	PSHUFD  $0xb1, X8, X8
	MOVO    X7, X13
	PBLENDW $0xf0, X8, X7
	PALIGNR $8, X13, X8
	MOVOU   X7, (R9)
	MOVOU   X8, 16(R9)
	RET

DATA flip<>+0(SB)/8, $0x0405060700010203
DATA flip<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL flip<>(SB), RODATA|NOPTR, $16

// The constants of FIPS 180-4, section 4.2.2.
DATA k256<>+0(SB)/8, $0x71374491428a2f98
DATA k256<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA k256<>+16(SB)/8, $0x59f111f13956c25b
DATA k256<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA k256<>+32(SB)/8, $0x12835b01d807aa98
DATA k256<>+40(SB)/8, $0x550c7dc3243185be
DATA k256<>+48(SB)/8, $0x80deb1fe72be5d74
DATA k256<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA k256<>+64(SB)/8, $0xefbe4786e49b69c1
DATA k256<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA k256<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA k256<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA k256<>+96(SB)/8, $0xa831c66d983e5152
DATA k256<>+104(SB)/8, $0xbf597fc7b00327c8
DATA k256<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA k256<>+120(SB)/8, $0x1429296706ca6351
DATA k256<>+128(SB)/8, $0x2e1b213827b70a85
DATA k256<>+136(SB)/8, $0x53380d134d2c6dfc
DATA k256<>+144(SB)/8, $0x766a0abb650a7354
DATA k256<>+152(SB)/8, $0x92722c8581c2c92e
DATA k256<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA k256<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA k256<>+176(SB)/8, $0xd6990624d192e819
DATA k256<>+184(SB)/8, $0x106aa070f40e3585
DATA k256<>+192(SB)/8, $0x1e376c0819a4c116
DATA k256<>+200(SB)/8, $0x34b0bcb52748774c
DATA k256<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA k256<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA k256<>+224(SB)/8, $0x78a5636f748f82ee
DATA k256<>+232(SB)/8, $0x8cc7020884c87814
DATA k256<>+240(SB)/8, $0xa4506ceb90befffa
DATA k256<>+248(SB)/8, $0xc67178f2bef9a3f7
GLOBL k256<>(SB), RODATA|NOPTR, $256
