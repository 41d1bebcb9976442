package config

// Setting is one thing that can be configured.
type Setting struct {
	Key     string   // in a file
	Env     []string // variables, the first that is set counts
	Default string
	Secret  bool // masked when shown; env: and file: references are followed
	Help    string
}

// Settings lists every setting, in the order in which they are shown.
func Settings() []Setting {
	return []Setting{
		{Key: "url", Env: []string{"WSK_URL"}, Help: "where send delivers to"},
		{Key: "api_key", Env: []string{"WSK_API_KEY"}, Secret: true, Help: "the platform's API key"},
		{Key: "secret", Env: []string{"WSK_SECRET", "WEBHOOK_SECRET"}, Secret: true, Help: "the signing secret; a list in a file"},
		{Key: "scheme", Env: []string{"WSK_SCHEME"}, Help: "the signing scheme"},
		{Key: "source", Env: []string{"WSK_SOURCE"}, Default: "custom", Help: "X-Webhook-Source: whose rules verify"},
		{Key: "origin", Env: []string{"WSK_ORIGIN"}, Default: "wsk", Help: "the source member of an envelope"},
		{Key: "tolerance", Env: []string{"WSK_TOLERANCE"}, Default: "300s", Help: "how far a timestamp may lie from now"},
		{Key: "timeout", Env: []string{"WSK_TIMEOUT"}, Default: "30s", Help: "the limit of one attempt"},
		{Key: "retries", Env: []string{"WSK_RETRIES"}, Default: "0", Help: "attempts after the first"},
		{Key: "schemas", Env: []string{"WSK_SCHEMAS"}, Help: "a folder of schemas of your own"},
		{Key: "color", Env: []string{"WSK_COLOR"}, Default: "auto", Help: "auto, on or off"},
	}
}
