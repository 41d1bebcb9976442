package sandbox

import (
	"net/http"
	"time"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Path is where inbound events are POSTed to, as on the platform.
const Path = "/webhooks/inbound"

// AdminPath begins what looks into the sandbox.
const AdminPath = "/sandbox/"

// ServerName is the Server header of every answer.
const ServerName = "wsk-sandbox"

// DefaultCompany is the ID of the company that is there when none is named.
const DefaultCompany = "comp_sandbox"

// MaxBody is the largest body that is taken, in bytes: 1 MiB.
const MaxBody = 1 << 20

// Config says what the sandbox is like. The zero value is a company of its own
// with a fresh key and secret, in memory, with the documented limits.
type Config struct {
	Companies []Company // default: one, see [DefaultCompany]
	Data      string    // the file that keeps the state; "" keeps it until Close

	Limits        []Limit       // for each API key, counted from the start; default: [DocumentedLimits]; an empty list: none
	RequireScheme string        // the one scheme that source custom may sign by; default: timestamp.body and body
	Tolerance     time.Duration // of timestamps; default: webhook.DefaultTolerance
	Speed         float64       // divides the pauses between attempts, 1 or more; default: 1
	Timeout       time.Duration // of one attempt; default: deliver.DefaultTimeout
	AllowTargets  bool          // deliver to other hosts than this one; private addresses never

	Linter    *lint.Linter                         // default: the catalog's
	Transport http.RoundTripper                    // of deliveries; default: one that holds to AllowTargets
	Now       func() time.Time                     // default: time.Now
	NewID     func() string                        // random names; default: crypto/rand.Text
	Received  func(webhook.Record)                 // told every request to Path, after its answer; may be nil
	Delivered func(store.Delivery, webhook.Record) // told every attempt, with what becomes of the delivery; must not call Close; may be nil
	Warn      func(text string)                    // told what deserves a look; may be nil
	Broken    func(error)                          // told when the disk confirms nothing any more: every event gets a 503 then; may be nil
}

// Company is one customer of the platform.
type Company struct {
	ID            string              `yaml:"id"`
	Keys          []Key               `yaml:"api_keys"`      // default: one, made up
	Subscriptions []Subscription      `yaml:"subscriptions"` // those of [Sandbox.Subscribe] stay beside them
	Skills        []string            `yaml:"skills"`        // default: those of the samples
	Employees     []store.Fields      `yaml:"employees"`     // members as employee.created has them; default: those of the samples
	WorkTypes     []rules.WorkType    `yaml:"work_types"`    // default: REG, OT, VAC, SICK, HOL
	CustomFields  map[string][]string `yaml:"custom_fields"` // the names that a kind of record has, "work_order"; default: any
}

// Key is an API key and the secret that signs its requests.
type Key struct {
	Key    string `yaml:"key"`
	Secret string `yaml:"secret"`
	Name   string `yaml:"name"` // for people; default: as created_by names it, user_…
}

// Subscription is where a company's events go.
type Subscription struct {
	ID      string       `yaml:"-"`
	Company string       `yaml:"-"` // default: the first
	URL     string       `yaml:"url"`
	Events  []string     `yaml:"events"`  // types, globs or categories: work_order.created, work_order.*, work_order; default: all
	Form    webhook.Form `yaml:"form"`    // outbound or compact; default: outbound
	Secret  string       `yaml:"secret"`  // signs the deliveries; default: that of the company's first key
	APIKey  string       `yaml:"api_key"` // changes made with this key are not sent here
}
