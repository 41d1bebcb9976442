package logvalue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/sandbox/sandboxtest"
	"github.com/wskdev/wsk/pkg/webhook"
)

const credential = "hunter2-very-secret"

// disguises are ways in which a verb could show the credential.
var disguises = []string{"hunter2", "68756e74657232", "68756E74657232", "104 117 110", "0x68, 0x75", "aHVudGVyMi12ZXJ5"}

func leaks(text string) bool {
	return slices.ContainsFunc(disguises, func(d string) bool { return strings.Contains(text, d) })
}

// values has a value of every exported type that can carry a credential, with a
// credential wherever it can have one. TestValues finds the types that are
// missing here.
func values(t *testing.T) map[string]any {
	t.Helper()
	list := map[string]any{}
	for _, v := range []any{
		webhook.Pair{}, webhook.Header{}, webhook.Request{}, webhook.Response{}, webhook.Record{}, webhook.Event{},
		webhook.Message{}, webhook.Secret{}, webhook.Verifier{},
		deliver.Client{}, deliver.Delivery{}, deliver.Error{}, deliver.Step{},
		receive.Config{}, receive.Unsigned{}, receive.ForwarderConfig{}, receive.Receipt{}, receive.DueRecord{}, receive.ForwardResult{},
		check.Config{}, check.Result{}, check.Report{}, check.Case{}, render.Template{},
		sandbox.Config{}, sandbox.Company{}, sandbox.Key{}, sandbox.Subscription{},
	} {
		full := reflect.New(reflect.TypeOf(v)).Elem()
		fill(t, full, "")
		list[full.Type().String()] = full.Interface()
	}
	list["check.Report"] = check.Report{Results: []check.Result{list["check.Result"].(check.Result)}} // Run masks the URL

	prepared, err := deliver.Client{}.Prepare(deliver.Delivery{
		URL: "https://u:hunter2@example.com/?token=hunter2", Header: header(), Secret: webhooktest.Secret(t, credential),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := receive.New(receive.Config{
		Secrets: []webhook.Secret{webhooktest.Secret(t, credential)}, Unsigned: &receive.Unsigned{Header: webhook.Header{{Name: "X-Anything", Value: credential}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(t.Context(), sandbox.Config{Companies: []sandbox.Company{{
		ID: "c", Keys: []sandbox.Key{{Key: credential, Secret: credential, Name: "n"}},
		Subscriptions: []sandbox.Subscription{{URL: "http://127.0.0.1:9/?token=hunter2", Secret: credential, APIKey: credential}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	slot, err := j.Reserve(t.Context(), credential, deliver.WorkSkedgeLimits(), time.Now, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	limiter := deliver.NewLimiter(deliver.WorkSkedgeLimits()...)
	limiter.Take(credential, time.Unix(1, 0))
	forwarder, err := receive.NewForwarder(receive.ForwarderConfig{Queue: noQueue{}, URL: "https://u:hunter2@example.com/?token=hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forwarder.Shutdown(t.Context()) })
	for _, v := range []any{prepared, handler, forwarder, box, limiter, slot, sandboxtest.New(t)} {
		list[strings.TrimPrefix(reflect.TypeOf(v).String(), "*")] = v
	}
	return list
}

func header() webhook.Header {
	return webhook.Header{
		{Name: "X-API-Key", Value: credential}, {Name: "authorization", Value: "Bearer " + credential}, {Name: "Cookie", Value: credential},
		{Name: "Location", Value: "https://u:hunter2@h/?token=hunter2"}, {Name: "Content-Type", Value: "text/plain"},
	}
}

// fill sets every field of v, to a credential where that is what the field is for.
func fill(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Interface().(type) {
	case webhook.Secret:
		v.Set(reflect.ValueOf(webhooktest.Secret(t, credential)))
		return
	case webhook.Header:
		v.Set(reflect.ValueOf(header()))
		return
	case webhook.Pair:
		v.Set(reflect.ValueOf(header()[0]))
		return
	case receive.Unsigned:
		required := webhook.Header{{Name: "X-Anything", Value: credential}}
		v.Set(reflect.ValueOf(receive.Unsigned{Header: required, Query: required}))
		return
	case []byte:
		v.SetBytes([]byte(`{"a":1}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		switch {
		case strings.HasSuffix(name, "URL"):
			v.SetString("https://u:hunter2@example.com/?token=hunter2")
		case name == "Key", name == "Secret", name == "APIKey":
			v.SetString(credential)
		case v.Type() == reflect.TypeFor[string]() && name == "Error":
			v.SetString(`Post "https://u:hunter2@example.com/?token=hunter2": EOF`)
		default:
			v.SetString("text")
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(t, v.Field(i), v.Type().Field(i).Name)
			}
		}
	case reflect.Pointer:
		if v.Type().Elem().PkgPath() == reflect.TypeFor[webhook.Record]().PkgPath() || v.Type().Elem() == reflect.TypeFor[receive.Unsigned]() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), name)
	}
}

// noQueue is a queue in which nothing is ever due.
type noQueue struct{ receive.Queue }

func (noQueue) Due(context.Context, time.Time, int) (due []receive.DueRecord, next time.Time, err error) {
	return nil, time.Time{}, nil
}

type holder struct{ Value any }

// insides are v and what a program may log that has it inside.
func insides(v any) map[string]any {
	one := reflect.ValueOf(v)
	list := reflect.MakeSlice(reflect.SliceOf(one.Type()), 1, 1)
	list.Index(0).Set(one)
	pointer := reflect.New(one.Type())
	pointer.Elem().Set(one)
	typed := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Field", Type: one.Type()}})).Elem()
	typed.Field(0).Set(one)
	byName := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), one.Type()))
	byName.SetMapIndex(reflect.ValueOf("k"), one)
	return map[string]any{
		"alone": v, "a pointer": pointer.Interface(), "a struct": typed.Interface(), "an interface in a struct": holder{v},
		"a pointer in a struct": holder{pointer.Interface()}, "a slice": list.Interface(), "a map": byName.Interface(),
		"structs in a slice": []any{holder{typed.Interface()}},
	}
}

// The JSON of these is what a client of the sandbox sends, and what a sandbox
// prints for it: only their LogValue masks.
var wireJSON = []string{"sandbox.Key", "sandbox.Subscription"}

func TestValues_in_logs_and_under_every_verb(t *testing.T) {
	t.Parallel()
	for name, v := range values(t) {
		for how, inside := range insides(v) {
			for verb := 'A'; verb <= 'z'; verb++ {
				if verb > 'Z' && verb < 'a' || verb == 'p' || verb == 'w' {
					continue // fmt does not call Format for %p, nor for %w outside Errorf: vet refuses both
				}
				for _, flags := range []string{"", "+", "#", " ", "-40", "+#"} {
					if text := fmt.Sprintf("%"+flags+string(verb), inside); leaks(text) {
						t.Errorf("%s, %s, by %%%s%c: %s", name, how, flags, verb, text)
					}
				}
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", inside, slog.Group("g", "value", inside))
			if !slices.Contains(wireJSON, name) || how == "alone" || how == "a pointer" {
				slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", inside, slog.Group("g", "value", inside))
				if leaks(log.String()) {
					t.Errorf("%s, %s, in a log: %s", name, how, log.String())
				}
			}
			if text, err := json.Marshal(inside); !slices.Contains(wireJSON, name) && err == nil && leaks(string(text)) {
				t.Errorf("%s, %s, in JSON: %s", name, how, text)
			}
		}
	}
}

// What can carry a credential is found in the source: the types above, what has
// one of them in a field, and what has a field that is named so.
func TestValues_of_every_type(t *testing.T) {
	t.Parallel()
	structs := exportedStructs(t)
	carriers := map[string]bool{"webhook.Secret": true, "webhook.Header": true, "webhook.Pair": true, "http.Header": true, "http.Request": true, "url.URL": true}
	for grown := true; grown; {
		grown = false
		for name, fields := range structs {
			if !carriers[name] && slices.ContainsFunc(fields, func(f field) bool {
				return f.isCredential() || slices.ContainsFunc(f.types, func(t string) bool { return carriers[t] })
			}) {
				carriers[name], grown = true, true
			}
		}
	}
	list := values(t)
	for _, name := range slices.Sorted(maps.Keys(carriers)) {
		if _, ours := structs[name]; !ours || !ast.IsExported(name[strings.IndexByte(name, '.')+1:]) {
			continue
		}
		if _, tested := list[name]; !tested && harmless[name] == "" {
			t.Errorf("%s can carry a credential: add a LogValue and a Format, and a value of it to this test", name)
		}
	}
	for name := range harmless {
		if !carriers[name] {
			t.Errorf("%s carries nothing: remove it from harmless", name)
		}
	}
}

// harmless are the types that look like carriers, and why they are not.
var harmless = map[string]string{
	"deliver.URLError":           "CheckURL masks the URL",
	"check.UnreachableError":     "Run masks the URL",
	"sandbox.Delivery":           "the sandbox masks the URL",
	"sandbox.DeliveryList":       "likewise",
	"sandbox.ResendResult":       "likewise",
	"sandbox.SubscriptionStatus": "the sandbox masks the URL",
	"sandbox.SubscriptionList":   "likewise",
	"receive.Claim":              "its Token distinguishes claims",
	"receivetest.Sender":         "of a test; its secret masks itself",
	"receivetest.Result":         "of a test, which looks at the header",
	"journal.Queue":              "the journal stores targets with their credentials masked",
	"report.Tool":                "its URL is that of the documentation",
}

type field struct {
	name  string
	types []string // every type that its type mentions, qualified
}

func (f field) isCredential() bool {
	return slices.Contains(f.types, "string") && slices.Contains([]string{"url", "secret", "apikey", "key", "target", "password", "token"}, strings.ToLower(f.name))
}

// exportedStructs returns the fields of the structs of the public packages, and
// the types that are made of one as fields without a name.
func exportedStructs(t *testing.T) map[string][]field {
	t.Helper()
	structs := map[string][]field{}
	root := filepath.Join("..", "..")
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "events", entry.IsDir() && entry.Name() == "internal": // in events are payloads
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			key := file.Name.Name + "." + spec.Name.Name
			switch typ := spec.Type.(type) {
			case *ast.StructType:
				structs[key] = []field{}
				for _, f := range typ.Fields.List {
					types := mentioned(file.Name.Name, f.Type)
					for _, ident := range f.Names {
						structs[key] = append(structs[key], field{ident.Name, types})
					}
					if len(f.Names) == 0 {
						structs[key] = append(structs[key], field{"", types})
					}
				}
			case *ast.ArrayType, *ast.MapType:
				structs[key] = []field{{"", mentioned(file.Name.Name, typ)}}
			}
			return true
		})
		return nil
	})
	if err != nil || len(structs) < 50 {
		t.Fatalf("%d structs found: %v", len(structs), err)
	}
	return structs
}

// mentioned lists the types that an expression mentions, but not those of
// functions, which print as an address.
func mentioned(pkg string, e ast.Expr) []string {
	var types []string
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType, *ast.ChanType:
			return false
		case *ast.SelectorExpr:
			types = append(types, fmt.Sprint(n.X, ".", n.Sel))
			return false
		case *ast.Ident:
			if ast.IsExported(n.Name) || n.Name != "string" {
				types = append(types, pkg+"."+n.Name)
			} else {
				types = append(types, n.Name)
			}
		}
		return true
	})
	return types
}
