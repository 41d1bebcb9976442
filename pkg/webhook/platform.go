package webhook

// Platform is one of the systems whose webhooks wsk speaks.
type Platform string

// The platforms.
const (
	WorkSkedge Platform = "workskedge"
	WorkMarket Platform = "workmarket"
	Worksome   Platform = "worksome"
)

// Platforms lists every platform by name, in the order of the documentation.
func Platforms() []Platform { return []Platform{WorkSkedge, WorkMarket, Worksome} }

// Form is the shape of an envelope.
type Form string

// The forms of an envelope. Which members make them is said behind each.
const (
	// Inbound is what a client sends to WorkSkedge: event_type, timestamp,
	// source, data.
	Inbound Form = "inbound"
	// Outbound is what WorkSkedge sends: event_id, event_type, timestamp,
	// company_id, data.
	Outbound Form = "outbound"
	// Compact is the envelope of WorkSkedge's Event Catalog page: event,
	// timestamp, data.
	Compact Form = "compact"
	// WorksomeForm is what Worksome sends: event, data.
	WorksomeForm Form = "worksome"
	// Template is Work Market's: no envelope, but the variables that a
	// webhook's template may use.
	Template Form = "template"
)

// Forms lists every form by name.
func Forms() []Form { return []Form{Inbound, Outbound, Compact, WorksomeForm, Template} }
