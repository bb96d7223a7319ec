# SPDX-License-Identifier: GPL-2.0-or-later
set -e
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a \
    GIT_COMMITTER_EMAIL=a@b
rm -rf /tmp/repo
git init -q -b main /tmp/repo
cd /tmp/repo
echo hello >file
git add file
git hash-object file
git commit -q -m one
echo world >>file
git commit -q -a -m two
git repack -q -a -d
git fsck --strict >/dev/null 2>&1
git clone -q /tmp/repo /tmp/repo2
cd /tmp/repo2
echo "$(git rev-list --count HEAD) commits"
[ -z "$(git status --porcelain)" ] && echo clean
git diff HEAD~1 | grep '^+w'
