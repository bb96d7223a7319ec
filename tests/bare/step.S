/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Software step: EL0 code of all kinds of branches, one instruction at a time by MDSCR_EL1.SS. Each
 * step prints where it stopped, ESR and SPSR.
 */
.global _start
_start:
  adr x0, vec
  msr vbar_el1, x0
  adr x0, stack
  mov sp, x0
  mov x0, #0
  msr oslar_el1, x0
  mov x0, #1
  msr mdscr_el1, x0
  isb
  adr x0, user
  msr elr_el1, x0
  mov x0, #0x3c0
  orr x0, x0, #(1<<21)
  msr spsr_el1, x0
  adr x0, ustack
  msr sp_el0, x0
  ldr x19, =0x09000000
  eret
user:
  mov x1, #3
1: sub x1, x1, #1
  cbnz x1, 1b
  bl f
  adr x2, g
  bl g
  add sp, sp, x1
  mrs x4, tpidr_el0
  adr x5, ustack
  ldxr x6, [x5]
  stxr w7, x6, [x5]
  ldr x8, [x5], #8
  isb
  svc #1
  tbz x1, #0, 2f
  nop
2: b.eq 3f
3: b 4f
  nop
4: svc #2
f: ret
g: ret
.ltorg
.balign 2048
vec:
 .rept 8
 .balign 128
 b .
 .endr
 .balign 128
   mov x18, x30
   mrs x20, esr_el1
   mrs x21, elr_el1
   mrs x22, spsr_el1
   adr x23, user
   sub x23, x21, x23
   bl hex
   mov x23, x20
   bl hex
   mov x23, x22
   bl hex
   mov w4, #10
   str w4, [x19]
   movz x24, #0x5600, lsl #16
   movk x24, #2
   cmp x20, x24
   b.eq off
   orr x22, x22, #(1<<21)
   msr spsr_el1, x22
   mov x30, x18
   eret
off: ldr w0, =0x84000008
  hvc #0
hex: mov x25, #28
2: lsr x26, x23, x25
  and x26, x26, #15
  cmp x26, #10
  add x27, x26, #'0'
  add x28, x26, #('a'-10)
  csel x27, x27, x28, lo
  str w27, [x19]
  subs x25, x25, #4
  b.ge 2b
  mov w27, #32
  str w27, [x19]
  ret
.ltorg
.data
.balign 16
.skip 256
stack:
.skip 256
ustack: .skip 64
