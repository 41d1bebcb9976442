package diagnose

// rewritten gives the body as each tool writes it after parsing it, the common
// tools first, because a long body does not get to the end of them.
func (raw original) rewritten(yield func(body) bool) {
	tree, ok := parse(raw)
	if !ok {
		return
	}
	left := maxWritten
	for _, t := range tools() {
		text, ok := t.write(tree)
		if left -= len(text); left < 0 {
			return
		}
		if !ok {
			continue
		}
		if !yield(body{mistake: mistake{[]step{{id: t.id, help: t.help()}}, t.rare}, text: text, spelled: true, tool: t.name}) {
			return
		}
	}
}
