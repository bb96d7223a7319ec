/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start of the demo guest: the header of an arm64 Linux Image (Documentation/arch/arm64/booting), so
 * that -kernel loads it like Linux, then a stack, zeroed .bss and main(x0 = device tree).
 */
    .section .head, "ax"
    .globl _start
_start:
    b       1f                  /* code0 */
    .long   0                   /* code1 */
    .quad   0                   /* text_offset */
    .quad   __image_bytes       /* image_size, .bss and stack included */
    .quad   0xa                 /* flags: little-endian, 4 KiB pages, anywhere in memory */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0
1:  adrp    x1, __stack_top
    add     x1, x1, :lo12:__stack_top
    mov     sp, x1
    adrp    x1, __bss_start
    add     x1, x1, :lo12:__bss_start
    adrp    x2, __bss_end
    add     x2, x2, :lo12:__bss_end
2:  cmp     x1, x2
    b.hs    3f
    str     xzr, [x1], #8
    b       2b
3:  mrs     x1, CurrentEL
    bl      main
4:  wfi
    b       4b

/* uint64_t psci(uint64_t function, bool by_smc) */
    .text
    .globl psci
psci:
    cbnz    x1, 1f
    hvc     #0
    ret
1:  smc     #0
    ret
