# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of accel/, with paths from the top of the tree.
