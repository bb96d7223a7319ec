/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware breakpoints and watchpoints on EL0 code. Each debug exception prints where, ESR and, for
 * a watchpoint, FAR; then the debug point is turned off until the next section.
 */
.global _start
_start:
  adr x0, vec
  msr vbar_el1, x0
  adrp x0, stack
  add x0, x0, :lo12:stack
  mov sp, x0
  msr oslar_el1, xzr
  mov x0, #(1 << 15)
  msr mdscr_el1, x0
  adr x0, user1
  msr dbgbvr2_el1, x0
  mov x0, #0x1e5              /* EL0, all bytes, enabled */
  msr dbgbcr2_el1, x0
  adrp x19, data
  add x19, x19, :lo12:data
  add x0, x19, #64
  msr dbgwvr1_el1, x0
  movz x0, #0x1e1d            /* BAS 0xf0: bytes 4 to 7, loads and stores, EL0 */
  msr dbgwcr1_el1, x0
  isb
  ldr x29, =0x09000000
  adr x0, user
  msr elr_el1, x0
  mov x0, #0x1c0              /* D clear */
  msr spsr_el1, x0
  eret
user:
  mov x1, #0
user1:
  add x1, x1, #1
  cmp x1, #3
  b.ne user1
  ldr x2, [x19]
  ldr x2, [x19, #56]
  ldr x2, [x19, #64]          /* hit */
  ldrb w2, [x19, #64]         /* off now */
  svc #3                      /* watchpoint on again, stores only */
  ldr x2, [x19, #64]
  ldrb w2, [x19, #68]
  strb w2, [x19, #63]
  strb w2, [x19, #67]
  strb w2, [x19, #69]         /* hit */
  svc #4                      /* 64 bytes at x19 by MASK */
  str x2, [x19, #64]
  ldp x2, x3, [x19, #48]      /* hit */
  svc #2
.balign 2048
vec:
 .rept 8
 .balign 128
 b .
 .endr
 .balign 128
   b handler
.balign 2048
handler:
   mrs x20, esr_el1
   mrs x21, elr_el1
   adr x23, user
   sub x23, x21, x23
   bl hex
   mov x23, x20
   bl hex
   lsr x24, x20, #26
   cmp x24, #0x34
   b.ne 1f
   mrs x23, far_el1
   adrp x26, data
   add x26, x26, :lo12:data
   sub x23, x23, x26
   bl hex
   msr dbgwcr1_el1, xzr
1: mov w4, #10
   str w4, [x29]
   cmp x24, #0x30
   b.ne 2f
   msr dbgbcr2_el1, xzr
2: and x25, x20, #0xffff
   cmp x24, #0x15
   b.ne 9f
   cmp x25, #2
   b.eq off
   cmp x25, #3
   b.ne 3f
   movz x0, #0x1e15
   msr dbgwcr1_el1, x0
   b 9f
3: adrp x0, data
   add x0, x0, :lo12:data
   msr dbgwvr1_el1, x0
   movz x0, #0x1ffd
   movk x0, #0x0600, lsl #16
   msr dbgwcr1_el1, x0
9: isb
   eret
off: ldr w0, =0x84000008
  hvc #0
hex: mov x28, #28
2: lsr x26, x23, x28
  and x26, x26, #15
  cmp x26, #10
  add x27, x26, #'0'
  add x26, x26, #('a'-10)
  csel x27, x27, x26, lo
  str w27, [x29]
  subs x28, x28, #4
  b.ge 2b
  mov w27, #32
  str w27, [x29]
  ret
.ltorg
.data
.balign 4096
data: .skip 128
.balign 16
.skip 256
stack:
