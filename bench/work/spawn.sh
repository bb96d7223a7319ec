# SPDX-License-Identifier: GPL-2.0-or-later
# Shell: forks and program starts.
i=0
while [ $i -lt $1 ]; do
    /bin/true || exit 1
    i=$((i + 1))
done
echo $i
