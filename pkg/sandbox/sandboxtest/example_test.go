package sandboxtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/sandbox/sandboxtest"
)

func TestProjectsReachTheERP(t *testing.T) {
	erp := httptest.NewServer(newERPHandler()) // the receiver under test
	defer erp.Close()
	box := sandboxtest.New(t, sandboxtest.Subscribe(erp.URL, "project.*"))
	box.Send(sandboxtest.Event("project.created", map[string]any{
		"project_name": "Harbor", "project_code": "P-1", "customer_name": "Acme", "location_name": "Pier 6",
	}))
	box.Wait(sandboxtest.Of("project.created", sandbox.Delivered))
}

// newERPHandler is the receiver of the package comment.
func newERPHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
}
