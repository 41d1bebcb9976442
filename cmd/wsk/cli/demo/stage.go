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

// stage is a sandbox and two receivers on this machine.
type stage struct {
	env      *command.Env
	box      *sandbox.Sandbox
	key      sandbox.Key
	verifier webhook.Verifier
	client   deliver.Client
	servers  []*command.Server

	platform string // URL
	heard    chan receipt
	captured webhook.Record // the last accepted delivery
	target   string         // the URL that it was delivered to
}

// receipt is a record of one of the receivers.
type receipt struct {
	webhook.Record
	by string
}

func newStage(ctx context.Context, env *command.Env) (*stage, error) {
	s := &stage{env: env, heard: make(chan receipt, 64), client: env.Client()}
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) build(ctx context.Context) error {
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

// receiver starts a receiver and returns its URL. Its records carry its name.
func (s *stage) receiver(ctx context.Context, name string) (string, error) {
	handler, err := receive.New(receive.Config{
		Verifier: s.verifier, Now: s.env.Now, NewID: s.env.RecordID,
		Sink: func(r webhook.Record) { s.heard <- receipt{r, name} },
	})
	if err != nil {
		return "", err
	}
	return s.serve(ctx, handler)
}

// serve starts a server on a free port and returns its URL.
func (s *stage) serve(ctx context.Context, h http.Handler) (string, error) {
	listener, err := s.env.Listen(ctx, net.JoinHostPort("127.0.0.1", "0"))
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	s.servers = append(s.servers, command.StartServer(listener, h, receive.DefaultMaxConnections))
	return "http://" + listener.Addr().String(), nil
}

func (s *stage) close() error {
	for _, running := range s.servers {
		running.Close() // every request is answered
	}
	if s.box == nil {
		return nil
	}
	return s.box.Close()
}

// project returns what the ERP sends: the catalog's sample.
func (s *stage) project() (deliver.Delivery, error) {
	definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "project.created")
	if err != nil {
		return deliver.Delivery{}, err
	}
	event, err := webhook.ParseEvent(definition.Sample())
	return deliver.Delivery{
		URL: s.platform, Event: event, Scheme: s.verifier.Scheme, Secret: s.verifier.Secrets[0],
		Header: deliver.Inbound(s.key.Key, "custom"),
	}, err
}

// replay returns the captured delivery, to be sent again as it was.
func (s *stage) replay() deliver.Delivery {
	r := s.captured
	return deliver.Delivery{
		URL: s.target, Header: r.Request.Header, Unsigned: true, Event: webhook.Event{Platform: r.Platform, Form: r.Form, Type: r.Event, Raw: r.Request.Body},
	}
}

// attempt sends a request. A missing response is an error.
func (s *stage) attempt(ctx context.Context, d deliver.Delivery) (webhook.Record, error) {
	sent, err := s.client.Attempt(ctx, d, 0)
	if err == nil && sent.Response == nil {
		err = command.NoResponse(errors.New("the demo's server: " + sent.Error))
	}
	return sent, err
}

// received waits for the next record of a receiver.
func (s *stage) received(ctx context.Context) (receipt, error) {
	select {
	case got := <-s.heard:
		return got, nil
	case <-ctx.Done():
		return receipt{}, ctx.Err()
	}
}
