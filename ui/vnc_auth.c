/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC authentication (RFC 6143, section 7.2.2): DES by the password, whose bits come mirrored. */
#include <nettle/des.h>

#include "ui/vnc_private.h"

static uint8_t mirrored(uint8_t v)
{
    uint8_t out = 0;

    for (unsigned i = 0; i < 8; i++) {
        out = (uint8_t)(out | (v >> i & 1) << (7 - i));
    }
    return out;
}

bool vnc_auth_possible(void)
{
    return true;
}

void vnc_auth_answer(const char password[VNC_PASSWORD_BYTES],
                     const uint8_t challenge[VNC_CHALLENGE_BYTES],
                     uint8_t answer[VNC_CHALLENGE_BYTES])
{
    struct des_ctx des;
    uint8_t key[VNC_PASSWORD_BYTES];

    for (unsigned i = 0; i < VNC_PASSWORD_BYTES; i++) {
        key[i] = mirrored((uint8_t)password[i]);
    }
    des_set_key(&des, key);
    des_encrypt(&des, VNC_CHALLENGE_BYTES, answer, challenge);
}
