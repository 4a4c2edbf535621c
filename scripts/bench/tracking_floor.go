//go:build ignore

// Command tracking_floor answers every request with as many bytes as its header
// X-Answer-Bytes says, having read its body: the least that any Go server of
// JSON over HTTP could take. tracking.py runs it beside the servers it compares.
package main

import (
	"bytes"
	"flag"
	"io"
	"log"
	"net/http"
	"strconv"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "host:port to listen on")
	flag.Parse()
	canned := bytes.Repeat([]byte(`{"key": "value"}`), 1<<18)
	log.Fatal(http.ListenAndServe(*addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		n, _ := strconv.Atoi(r.Header.Get("X-Answer-Bytes")) // none: 2, as {}
		n = min(max(n, 2), len(canned))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Write(canned[:n]) // the client sees it if this fails
	})))
}
