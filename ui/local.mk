# SPDX-License-Identifier: GPL-2.0-or-later
libui_a_SOURCES += ui/private.h ui/pixels.h ui/pixels.c ui/screendump.c ui/ui.c ui/vnc.c
if HAVE_PNG
libui_a_SOURCES += ui/png.c
else
libui_a_SOURCES += ui/png_none.c
endif
