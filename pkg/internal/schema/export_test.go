package schema

// Formats returns the names of the formats.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// FitsFormat reports whether a value has a format that exists.
func FitsFormat(name, value string) bool {
	f := formatNamed(name)
	return f != nil && f.fits([]byte(value))
}
