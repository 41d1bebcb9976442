package deliver_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
)

func TestAttemptURLUser(t *testing.T) {
	// The URL decides on basic authentication, unless a header does.
	t.Run("it is sent as basic authentication", func(t *testing.T) {
		tests := []struct{ user, override, want string }{
			{"user:hunter2@", "", "Basic dXNlcjpodW50ZXIy"},
			{"user@", "", "Basic dXNlcjo="},
			{"us%40er:p%2Fw@", "", "Basic dXNAZXI6cC93"},
			{"user:hunter2@", "Authorization: Bearer t", "Bearer t"},
			{"", "", ""},
		}
		for _, tt := range tests {
			server := newEndpoint(t, nil)
			d := delivery(t, strings.Replace(server.URL, "http://", "http://"+tt.user, 1))
			if tt.override != "" {
				d.Override = pairs(t, tt.override)
			}
			attempt(t, client(overTCP(t)), d)
			got := server.requests()[0].header
			if strings.Join(got["Authorization"], "|") != tt.want {
				t.Errorf("%q with %q is sent as %q", tt.user, tt.override, got["Authorization"])
			}
		}
	})
	// THREATS row 37.
	t.Run("the password is in no record and no error", func(t *testing.T) {
		const private = "hunter2"
		echo := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://user:"+private+"@x.example/")
			w.WriteHeader(307)
		})
		quoting := webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, errors.New("no route to " + r.URL.String())
		})
		gone := newEndpoint(t, nil).URL
		for name, tt := range map[string]struct {
			url       string
			transport http.RoundTripper
		}{
			"answered":                        {strings.Replace(echo.URL, "http://", "http://user:"+private+"@", 1) + "/?token=" + private, overTCP(t)},
			"refused":                         {strings.Replace(gone, "http://", "http://user:"+private+"@", 1)[:len(gone)] + ":1", overTCP(t)},
			"a transport that quotes URLs":    {"https://user:" + private + "@x.example/?api_key=" + private, quoting},
			"no such scheme":                  {"ftp://user:" + private + "@x.example/", unused(t)},
			"no host":                         {"http://user:" + private + "@/", unused(t)},
			"no such port":                    {"http://user:" + private + "@x.example:port/", unused(t)},
			"a bracket too few":               {"http://user:" + private + "@[::1/", unused(t)},
			"a control character in its path": {"http://user:" + private + "@x.example/\x01", unused(t)},
		} {
			t.Run(name, func(t *testing.T) {
				d := delivery(t, tt.url)
				record, err := client(tt.transport).Attempt(t.Context(), d, 0)
				if text := fmt.Sprint(err); strings.Contains(text, private) {
					t.Errorf("the error is %s", text)
				}
				if record.Verdict != nil && strings.Contains(line(t, record)+record.Error, private) {
					t.Errorf("the record is %s", line(t, record))
				}
			})
		}
	})
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{
		"http://x", "https://x.example/hooks?a=b#c", "HTTP://X.EXAMPLE", "http://127.0.0.1:3000", "http://[::1]:80/", "https://user:p@x.example",
		"http://x/ä b", "http://xn--bcher-kva.example", "http://x.example:", "http://x//",
	} {
		if err := deliver.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	tests := map[string]string{
		"": "must begin with", "x.example": "must begin with", "x.example:80/a": "", "/path": "must begin with", "//x.example": "must begin with",
		"ftp://x.example": "must begin with", "file:///etc/passwd": "must begin with", "javascript:alert(1)": "must begin with",
		"http://": "no host", "http:///path": "no host", "http://:80": "no host", "http:x": "must begin with", "https://user@": "no host", "http://./": "no host",
		"http://x\r\nHost: y": "line break", "http://x/\n": "line break", "\nhttp://x": "line break",
		"http://x/\x00": "control character", "http://x\x7f": "control character", "http://[::1": "its host is not", "http://x:y": "port is not",
		"http://x:99999": "port is not", "http://x:0/": "port is not", "https://[::1]:65536": "port is not", "http://::1": "in brackets", "http://fe80::1:80/": "in brackets",
		"http://x y/": `its host contains " "`, "http://%zz/": `"%zz" is not an escaped character`, "http://x/%": `"%" is not`, "http://a b@x/": "cannot be parsed",
	}
	for bad, want := range tests {
		err := deliver.CheckURL(bad)
		var urlError *deliver.URLError
		if !errors.As(err, &urlError) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
	for _, private := range []string{"http://user:hun/ter2@h/", "http://user:hun%zzter2@h/", "http://us er:hunter2@h/", "http://h/%zz?token=hunter2", "ftp://user:hunter2@h/"} {
		var urlError *deliver.URLError
		err := deliver.CheckURL(private)
		if !errors.As(err, &urlError) || strings.Contains(fmt.Sprintf("%v %#v", err, err), "hun") {
			t.Errorf("%q: %#v", private, err)
		}
	}
}

func TestCompleteURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://x.example/a": "https://x.example/a", "http://x.example": "http://x.example", "HTTP://x.example": "HTTP://x.example",
		"localhost": "http://localhost", "localhost:3000/a?b=http://c": "http://localhost:3000/a?b=http://c", "LOCALHOST:80": "http://LOCALHOST:80",
		"127.0.0.1:3000": "http://127.0.0.1:3000", "127.9.9.9/x": "http://127.9.9.9/x", "[::1]:3000": "http://[::1]:3000",
		"x.example": "https://x.example", "x.example:8080/a": "https://x.example:8080/a", "10.0.0.1": "https://10.0.0.1",
		"user:p@x.example": "https://user:p@x.example", "localhost.example": "https://localhost.example", "localhost@x.example": "https://localhost@x.example",
	} {
		if got, err := deliver.CompleteURL(raw); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
	for raw, want := range map[string]string{
		"": "no host", ".": "no host", "/path": "no host", ":3000": "no host", "?a": "no host", "//x.example": "no host",
		"ftp://x.example": "must begin with", "http:/x.example": "must begin with", "http:x": "must begin with", "HTTPS:x": "must begin with",
		"::1": "in brackets", "localhost:99999": "port is not", "localhost:x": "port is not", "x y": `contains " "`, "[": "its host is not", "x\n": "line break",
	} {
		var fault *deliver.URLError
		got, err := deliver.CompleteURL(raw)
		if got != raw || !errors.As(err, &fault) || fault.URL != raw || !strings.Contains(fault.Reason, want) {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestCompleteURL_quotes_no_part_of_a_password(t *testing.T) {
	for _, private := range []string{"user:hunter2@x.example:99999", "user:hun%zzter2@h", "user:hun/ter2@h", "localhost:x?token=hunter2", "ftp://user:hunter2@h/"} {
		if _, err := deliver.CompleteURL(private); err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), "hun") {
			t.Errorf("%q: %#v", private, err)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://localhost": true, "http://LOCALHOST:3000/x": true, "http://127.0.0.1": true, "http://127.9.9.9:80": true, "https://[::1]:8443/": true,
		"http://[::ffff:127.0.0.1]/": true, "http://x.example": false, "http://localhost.example": false, "http://127.0.0.1.example": false,
		"http://localhost@x.example": false, "http://x.example/localhost": false, "http://10.0.0.1": false, "http://0.0.0.0": false, "http://[::1": false, "": false,
	} {
		if got := deliver.IsLoopback(url); got != want {
			t.Errorf("%q: %t", url, got)
		}
	}
}
