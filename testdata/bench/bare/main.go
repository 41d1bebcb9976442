// Command bare is the least that a receiver can do: net/http, the body, the
// HMAC. It is the limit that wsk listen is measured against.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	secret := []byte(os.Args[1])
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		mac := hmac.New(sha256.New, secret)
		_, _ = io.WriteString(mac, r.Header.Get("X-Webhook-Timestamp")+".")
		_, _ = mac.Write(body)
		got, bad := hex.DecodeString(r.Header.Get("X-Webhook-Signature"))
		if err != nil || bad != nil || !hmac.Equal(got, mac.Sum(nil)) {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"received":true}`)
	}))
}
