package receive_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/wskdev/wsk/pkg/receive"
)

func listenLocal(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServe_lets_requests_in_progress_end(t *testing.T) {
	t.Parallel()
	l := listenLocal(t)
	ctx, stop := context.WithCancel(t.Context())
	arrived, release := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- receive.Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-release
			w.WriteHeader(http.StatusAccepted)
		}))
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	status := make(chan int, 1)
	go func() {
		response, err := client.Post("http://"+l.Addr().String(), "", http.NoBody)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	<-arrived
	stop()
	for { // until it accepts no more
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	select {
	case err := <-served:
		t.Fatalf("it returned %v before the request had ended", err)
	default:
	}
	close(release)
	if got := <-status; got != http.StatusAccepted {
		t.Errorf("the request in progress is answered with %d", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestServe_returns_the_error_of_its_listener(t *testing.T) {
	t.Parallel()
	l := listenLocal(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := receive.Serve(t.Context(), l, http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
}
