// SPDX-License-Identifier: BSL-1.0
// client.go <mode> ...: as client.py.
package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	mode, url := os.Args[1], "http://"+os.Args[2]+":"+os.Args[3]+"/"
	n, _ := strconv.Atoi(os.Args[4])
	limit := 60 * time.Second
	if mode == "idle" {
		limit = 2 * time.Second
	}
	ok, failed, hung := 0, 0, 0
	rand.Seed(time.Now().UnixNano())
	for i := 0; i < n; i++ {
		transport := &http.Transport{DisableKeepAlives: mode == "close"}
		client := http.Client{Transport: transport, Timeout: limit}
		send := func(method string, size int) (int, error) {
			var body io.Reader
			if size > 0 {
				body = bytes.NewReader(make([]byte, size))
			}
			request, err := http.NewRequest(method, url, body)
			if err != nil {
				return 0, err
			}
			reply, err := client.Do(request)
			if err != nil {
				return 0, err
			}
			defer reply.Body.Close()
			_, err = io.ReadAll(reply.Body)
			return reply.StatusCode, err
		}
		var status, expected int
		var err error
		switch mode {
		case "idle":
			size := 0
			if os.Args[5] == "POST" {
				size = 1
			}
			low, _ := strconv.ParseFloat(os.Args[6], 64)
			high, _ := strconv.ParseFloat(os.Args[7], 64)
			if status, err = send(os.Args[5], size); err != nil || status != 200 {
				continue
			}
			time.Sleep(time.Duration((low + rand.Float64()*(high-low)) * float64(time.Second)))
			expected = 200
			status, err = send(os.Args[5], size)
		case "upload":
			size, _ := strconv.Atoi(os.Args[5])
			expected = 413
			status, err = send("POST", size)
		default:
			expected = 200
			status, err = send("GET", 0)
		}
		if late, is := err.(net.Error); is && late.Timeout() {
			hung++
		} else if err != nil || status != expected {
			failed++
		} else {
			ok++
		}
		transport.CloseIdleConnections()
	}
	fmt.Printf("{\"ok\":%d,\"failed\":%d,\"hung\":%d}\n", ok, failed, hung)
}
