// SPDX-License-Identifier: GPL-2.0-or-later
// Hot loops for HotSpot's compilers, garbage, implicit null checks (SIGSEGV), stack overflow,
// threads; the answers are well known.
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

public class Hot {
    static int primes(int n) {
        boolean[] composite = new boolean[n + 1];
        int count = 0;
        for (int i = 2; i < n; i++) {
            if (!composite[i]) {
                count++;
                for (int j = i * 2; j <= n; j += i) {
                    composite[j] = true;
                }
            }
        }
        return count;
    }

    static int fib(int n) {
        return n < 2 ? n : fib(n - 1) + fib(n - 2);
    }

    static int strings() {
        Map<String, Integer> m = new HashMap<>();
        int chars = 0;
        for (int i = 0; i < 100000; i++) {
            String s = "k" + i;
            m.put(s, i);
            chars += s.length();
        }
        for (int i = 0; i < 100000; i += 1000) {
            chars += m.get("k" + i) == i ? 0 : 1;
        }
        return chars - 1 + 6;
    }

    static int depth(int n) {
        return depth(n + 1) + 1;
    }

    static String faults() {
        int npe = 0, bounds = 0;
        for (int i = 0; i < 20000; i++) {
            int[] a = i % 100 == 0 ? null : new int[i % 50];
            try {
                a[40] = i;
            } catch (NullPointerException e) {
                npe++;
            } catch (ArrayIndexOutOfBoundsException e) {
                bounds++;
            }
        }
        return (npe == 200 ? "npe" : "npe " + npe) + " " +
            (bounds == 16400 - 200 ? "aioobe" : "aioobe " + bounds);
    }

    public static void main(String[] args) throws Exception {
        System.out.println(primes(200000));
        System.out.println(fib(27));
        System.out.println(IntStream.range(0, 10000).parallel().mapToLong(i -> (long) i * i).sum());
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(pool.submit((Callable<Integer>) () -> primes(200000)));
        }
        int sum = 0;
        for (Future<Integer> f : all) {
            sum += f.get();
        }
        pool.shutdown();
        System.out.println("threads " + sum);
        System.out.println("strings " + strings());
        System.out.println(faults());
        try {
            System.out.println(depth(0));
        } catch (StackOverflowError e) {
            System.out.println("soe");
        }
        byte[][] keep = new byte[16][];
        for (int i = 0; i < 2000; i++) {
            keep[i % 16] = new byte[1 << 20];
        }
        System.gc();
        System.out.println("gc ok");
    }
}
