/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of a guest: runs under KVM inside a Linux that we emulate. X0: 2 or 3, its GIC. Ten ticks
 * of the virtual timer (T), one SGI to itself (I), then power off by PSCI; X, Y: wrong exception.
 * Characters go to 0x09000000, which its VMM sees as MMIO exits.
 */
    .text
    .globl _start
_start:
    mov x19, x0
    adr x1, vectors
    msr vbar_el1, x1
    ldr x20, =0x09000000
    mov w1, 'S'
    str w1, [x20]
    ldr x21, =0x08000000
    cmp x19, #3
    b.eq v3

    mov w1, #1
    str w1, [x21]
    mov w1, #(1<<27)
    orr w1, w1, #2
    str w1, [x21, #0x100]
    ldr x22, =0x08010000
    mov w1, #0xf0
    str w1, [x22, #4]
    mov w1, #1
    str w1, [x22]
    b common
v3:
    mov w1, #0x12
    str w1, [x21]
    ldr x23, =0x080a0000
    str wzr, [x23, #0x14]
    add x24, x23, #0x10000
    mov w1, #-1
    str w1, [x24, #0x80]
    mov w1, #(1<<27)
    orr w1, w1, #2
    str w1, [x24, #0x100]
    mov x1, #0xf0
    msr S3_0_C4_C6_0, x1
    mov x1, #1
    msr S3_0_C12_C12_7, x1
    isb
common:
    mov x25, #0
    mrs x1, cntfrq_el0
    lsr x26, x1, #7
    msr cntv_tval_el0, x26
    mov x1, #1
    msr cntv_ctl_el0, x1
    msr daifclr, #2
1:  wfi
    cmp x25, #10
    b.lt 1b

    cmp x19, #3
    b.eq 2f
    mov w1, #1
    orr w1, w1, #(1<<25)
    str w1, [x21, #0xf00]
    b 3f
2:  mov x1, #1
    orr x1, x1, #(1<<24)
    msr S3_0_C12_C11_5, x1
3:  isb
    mov x2, #0x1000000
4:  cmp x27, #1
    b.eq 5f
    subs x2, x2, #1
    b.ne 4b
5:  mov w1, 'E'
    str w1, [x20]
    ldr x0, =0x84000008
    hvc #0
    b .
    .balign 2048
vectors:
    .rept 5
    mov w1, 'X'
    str w1, [x20]
    b .
    .balign 128
    .endr
irq:
    cmp x19, #3
    b.eq 1f
    ldr w10, [x22, #0xc]
    b 2f
1:  mrs x10, S3_0_C12_C12_0
2:  and w11, w10, #0x3ff
    cmp w11, #27
    b.ne 3f
    msr cntv_tval_el0, x26
    add x25, x25, #1
    mov w1, 'T'
    str w1, [x20]
    b 4f
3:  mov w1, 'I'
    str w1, [x20]
    mov x27, #1
4:  cmp x19, #3
    b.eq 5f
    str w10, [x22, #0x10]
    eret
5:  msr S3_0_C12_C12_1, x10
    eret
    .balign 128
    .rept 10
    mov w1, 'Y'
    str w1, [x20]
    b .
    .balign 128
    .endr
    .ltorg
