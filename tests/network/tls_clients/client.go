// SPDX-License-Identifier: BSL-1.0
// client.go <port> <requests> keep|close|end: fetches /large and prints how many bytes came. Any error is a failure.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// readToTheEnd fails where the connection is reset or ends within a record.
func readToTheEnd(address string, insecure *tls.Config) int {
	connection, err := tls.Dial("tcp", address, insecure)
	must(err)
	_, err = io.WriteString(connection, "GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")
	must(err)
	reply, err := io.ReadAll(connection)
	must(err)
	must(connection.Close())
	return len(reply) - bytes.Index(reply, []byte("\r\n\r\n")) - 4
}

func main() {
	address, how := "127.0.0.1:"+os.Args[1], os.Args[3]
	requests, err := strconv.Atoi(os.Args[2])
	must(err)
	insecure := &tls.Config{InsecureSkipVerify: true}
	transport := &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: how == "close"}
	client := http.Client{Transport: transport}
	total := 0
	for i := 0; i < requests; i++ {
		if how == "end" {
			total += readToTheEnd(address, insecure)
			continue
		}
		reply, err := client.Get("https://" + address + "/large")
		must(err)
		body, err := io.ReadAll(reply.Body)
		must(err)
		must(reply.Body.Close())
		total += len(body)
	}
	transport.CloseIdleConnections()
	fmt.Println(total)
}
