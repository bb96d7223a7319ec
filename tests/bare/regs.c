/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system registers there are: every MRS of op0 2 and 3 at the level the program starts at.
 * Prints the encodings that do not raise, with the value, and those that raise another exception
 * than UNDEFINED.
 */
#include "torture.h"

extern uint32_t patch[];
uint64_t op_patch(void);

int main(void)
{
    MSR("vbar_el1", (uint64_t)vectors);
    if (MRS("CurrentEL") == 8) {
        MSR("vbar_el2", (uint64_t)vectors);
    }
    ISB();
    for (uint32_t enc = 0; enc < 0x10000; enc++) {
        uint32_t op0 = enc >> 14;
        if (op0 < 2) {
            continue;
        }
        patch[0] = 0xd5200000 | enc << 5;
        __asm__ volatile("dc cvau, %0; dsb sy; ic iallu; dsb sy; isb" ::"r"(patch) : "memory");
        seen.esr = seen.vector = 0;
        uint64_t v = op_patch();
        if (seen.vector && seen.esr == 0x2000000) {
            continue;
        }
        put_text("S");
        put_hex(op0);
        put_hex(enc >> 11 & 7);
        put_hex(enc >> 7 & 15);
        put_hex(enc >> 3 & 15);
        put_hex(enc & 7);
        put_text(": ");
        put_hex(seen.esr);
        put_hex(v);
        put_char('\n');
    }
    put_text("end\n");
    return 0;
}
