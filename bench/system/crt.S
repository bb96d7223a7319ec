/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start of a bare-metal A64 program on the machine virt: down to EL1, FP on, vectors, the MMU with
 * tables from runtime.c, then main(). Exceptions go to bare_exception() with a frame of registers.
 */
    .section .text.start, "ax"
    .global _start
_start:
    mov     x19, x0
    mrs     x0, CurrentEL
    cmp     x0, #(2 << 2)
    b.ne    1f
    mov     x0, #(1 << 31)          /* HCR_EL2.RW */
    msr     hcr_el2, x0
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    mov     x0, #3
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mov     x0, #0x3c5
    msr     spsr_el2, x0
    adr     x0, 1f
    msr     elr_el2, x0
    eret
1:  mov     x0, #(3 << 20)          /* CPACR_EL1.FPEN */
    msr     cpacr_el1, x0
    ldr     x0, =bare_vectors
    msr     vbar_el1, x0
    isb
    ldr     x0, =__stack_top
    mov     sp, x0
    ldr     x1, =__bss_start
    ldr     x2, =__stack_top
    sub     x2, x2, #0x100000
2:  cmp     x1, x2
    b.hs    3f
    stp     xzr, xzr, [x1], #16
    b       2b
3:  bl      bare_tables             /* x0: TTBR0 */
    msr     ttbr0_el1, x0
    ldr     x0, =0xff44             /* MAIR: 0 normal non-cacheable, 1 normal write-back; 2 device */
    msr     mair_el1, x0
    ldr     x0, =0x200803519        /* TCR: T0SZ 25, write-back, inner shareable, EPD1, IPS 40 bits */
    msr     tcr_el1, x0
    isb
    tlbi    vmalle1
    dsb     nsh
    mrs     x0, sctlr_el1
    ldr     x1, =0x1005             /* I, C, M */
    orr     x0, x0, x1
    msr     sctlr_el1, x0
    isb
    mov     x0, #1
    ldr     x1, =bare_argv
    bl      main
    bl      bare_exit

    .balign 2048
    .global bare_vectors
bare_vectors:
    .rept   16
    .balign 128
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    stp     x29, x30, [sp, #232]
    bl      save_and_go
    .endr

save_and_go:                        /* x30 says which vector */
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    str     x28, [sp, #224]
    ldr     x0, =bare_vectors
    sub     x1, x30, x0
    lsr     x1, x1, #7
    mov     x0, sp
    mrs     x2, elr_el1
    str     x2, [sp, #248]
    mrs     x2, spsr_el1
    str     x2, [sp, #256]
    bl      bare_exception
    ldr     x2, [sp, #248]
    msr     elr_el1, x2
    ldr     x2, [sp, #256]
    msr     spsr_el1, x2
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldr     x28, [sp, #224]
    ldp     x29, x30, [sp, #232]
    ldp     x0, x1, [sp]
    add     sp, sp, #272
    eret
