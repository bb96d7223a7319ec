# SPDX-License-Identifier: GPL-2.0-or-later
libui_a_SOURCES += ui/private.h ui/pixels.h ui/pixels.c ui/screendump.c ui/ui.c ui/starts.h ui/message.h ui/message.c \
	ui/vnc.c
if HAVE_PNG
libui_a_SOURCES += ui/png.c
else
libui_a_SOURCES += ui/png_none.c
endif
if HAVE_SDL2
libui_a_SOURCES += ui/sdl_private.h ui/sdl.c ui/sdl_input.c ui/sdl_keys.c
else
libui_a_SOURCES += ui/sdl_none.c
endif
