package receive

import (
	"net/http"
	"time"
)

// Server returns a server for h with limits that hold off slow and oversized
// senders: 10 s for the header and 32 KiB of it (431 past that), 30 s for the
// whole request, 5 min until the answer is taken, 60 s of idleness. Every
// method reaches h, "OPTIONS *" too.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 5 * time.Minute,
		IdleTimeout:                  60 * time.Second,
		MaxHeaderBytes:               32 << 10,
		DisableGeneralOptionsHandler: true,
	}
}
