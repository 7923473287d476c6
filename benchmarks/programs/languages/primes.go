package main

import "fmt"

func main() {
	var most, count uint64
	if _, err := fmt.Scan(&most); err != nil {
		panic(err)
	}
	composite := make([]byte, most+1)
	for n := uint64(2); n < most; n++ {
		if composite[n] != 0 {
			continue
		}
		count++
		for m := n * n; m < most; m += n {
			composite[m] = 1
		}
	}
	fmt.Println(count)
}
