// SPDX-License-Identifier: GPL-2.0-or-later
// Hot loops for V8's compilers, garbage, exceptions, worker threads; the answers are well known.
'use strict';
const { Worker, isMainThread, parentPort } = require('worker_threads');

function primes(n) {
    const composite = new Uint8Array(n + 1);
    let count = 0;
    for (let i = 2; i < n; i++) {
        if (!composite[i]) {
            count++;
            for (let j = i * 2; j <= n; j += i) {
                composite[j] = 1;
            }
        }
    }
    return count;
}

function fib(n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

function factorial(n) {
    return n === 0n ? 1n : n * factorial(n - 1n);
}

function garbage(n) {
    let list = null, alive = 0;
    for (let i = 0; i < n; i++) {
        list = { next: i % 1000 ? list : null, name: 'n' + i, numbers: [i, i + 0.5] };
        try {
            if (i % 4 === 0) {
                throw new Error(list.name);
            }
        } catch (e) {
            alive += e.message === 'n' + i ? 1 : 0;
        }
    }
    return alive;
}

function report(workers) {
    console.log(primes(200000));
    console.log(fib(27));
    console.log([factorial(10n), factorial(20n)].join(','));
    console.log(require('crypto').createHash('sha256').update('abc').digest('hex').slice(0, 16));
    console.log(JSON.stringify(JSON.parse('[1, 2.0, "3", {"a": null}]')));
    console.log('workers ' + workers);
    console.log(garbage(300100));
}

if (isMainThread) {
    let sum = 0, done = 0;
    for (let i = 0; i < 4; i++) {
        new Worker(__filename).on('message', (v) => {
            sum += v;
            if (++done === 4) {
                report(sum);
            }
        });
    }
} else {
    parentPort.postMessage(primes(200000));
}
