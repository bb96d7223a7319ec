# SPDX-License-Identifier: GPL-2.0-or-later
set -e
cd /tmp
head -c 10000 "$OLDPWD/data" >m
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out r.key 2>/dev/null ||
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out r.key 2>/dev/null
openssl pkey -in r.key -pubout -out r.pub
openssl dgst -sha256 -sign r.key -out m.r m
openssl dgst -sha256 -verify r.pub -signature m.r m
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out e.key
openssl pkey -in e.key -pubout -out e.pub
openssl dgst -sha256 -sign e.key -out m.e m
openssl dgst -sha256 -verify e.pub -signature m.e m
openssl genpkey -algorithm ed25519 -out d.key
openssl pkey -in d.key -pubout -out d.pub
openssl pkeyutl -sign -rawin -inkey d.key -in m -out m.d
openssl pkeyutl -verify -rawin -pubin -inkey d.pub -in m -sigfile m.d
