// SPDX-License-Identifier: BSL-1.0
// server.go <port> <idle milliseconds>: net/http as a server for comparison.
package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	idle, _ := strconv.Atoi(os.Args[2])
	large := strings.Repeat("x", 500000)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 1<<20 {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/large" {
			_, _ = io.WriteString(w, large)
			return
		}
		_, _ = io.WriteString(w, "hello\n")
	})
	server := &http.Server{Addr: ":" + os.Args[1], Handler: handler, IdleTimeout: time.Duration(idle) * time.Millisecond}
	done := make(chan struct{})
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		<-signals
		_ = server.Shutdown(context.Background())
		close(done)
	}()
	_ = server.ListenAndServe()
	<-done
}
