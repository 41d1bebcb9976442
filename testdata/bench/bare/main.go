// Command bare is the least that a receiver can do: net/http, the body, the
// HMAC. It is the limit that wsk listen is measured against; with -open it
// answers whatever comes, as the target of the senders.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
)

func main() {
	open := flag.Bool("open", false, "verify nothing")
	flag.Parse()
	secret := []byte(flag.Arg(0))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || !*open && !verified(secret, r.Header, body) {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"received":true}`)
	}))
}

func verified(secret []byte, h http.Header, body []byte) bool {
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, h.Get("X-Webhook-Timestamp")+".")
	_, _ = mac.Write(body)
	got, err := hex.DecodeString(h.Get("X-Webhook-Signature"))
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}
