# SPDX-License-Identifier: GPL-2.0-or-later
libnet_a_SOURCES +=
libnet_a_SOURCES += net/net.c net/kinds.h net/wire.c net/wire.h net/tap.c net/sockets.c net/hub.c \
	net/dump.c
if HAVE_SLIRP
libnet_a_SOURCES += slirp-glue/user.c slirp-glue/forward.c slirp-glue/forward.h
libnet_a_CPPFLAGS = $(AM_CPPFLAGS) $(SLIRP_CFLAGS)
SYSTEM_EXTRA_LIBS += $(SLIRP_LIBS)
endif
