package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
)

const body = `{
	"event_id": "evt_51ac07d8e2b94f36",
	"event_type": "work_order.created",
	"timestamp": "2026-03-02T15:20:04Z",
	"company_id": "comp_hollisfrost",
	"data": {
		"id": "wo_3f9b6d20",
		"work_order_number": "WO-2026-0231",
		"status": "scheduled",
		"start_date": "2026-03-16",
		"estimated_hours": null,
		"project": {"project_name": "Harbor Point Cold Storage Refit"},
		"weather": "rain"
	}
}`

func projectName(body []byte) (string, error) {
	var e workskedge.WorkOrderCreated
	if err := json.Unmarshal(body, &e); err != nil {
		return "", err // a *events.MemberError has the JSON Pointer
	}
	return e.Data.Project.Value().ProjectName.Value(), nil
}

func hoursToPlan(order *workskedge.WorkOrderCreatedData) float64 {
	if status, ok := order.Status.Get(); ok && status == workskedge.WorkOrderStatusCancelled {
		return 0
	}
	return order.EstimatedHours.Or(8)
}

func unschedule(order *workskedge.WorkOrderCreatedData) {
	order.StartDate = events.Null[events.Date]()
	order.Status = events.Of[workskedge.WorkOrderStatus]("on_hold")
}

func ExampleOptional() {
	name, err := projectName([]byte(body))
	fmt.Println(name, err)
	var order workskedge.WorkOrderCreatedData
	fmt.Println(hoursToPlan(&order))
	unschedule(&order)
	raw, err := json.Marshal(order)
	fmt.Println(string(raw), err)
	// Output:
	// Harbor Point Cold Storage Refit <nil>
	// 8
	// {"status":"on_hold","start_date":null} <nil>
}

func Example() {
	var e workskedge.WorkOrderCreated
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		fmt.Println(err)
		return
	}
	created, err := e.Timestamp.Time()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.CompanyID, created.Unix())
	fmt.Println(e.Data.WorkOrderNumber.Value(), e.Data.Project.Value().ProjectName.Value())
	if e.Data.Status.Value() == workskedge.WorkOrderStatusScheduled {
		fmt.Println("on", e.Data.StartDate, "for", e.Data.EstimatedHours.Or(8), "hours")
	}
	if _, ok := e.Data.SiteLead.Get(); !ok {
		fmt.Println("without a site lead")
	}
	// Output:
	// comp_hollisfrost 1772464804
	// WO-2026-0231 Harbor Point Cold Storage Refit
	// on 2026-03-16 for 8 hours
	// without a site lead
}

// An event to send. Members without a value are left out.
func Example_send() {
	e := workskedge.InboundWorkOrderCreated{Timestamp: "2026-03-02T15:20:00Z", Source: "dispatch_board"}
	e.EventType = e.Definition().Type
	e.Data.ProjectCode = "HPC-2026-014"
	e.Data.PhaseName = "Refrigeration Piping"
	e.Data.PeopleRequired = events.Of(int64(4))
	e.Data.DaysHoursRequired = events.Of(events.Number(32))
	e.Data.CustomFields = events.Of(map[string]events.Value{"hot_work_permit": events.ValueOf("HW-26-0318")})
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(raw))
	// Output:
	// {
	//   "event_type": "work_order.created",
	//   "timestamp": "2026-03-02T15:20:00Z",
	//   "source": "dispatch_board",
	//   "data": {
	//     "project_code": "HPC-2026-014",
	//     "phase_name": "Refrigeration Piping",
	//     "people_required": 4,
	//     "days_hours_required": 32,
	//     "custom_fields": {
	//       "hot_work_permit": "HW-26-0318"
	//     }
	//   }
	// }
}

func ExampleParse() {
	event, err := workskedge.Parse([]byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	switch e := event.(type) {
	case *workskedge.WorkOrderCreated:
		fmt.Println("created", e.Data.WorkOrderNumber)
	case *workskedge.WorkOrderDeleted:
		fmt.Println("deleted", e.Data.WorkOrderNumber)
	default:
		fmt.Println("ignored", e.Definition().Type)
	}
	// Output:
	// created WO-2026-0231
}

func ExampleMemberError() {
	var e workskedge.WorkOrderCreated
	err := events.Decode([]byte(`{"data": {"equipment": ["Scissor lift", 7]}}`), &e)
	var member *events.MemberError
	if errors.As(err, &member) {
		fmt.Println(member.Pointer)
		fmt.Println(err)
	}
	// Output:
	// /data/equipment/1
	// /data/equipment/1 must be a string, is a number
}

func ExampleUnknown() {
	members, err := events.Unknown([]byte(body), workskedge.WorkOrderCreated{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for pointer, value := range members {
		fmt.Printf("%s: %s\n", pointer, value)
	}
	// Output:
	// /data/weather: "rain"
}

// The type of a handler's argument says which event the handler is for.
func ExampleEvent() {
	on(func(_ context.Context, e *workskedge.WorkOrderCreated) error {
		fmt.Println("got", e.Data.WorkOrderNumber)
		return nil
	})
	// Output:
	// outbound work_order.created
	// got WO-2026-0231
}

func on[E events.Event](handle func(context.Context, *E) error) {
	var e E
	definition := e.Definition()
	fmt.Println(definition.Form, definition.Type)
	if err := events.Decode([]byte(body), &e); err != nil {
		fmt.Println(err)
		return
	}
	if err := handle(context.Background(), &e); err != nil {
		fmt.Println(err)
	}
}
