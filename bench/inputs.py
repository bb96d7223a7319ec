# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes what the programs of bench/programs work on; the same bytes everywhere."""
import math
import random
import shutil
import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def text(path, size):
    """Words with the frequencies of a language, so that compressors have something to find."""
    r = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    words = ["".join(r.choice(letters[:6 + i % 20]) for _ in range(2 + i % 9)) for i in range(4000)]
    weights = [1 / (i + 1) for i in range(len(words))]
    picked = r.choices(words, weights, k=size // 5)
    lines = [" ".join(picked[i:i + 12]) for i in range(0, len(picked), 12)]
    path.write_text(("\n".join(lines) + "\n")[:size])


def wave(path, seconds):
    """Stereo, 44.1 kHz, 16 bits: chords, decay and noise."""
    r = random.Random(2)
    rate, frames = 44100, bytearray()
    for i in range(rate * seconds):
        t, note = i / rate, i // (rate // 4)
        f = 110 * 2 ** ((note * 7 % 24) / 12)
        decay = math.exp(-6 * ((i % (rate // 4)) / rate))
        left = int(9000 * decay * math.sin(2 * math.pi * f * t)) + r.randrange(-60, 60)
        right = int(9000 * decay * math.sin(2 * math.pi * f * 1.5 * t)) + r.randrange(-60, 60)
        frames += struct.pack("<hh", left, right)
    head = b"RIFF" + struct.pack("<I", 36 + len(frames)) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 2, rate, rate * 4, 4, 16) + b"data" + struct.pack("<I", len(frames))
    path.write_bytes(head + frames)


def c_unit(path, functions):
    """One translation unit: structures, loops, switches, floating point, calls."""
    r = random.Random(3)
    out = ["struct node { struct node *next; int key; double w; unsigned char tag[16]; };"]
    for i in range(functions):
        a, b, c = r.randrange(1, 99), r.randrange(1, 31), r.randrange(2, 17)
        callee = r.randrange(i) if i else None
        call = f"f{callee}(p, n - {c}, k + {a})" if callee is not None else "k"
        cases = "\n".join(f"    case {j}: acc {r.choice(['+=', '^=', '-='])} (k << {j}) "
                          f"{r.choice('+^|&')} {r.randrange(999)}; break;" for j in range(c))
        out.append(f"""
long f{i}(struct node *p, int n, long k)
{{
    long acc = {a};
    double sum = {b}.5;
    unsigned buf[{8 + c}];
    for (int i = 0; i < {8 + c}; i++)
        buf[i] = (unsigned)(i * {a} + k) >> {b % 7};
    for (struct node *q = p; q; q = q->next) {{
        sum += q->w * {a} / (q->key + {c});
        for (int i = 0; i < 16; i++)
            acc = acc * 33 + (q->tag[i] ^ buf[i % {c}]);
        if (q->key > n && q->w < {b})
            break;
    }}
    switch ((acc ^ n) % {c + 2}) {{
{cases}
    default: acc += n > 0 ? {call} : (long)sum;
    }}
    return acc + (long)(sum * {c});
}}""")
    path.write_text("\n".join(out) + "\n")


def packages(folder, count):
    """Debian packages with files and scripts."""
    folder.mkdir()
    r = random.Random(4)
    for n in range(count):
        tree = folder / f"tree{n}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: bench{n}\nVersion: 1.0\nArchitecture: all\n"
            "Maintainer: none <none@localhost>\nDescription: measured\n")
        script = tree / "DEBIAN/postinst"
        script.write_text("#!/bin/sh\nset -e\n[ \"$1\" = configure ]\ntrue\n")
        script.chmod(0o755)
        for i in range(40):
            f = tree / f"usr/share/bench{n}/d{i % 5}/file{i}"
            f.parent.mkdir(parents=True, exist_ok=True)
            f.write_bytes(bytes(r.choices(range(32, 96), k=3000)))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, folder / f"bench{n}.deb"],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)


def build(source, path, cc):
    subprocess.run([cc, "-O2", "-static", str(HERE / source), "-o", str(path)], check=True)


def make(work, cc, guest_cc):
    """Fills the folder `work`, unless it is full."""
    if (work / "complete").exists():
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for f in (HERE / "work").iterdir():
        shutil.copy(f, work)
    build("measure.c", work / "measure", cc)
    build("work/hello.c", work / "hello.native", cc)
    build("work/hello.c", work / "hello.guest", guest_cc)
    text(work / "text", 6 << 20)
    (work / "text.small").write_bytes((work / "text").read_bytes()[:3 << 19])
    wave(work / "wave.wav", 60)
    c_unit(work / "unit.c", 90)
    packages(work / "debs", 20)
    (work / "pi.bc").write_text("scale=1600\n4*a(1)\n")
    for side in ("native", "guest"):
        (work / f"configure.{side}").mkdir()
        shutil.copy(work / "configure.ac", work / f"configure.{side}")
        subprocess.run(["autoreconf", "-fi"], cwd=work / f"configure.{side}", check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not (work / f"configure.{side}/configure").exists():
            subprocess.run(["autoconf"], cwd=work / f"configure.{side}", check=True)
            subprocess.run(["autoheader"], cwd=work / f"configure.{side}", check=True)
    (work / "complete").touch()
