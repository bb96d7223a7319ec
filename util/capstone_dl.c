/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capstone from its shared library, which stays: opening it again costs little. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_CAPSTONE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "util/capstone.h"

static bool function(void *handle, const char *name, void *out, size_t out_bytes)
{
    void *p = dlsym(handle, name);
    memcpy(out, &p, out_bytes);
    return p != NULL;
}

bool capstone_load(Capstone *c)
{
    char name[40];
    snprintf(name, sizeof name, "libcapstone.so.%d", CS_API_MAJOR);
    c->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!c->handle) {
        return false;
    }
    if (function(c->handle, "cs_open", &c->open, sizeof c->open) &&
        function(c->handle, "cs_close", &c->close, sizeof c->close) &&
        function(c->handle, "cs_disasm", &c->disasm, sizeof c->disasm) &&
        function(c->handle, "cs_free", &c->free, sizeof c->free)) {
        return true;
    }
    dlclose(c->handle);
    return false;
}

void capstone_unload(Capstone *c)
{
    dlclose(c->handle);
}
#else
typedef int Empty; /* a file is not empty */
#endif
