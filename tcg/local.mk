# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of tcg/, with paths from the top of the tree.
