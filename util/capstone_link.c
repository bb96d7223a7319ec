/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capstone linked in, for static programs. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_CAPSTONE
#include "util/capstone.h"

bool capstone_load(Capstone *c)
{
    *c = (Capstone){.open = cs_open, .close = cs_close, .disasm = cs_disasm, .free = cs_free};
    return true;
}

void capstone_unload(Capstone *c)
{
    (void)c;
}
#else
typedef int Empty; /* a file is not empty */
#endif
