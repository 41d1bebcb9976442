// Package events has what the Go types of the platforms' events have in common.
// The types themselves are generated from the catalog of package webhook, one
// for each event and form:
//
//   - package workskedge: WorkOrderCreated is what WorkSkedge sends,
//     InboundWorkOrderCreated what it receives, and CompactWorkorderCreated has
//     the envelope of its Event Catalog page;
//   - package worksome: HireUpdated and the others.
//
// An event is decoded with its envelope, by [Decode] or by [json.Unmarshal]:
//
//	func projectName(body []byte) (string, error) {
//		var e workskedge.WorkOrderCreated
//		if err := json.Unmarshal(body, &e); err != nil {
//			return "", err // a *events.MemberError has the JSON Pointer
//		}
//		return e.Data.Project.Value().ProjectName.Value(), nil
//	}
//
// # Members that may be missing
//
// A member that is always there has a plain type. Any other is an [Optional],
// which is absent, null, or has a value, and is encoded as it was decoded. Its
// methods need no check first: Value returns the zero value if there is none,
// so a chain of them never panics.
//
//	func hoursToPlan(order *workskedge.WorkOrderCreatedData) float64 {
//		if status, ok := order.Status.Get(); ok && status == workskedge.WorkOrderStatusCancelled {
//			return 0
//		}
//		return order.EstimatedHours.Or(8)
//	}
//
//	func unschedule(order *workskedge.WorkOrderCreatedData) {
//		order.StartDate = events.Null[events.Date]()
//		order.Status = events.Of[workskedge.WorkOrderStatus]("on_hold")
//	}
//
// Documented values are constants of a named string type. Platforms add values:
// another one is no error and is kept.
//
// Dates and times are kept as written, as [Date] and [Timestamp], because
// time.Time does not keep the spelling of a fraction or of a zone. Numbers are
// float64 and int64. A member without a documented type is a [Value].
//
// # Strictness
//
// Decoding refuses a member of another type than documented, a member that
// occurs twice, and an event of another type than the struct's. It does not
// check anything else, such as whether a required member is there: that is the
// task of package lint. Names are compared exactly, other than encoding/json
// does. Null is accepted for every Optional, also where it is not documented.
//
// Members that the types do not have are not kept by the structs; [Unknown]
// returns them. To store or forward an event, use the bytes that were received.
//
// The generated types follow the catalog: a correction there can add a field or
// change the type of one.
//
// This package is stable.
package events
