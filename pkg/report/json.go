package report

import "strconv"

// jsonWriter writes one object: the findings as they come, then the counts.
type jsonWriter struct {
	out   output
	begun bool
}

func (j *jsonWriter) Source(string) error { return j.out.err }

func (j *jsonWriter) Finding(f Finding) error {
	b := append(j.next(j.out.buf), '{')
	b = appendFinding(b, f)
	return j.out.write(append(b, '}'))
}

// next appends what stands before a finding.
func (j *jsonWriter) next(b []byte) []byte {
	if j.begun {
		return append(b, ",\n"...)
	}
	j.begun = true
	return append(b, "{\"findings\":[\n"...)
}

func (j *jsonWriter) Close(s Summary) error {
	b := j.out.buf
	if j.begun {
		b = append(b, "\n],"...)
	} else {
		b = append(b, `{"findings":[],`...)
	}
	b = appendSummary(b, s)
	return j.out.write(append(b, "}\n"...))
}

// ndjsonWriter writes one object a line: each finding, then the summary.
type ndjsonWriter struct{ out output }

func (n *ndjsonWriter) Source(string) error { return n.out.err }

func (n *ndjsonWriter) Finding(f Finding) error {
	b := append(n.out.buf, `{"type":"finding",`...)
	b = appendFinding(b, f)
	return n.out.write(append(b, "}\n"...))
}

func (n *ndjsonWriter) Close(s Summary) error {
	b := append(n.out.buf, `{"type":"summary",`...)
	b = appendSummary(b, s)
	return n.out.write(append(b, "}\n"...))
}

// appendFinding appends the members of a finding's object.
func appendFinding(b []byte, f Finding) []byte {
	b = append(b, `"file":`...)
	b = appendString(b, f.File)
	b = appendCount(b, `,"line":`, f.Line)
	b = appendCount(b, `,"column":`, f.Column)
	b = append(b, `,"pointer":`...)
	b = appendString(b, f.Pointer)
	b = append(b, `,"severity":`...)
	b = appendString(b, f.Severity)
	b = append(b, `,"rule":`...)
	b = appendString(b, f.Rule)
	b = append(b, `,"message":`...)
	b = appendString(b, f.Message)
	b = append(b, `,"event":`...)
	b = appendString(b, f.Event)
	b = append(b, `,"form":`...)
	return appendString(b, f.Form)
}

// appendSummary appends the members that hold the counts.
func appendSummary(b []byte, s Summary) []byte {
	b = appendCount(b, `"files":`, s.Files)
	b = appendCount(b, `,"events":`, s.Events)
	b = appendCount(b, `,"errors":`, s.Errors)
	b = appendCount(b, `,"warnings":`, s.Warnings)
	return appendCount(b, `,"notes":`, s.Notes)
}

func appendCount(b []byte, name string, n int) []byte {
	b = append(b, name...)
	return strconv.AppendInt(b, int64(n), 10)
}
