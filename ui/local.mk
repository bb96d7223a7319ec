# SPDX-License-Identifier: GPL-2.0-or-later
libui_a_SOURCES += ui/private.h ui/pixels.h ui/pixels.c ui/screendump.c ui/ui.c ui/starts.h ui/message.h ui/message.c \
	ui/vnc_private.h ui/vnc.c ui/vnc_protocol.c ui/vnc_update.c ui/vnc_encode.c ui/vnc_tight.c \
	ui/vnc_format.c ui/vnc_keys.c ui/vnc_web.c
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
if HAVE_NETTLE
libui_a_SOURCES += ui/vnc_auth.c
else
libui_a_SOURCES += ui/vnc_auth_none.c
endif
