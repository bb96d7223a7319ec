# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
tap_scripts += tests/emu/test-man.sh
endif
