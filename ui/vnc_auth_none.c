/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC authentication in a build without nettle: a server with a password cannot be started. */
#include <string.h>

#include "ui/vnc_private.h"

bool vnc_auth_possible(void)
{
    return false;
}

void vnc_auth_answer(const char password[VNC_PASSWORD_BYTES],
                     const uint8_t challenge[VNC_CHALLENGE_BYTES],
                     uint8_t answer[VNC_CHALLENGE_BYTES])
{
    (void)password, (void)challenge;
    memset(answer, 0, VNC_CHALLENGE_BYTES);
}
