/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel: the system emulator under its own names and aliases, and the front command. */
#include <string.h>

#include "config.h"
#include "emu/front.h"

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    return front_main(name ? name + 1 : argv[0], argc, argv);
}
