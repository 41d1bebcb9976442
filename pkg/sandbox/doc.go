// Package sandbox is WorkSkedge as an http.Handler: inbound events come in, a
// state is kept, and outbound events go to whoever is subscribed.
//
//	box, err := sandbox.New(ctx, sandbox.Config{})
//	defer box.Close()
//	server := httptest.NewServer(box)
//	key := box.Companies()[0].Keys[0] // POST to server.URL + sandbox.Path with key.Key, signed with key.Secret
//	_, err = box.Subscribe(ctx, sandbox.Subscription{URL: receiver.URL, Secret: "s3cret"})
//
// What the page of WorkSkedge says is done as it says: who may send, how fast,
// which members an event needs, what it does, what is answered, which events
// it raises, and how often those are tried. Where it is silent the sandbox
// refuses rather than guesses, and names the member.
//
// It is built of five parts, each a package that sees only those before it:
// store keeps the state, rules carry out an event, announce says what others
// are told of it, outbox delivers that, and this one is the door. Under
// AdminPath it can be looked into and moved on, from this machine alone.
package sandbox
