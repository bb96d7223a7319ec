/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's vdso (arm64). Names and versions: vdso(7). user/vdso/make.sh turns this into
 * vdso-image.c; the two are compared by a test where the cross compiler is installed.
 *
 * The clock functions use SVC immediates of our own, which the run loop serves without a system
 * call; the immediates mean nothing outside this image.
 */
    .text
    .macro function name
    .globl \name
    .type \name, %function
    .balign 16
\name:
    .endm
    .macro endf name
    .size \name, . - \name
    .endm

    .cfi_sections .eh_frame

/* A signal handler returns here; the unwinder knows it by these two instructions. */
    .balign 16
    nop
function __kernel_rt_sigreturn
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa x29, 0
    .cfi_offset x29, 0
    .cfi_offset x30, 8
    mov     x8, #139
    svc     #0
    .cfi_endproc
endf __kernel_rt_sigreturn

function __kernel_clock_gettime
    .cfi_startproc
    svc     #0x6e01
    ret
    .cfi_endproc
endf __kernel_clock_gettime

function __kernel_gettimeofday
    .cfi_startproc
    svc     #0x6e02
    ret
    .cfi_endproc
endf __kernel_gettimeofday

function __kernel_clock_getres
    .cfi_startproc
    svc     #0x6e03
    ret
    .cfi_endproc
endf __kernel_clock_getres

    .section .note.GNU-stack,"",@progbits
