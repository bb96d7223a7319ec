// SPDX-License-Identifier: GPL-2.0-or-later
// Goroutines, channels, garbage.
package main

import (
	"fmt"
	"sort"
	"sync"
)

func main() {
	parts := make(chan int, 16)
	var all sync.WaitGroup
	for w := 0; w < 10; w++ {
		all.Add(1)
		go func(w int) {
			defer all.Done()
			s := 0
			for i := w*10000 + 1; i <= (w+1)*10000; i++ {
				b := make([]int, 8)
				b[i%8] = i
				s += b[i%8]
			}
			parts <- s
		}(w)
	}
	all.Wait()
	close(parts)
	sum := 0
	for s := range parts {
		sum += s
	}
	fmt.Println(sum)
	l := []int{5, 3, 1, 4, 2}
	sort.Ints(l)
	fmt.Println(l)
}
