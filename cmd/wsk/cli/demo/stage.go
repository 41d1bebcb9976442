package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The systems of the demo: one sends, both are subscribed.
const (
	erp        = "the ERP"
	accounting = "your accounting"
)

// demoStage is the platform and two receivers on this machine.
type demoStage struct {
	env      *command.Env
	box      *sandbox.Sandbox
	key      sandbox.Key
	verifier webhook.Verifier
	client   deliver.Client
	servers  []*command.Server

	platform string // URL
	heard    chan demoReceipt
	captured webhook.Record // the last delivery that was taken
	target   string         // the URL that it was delivered to
}

// demoReceipt is what one of the receivers got.
type demoReceipt struct {
	webhook.Record
	by string
}

func newStage(ctx context.Context, env *command.Env) (*demoStage, error) {
	s := &demoStage{
		env: env, heard: make(chan demoReceipt, 64),
		client: deliver.Client{Transport: env.Transport, Now: env.Now, NewID: env.RecordID, UserAgent: command.UserAgent()},
	}
	err := s.build(ctx)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *demoStage) build(ctx context.Context) error {
	s.key = sandbox.Key{Key: "key_" + s.env.NewID(), Secret: "demo_" + s.env.NewID(), Name: "erp"}
	secret, err := webhook.NewSecret(s.key.Secret)
	if err != nil {
		return err
	}
	s.verifier = webhook.Verifier{Scheme: webhook.SchemeFor(webhook.WorkSkedge), Secrets: []webhook.Secret{secret}}
	own, err := s.receiver(ctx, erp)
	if err != nil {
		return err
	}
	if s.target, err = s.receiver(ctx, accounting); err != nil {
		return err
	}
	s.box, err = sandbox.New(ctx, sandbox.Config{
		Now: s.env.Now, NewID: s.env.NewID,
		Companies: []sandbox.Company{{
			Keys:          []sandbox.Key{s.key},
			Subscriptions: []sandbox.Subscription{{URL: own, APIKey: s.key.Key}, {URL: s.target}},
		}},
	})
	if err != nil {
		return err
	}
	base, err := s.serve(ctx, s.box)
	s.platform = base + sandbox.Path
	return err
}

// receiver starts one that notes what it gets under a name.
func (s *demoStage) receiver(ctx context.Context, name string) (string, error) {
	handler, err := receive.New(receive.Config{
		Verifier: s.verifier, Now: s.env.Now, NewID: s.env.RecordID,
		Sink: func(r webhook.Record) { s.heard <- demoReceipt{r, name} },
	})
	if err != nil {
		return "", err
	}
	return s.serve(ctx, handler)
}

// serve starts a server on a free port and returns its URL.
func (s *demoStage) serve(ctx context.Context, h http.Handler) (string, error) {
	listener, err := s.env.Listen(ctx, net.JoinHostPort("127.0.0.1", "0"))
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	running := command.NewServer(h)
	s.servers = append(s.servers, running)
	go func() { _ = running.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), nil
}

func (s *demoStage) close() error {
	for _, running := range s.servers {
		_ = running.Close() // it has answered all
	}
	if s.box == nil {
		return nil
	}
	return s.box.Close()
}

// project is what the ERP sends: the catalog's sample.
func (s *demoStage) project() (deliver.Delivery, error) {
	definition, err := webhook.Lookup(webhook.WorkSkedge, webhook.Inbound, "project.created")
	if err != nil {
		return deliver.Delivery{}, err
	}
	event, err := webhook.ParseEvent(definition.Sample())
	return deliver.Delivery{
		URL: s.platform, Event: event, Scheme: s.verifier.Scheme, Secret: s.verifier.Secrets[0],
		Header: deliver.Inbound(s.key.Key, "custom"),
	}, err
}

// replay is the captured delivery, to be sent again as it was.
func (s *demoStage) replay() deliver.Delivery {
	r := s.captured
	return deliver.Delivery{
		URL: s.target, Header: r.Request.Header, Event: webhook.Event{Platform: r.Platform, Form: r.Form, Type: r.Event, Raw: r.Request.Body},
	}
}

// attempt sends a request that has to be answered.
func (s *demoStage) attempt(ctx context.Context, d deliver.Delivery) (webhook.Record, error) {
	sent, err := s.client.Attempt(ctx, d, 0)
	if err == nil && sent.Response == nil {
		err = command.NoResponse(errors.New("the demo's server: " + sent.Error))
	}
	return sent, err
}

// received waits for what a receiver got next.
func (s *demoStage) received(ctx context.Context) (demoReceipt, error) {
	select {
	case got := <-s.heard:
		return got, nil
	case <-ctx.Done():
		return demoReceipt{}, ctx.Err()
	}
}
