package loadable

// Bytes is the half by content, of a file that is all there.
func Bytes(data []byte) bool {
	g := glanceOf(data)
	return g.loadable()
}

// ForPeople says whether a file of that extension is taken for text or a picture.
func ForPeople(ext string, data []byte) bool {
	g := glanceOf(data)
	return g.forPeople(ext)
}

func glanceOf(data []byte) glance {
	if len(data) <= headSize {
		return glance{head: data, whole: true}
	}
	return glance{head: data[:headSize], tail: data[max(headSize, len(data)-tailSize):]}
}
