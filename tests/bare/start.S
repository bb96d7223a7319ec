/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry, vectors and the accesses that may fault of the bare-metal tests. Runs at EL1 or EL2,
 * first at physical addresses, then through TTBR1 at OFFSET above them.
 *
 * x0 of run_* is the address; what an exception saw is in `seen` (see torture.h).
 */
.macro address reg, label
    adrp \reg, \label
    add \reg, \reg, :lo12:\label
.endm

.section .text.start, "ax"
.global _start
_start:
    msr daifset, #15
    address x0, stack_top
    mov sp, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    isb
    bl main
halt:
    mrs x1, CurrentEL
    movz x0, #0x8400, lsl #16
    movk x0, #8
    cmp x1, #8
    b.eq 1f
    hvc #0
1:  smc #0
2:  wfi
    b 2b

/* Every vector: save what is needed, record, skip or go on at x30. */
.macro vector which
    .balign 128
    stp x0, x1, [sp, #-32]!
    str x2, [sp, #16]
    mov x2, #\which
    b common
.endm

    .balign 2048
.global vectors
vectors:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector \n
    .endr

common:
    address x0, seen
    str x2, [x0, #32]
    mrs x1, CurrentEL
    cmp x1, #8
    b.eq 2f
    mrs x1, esr_el1
    str x1, [x0]
    mrs x1, far_el1
    str x1, [x0, #8]
    mrs x1, spsr_el1
    str x1, [x0, #24]
    mrs x1, elr_el1
    b 3f
2:  mrs x1, esr_el2
    str x1, [x0]
    mrs x1, far_el2
    str x1, [x0, #8]
    mrs x1, spsr_el2
    str x1, [x0, #24]
    mrs x1, hpfar_el2
    str x1, [x0, #40]
    mrs x1, elr_el2
3:  str x1, [x0, #16]
    ldr x2, [x0, #48]           /* seen.resume: where to go on; 0: behind the instruction */
    cbz x2, 4f
    mov x1, x2
    b 5f
4:  add x1, x1, #4
5:  mrs x2, CurrentEL
    cmp x2, #8
    b.eq 6f
    msr elr_el1, x1
    mrs x1, spsr_el1
    bic x1, x1, #0xf            /* back to EL1h, whatever it came from */
    mov x0, #5
    orr x1, x1, x0
    bic x1, x1, #(1 << 20)
    msr spsr_el1, x1
    b 7f
6:  msr elr_el2, x1
    mrs x1, spsr_el2
    bic x1, x1, #0xf
    mov x0, #9
    orr x1, x1, x0
    bic x1, x1, #(1 << 20)
    msr spsr_el2, x1
7:  ldr x2, [sp, #16]
    ldp x0, x1, [sp], #32
    eret

/* uint64_t run_op(uint64_t va, uint64_t value, op): one access, result in x0. */
.macro op name, insn:vararg
.global \name
\name:
    \insn
    ret
.endm
op op_ldr, ldr x0, [x0]
op op_ldrb, ldrb w0, [x0]
op op_str, str x1, [x0]
op op_strb, strb w1, [x0]
op op_ldtr, ldtr x0, [x0]
op op_sttr, sttr x1, [x0]
op op_ldp, ldp x0, x1, [x0]
op op_ldar, ldar x0, [x0]
op op_ldxr, ldxr x0, [x0]
op op_dc_cvac, dc cvac, x0
op op_dc_zva, dc zva, x0
op op_ldrq, ldr q0, [x0]
.arch armv8.4-a
op op_ldadd, ldadd x1, x0, [x0]
op op_cas, cas x1, x1, [x0]
op op_at_s1e1r, at s1e1r, x0
op op_at_s1e1w, at s1e1w, x0
op op_at_s1e0r, at s1e0r, x0
op op_at_s1e0w, at s1e0w, x0
op op_at_s1e1rp, at s1e1rp, x0
op op_at_s1e1wp, at s1e1wp, x0
op op_at_s12e1r, at s12e1r, x0
op op_at_s12e1w, at s12e1w, x0
op op_at_s12e0r, at s12e0r, x0
op op_at_s12e0w, at s12e0w, x0

/* Executes at x0 (a RET is there); an abort comes back by seen.resume. */
.global op_exec
op_exec:
    stp x29, x30, [sp, #-16]!
    adr x1, 1f
    address x2, seen
    str x1, [x2, #48]
    blr x0
1:  address x2, seen
    str xzr, [x2, #48]
    ldp x29, x30, [sp], #16
    ret

/* The same at EL0: the RET there goes to address 4 - never mapped: an abort at 4 says it ran. */
.global op_exec0
op_exec0:
    stp x29, x30, [sp, #-16]!
    adr x1, 1f
    address x2, seen
    str x1, [x2, #48]
    mov x1, sp
    msr sp_el0, x1
    msr elr_el1, x0
    mov x1, #0x3c0
    msr spsr_el1, x1
    mov x30, #4
    eret
1:  address x2, seen
    str xzr, [x2, #48]
    ldp x29, x30, [sp], #16
    ret

/*
 * At EL1, from EL2: op(x0, x1) with stage 2 on, back by HVC #0, or with what was taken to EL2. What
 * EL1 itself takes comes back as HVC #1.
 */
.global op_el1
op_el1:
    stp x29, x30, [sp, #-16]!
    stp x27, x28, [sp, #-16]!
    adr x3, 1f
    address x4, seen
    str x3, [x4, #48]
    adr x3, 2f
    msr elr_el2, x3
    mov x3, #0x3c5
    msr spsr_el2, x3
    mov x29, sp
    eret
2:  blr x2
    hvc #0
1:  address x4, seen
    str xzr, [x4, #48]
    ldp x27, x28, [sp], #16
    ldp x29, x30, [sp], #16
    ret

    .balign 2048
.global vectors_el1
vectors_el1:
    .rept 16
    .balign 128
    hvc #1
    .endr

/* Reads the system register that the word at `patch` names. */
.global op_patch
op_patch:
    mov x0, #0
.global patch
patch:
    nop
    ret

.data
    .balign 16
.global seen
seen:
    .skip 64

.bss
    .balign 16
    .skip 65536
stack_top:
